"""What this experiment leaves, and what the page calls it."""

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
    drawn=(
        Figure(
            "effects",
            "What scaling the vectors changes",
            "At backtracks, the activations of the units of largest (red) and "
            "smallest (blue) cosine of a layer are zeroed or multiplied at that "
            "position, all at once; the dot is the mean change of the backtrack "
            "words’ logit, on the right of its distance to the wrap-up words’. Open "
            "diamonds: as many random units of the same layer that write as much "
            "there. A dot apart from its diamond is an effect of these vectors and "
            "not of any.",
        ),
        Figure(
            "units",
            "Cosine and activity of all units",
            "Across: how far a unit’s value vector points along the probe’s "
            "direction; upwards: how much more the unit writes in the first class. "
            "Units at upper right and lower left make the direction; coloured ones "
            "are listed below with their tokens.",
        ),
    ),
)
