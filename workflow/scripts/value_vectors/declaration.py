"""Declares the tables, figures and files of this experiment."""

from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from value_vectors.tables import (
    VALUE_VECTOR_EFFECTS,
    VALUE_VECTOR_INTERVENTIONS,
    VALUE_VECTOR_UNITS,
    VALUE_VECTORS,
)

DECLARATION = Experiment(
    name="value_vectors",
    order=40,
    title="MLP value vectors",
    question="Which hidden units of the MLPs write along the probe’s direction, which "
    "words do they write for, and does the model need them to turn back?",
    holds="MLP units that write along a probe's direction, and what scaling them does",
    tables=(
        VALUE_VECTORS,
        VALUE_VECTOR_UNITS,
        VALUE_VECTOR_INTERVENTIONS,
        VALUE_VECTOR_EFFECTS,
        RUNS,
        VERIFICATION,
    ),
    figures=(
        Figure(
            "effects",
            "What scaling the vectors changes",
            "At backtracks, the activations of the units of largest (red) and smallest "
            "(blue) cosine of a layer are zeroed or multiplied, all at once and at "
            "that position only. Then the next-token logits are computed again. Left: "
            "mean change of the logit of the backtrack words (logsumexp over them). "
            "Right: mean change of this logit minus the logit of the wrap-up words. "
            "Open diamonds: as many random units of the same layer that write as much "
            "there, mean over draws. Where a dot lies apart from its diamond, the "
            "effect belongs to these vectors and not to just any vectors. Bars are "
            "intervals over problems. The numbers are in "
            "value_vectors/effects.parquet.",
        ),
        Figure(
            "units",
            "Cosine and activity of all units",
            "Every hidden unit of the chosen MLPs. Horizontal axis: the cosine of its "
            "value vector with the probe’s direction at the boundary that the MLP "
            "writes to. Vertical axis: how much more the unit writes (mean activation "
            "times norm of the vector) in the first class than in the second. Units at "
            "the upper right and the lower left make the direction. Units at the level "
            "line do not take part in it here. Coloured units are those whose tokens "
            "the report lists. The numbers are in value_vectors/units.parquet.",
        ),
    ),
)
