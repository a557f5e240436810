"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from value_vectors.tables import (
    LEVEL,
    VALUE_VECTOR_ALIGNMENT,
    VALUE_VECTOR_EFFECTS,
    VALUE_VECTOR_INTERVENTIONS,
    VALUE_VECTOR_SET_EFFECTS,
    VALUE_VECTOR_SETS,
    VALUE_VECTOR_UNITS,
    VALUE_VECTORS,
)

DECLARATION = Experiment(
    name="value_vectors",
    order=40,
    title="MLP value vectors",
    question="Which hidden units of the MLPs write along the probe’s direction, which "
    "words do they write for, and does the model need them to turn back?",
    holds="MLP units that write along a probe's direction, and what zeroing them does",
    tables=(
        VALUE_VECTORS,
        VALUE_VECTOR_ALIGNMENT,
        VALUE_VECTOR_UNITS,
        VALUE_VECTOR_SETS,
        VALUE_VECTOR_INTERVENTIONS,
        VALUE_VECTOR_EFFECTS,
        VALUE_VECTOR_SET_EFFECTS,
        RUNS,
        VERIFICATION,
    ),
    figures=(
        Figure(
            "effects",
            "What zeroing the vectors changes",
            "At backtracks, the activations of the units of largest (red) and smallest "
            "(blue) cosine of a layer are zeroed, all at once and at that position "
            "only. Then the log-odds of the backtrack words against all other tokens "
            "are computed again. Dots: mean change, with intervals over "
            "problems. Grey marks: sets of random units of the same layer that write "
            "as much, one mark per set. p: rank of the set among the random sets, by "
            "distance from the median, corrected for the number of rows (Holm). Only "
            "p says whether a set differs from random sets: it does if p is at most "
            f"{LEVEL}. Arrows: the change to expect from what the set writes along the "
            "probe\u2019s direction at these backtracks. A set that writes towards "
            "backtracks should lower the log-odds when it is zeroed, one that writes "
            "away from them should raise them. Beyond dotted lines the axis is "
            "logarithmic. The numbers are in value_vectors/effects.parquet and "
            "value_vectors/set_effects.parquet.",
        ),
        Figure(
            "units",
            "Cosine and activity of all units",
            "Every hidden unit of the chosen MLPs. Horizontal axis: the cosine of its "
            "value vector with the probe\u2019s direction at the boundary that the MLP "
            "writes to. Dashed lines: the limits that the largest and the smallest "
            "cosine each stay within for 95% of the directions of shuffled labels "
            "(each pair\u2019s labels are swapped or kept at random). A line is for "
            "one test alone. Whether a cosine is beyond chance follows from the "
            "corrected p in the section, which counts all layers and sides. Vertical "
            "axis: how much more the unit writes (activation times norm of the vector) "
            "in the first class than in the second, mean over all matched pairs of the "
            "contrast. The "
            "probe was fitted to the same pairs, so this axis is no test of the "
            "cosines. Coloured units are those whose tokens the report lists; the "
            "section gives their share of the direction. The numbers are in "
            "value_vectors/units.parquet.",
        ),
    ),
    comparison=Comparison(
        "Change of the log-odds of turning back when the units of a layer whose value "
        "vectors point along the probe’s direction (for) or against it are zeroed; a "
        "mark for each chosen layer. Short vertical lines: the middle of random sets "
        "of as many units. Dotted: no change.",
        (
            Panel(
                title="Change of the log-odds, nats",
                table="value_vectors/effects",
                across="side",
                value="log_odds_change",
                beside=("random_middle",),
                nothing=0.0,
            ),
        ),
    ),
)
