"""What the page says about slopes: does the confidence rise within a thought?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.page.wording import plural, significant
from early_exit.slopes import direction
from early_exit.tables import (
    ALL_STEPS,
    FIRST_STEP,
    LATER_STEPS,
    WENT_ON,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

MEASURES = {
    "logit": ("mean logit of the answer", "logits"),
    "whole_logprob": ("log-prob of the whole answer", "nats"),
}
STARTS = {
    FIRST_STEP: "from its first arrival to its second",
    LATER_STEPS: "from its second arrival on",
}
STEPS = (ALL_STEPS, WENT_ON)
VERBS = {1: "rises", -1: "falls", 0: "is not shown to rise or fall"}
SLOPE_CAVEAT = (
    "A thought that stops when it is sure makes a rise by itself, and one that stops "
    "when it is unsure makes a fall. So a rise or a fall is claimed only if both means "
    "show it. From the second arrival on, even this does not rule out all of that "
    "effect. Whether a rise is more than copying of the stated answer is asked in the "
    "section Repetition."
)


def slopes(data: StudyData) -> list[str]:
    """Whether the confidence rises: a sentence for each measure and part, a caveat."""
    table = data.tables["early_exit/slopes"]
    groups = table.partition_by("measure", "part", maintain_order=True)
    pairs = [
        [
            group.row(by_predicate=pl.col("which") == which, named=True)
            for which in STEPS
        ]
        for group in groups
    ]
    sentences = [
        slope_sentence(every, went_on, data.confidence) for every, went_on in pairs
    ]
    return [*sentences, SLOPE_CAVEAT] if any(map(is_tested, pairs)) else sentences


def is_tested(rows: list[dict[str, Any]]) -> bool:
    """Whether all of these means have an interval."""
    return all(row["slope_low"] is not None for row in rows)


def slope_sentence(
    every: dict[str, Any], went_on: dict[str, Any], confidence: float
) -> str:
    """Rises, falls, or is not shown to, by the intervals of both means (`direction`).

    Args:
        every: row of `EARLY_EXIT_SLOPES` for all steps.
        went_on: the same for the steps after which the thought went on.
        confidence: coverage of the intervals.
    """
    rows = [every, went_on]
    name, _ = MEASURES[every["measure"]]
    start = STARTS[every["part"]]
    if not is_tested(rows):
        return (
            f"Whether the {name} rises or falls {start} is not tested: there are too "
            f"few cases ({plural(every['traces'], 'thought')}, of which "
            f"{went_on['traces']:,} went on to a further arrival)."
        )
    lows = np.array([row["slope_low"] for row in rows])
    highs = np.array([row["slope_high"] for row in rows])
    verb = VERBS[int(direction(lows, highs))]
    return (
        f"Within a thought, {start}, the {name} {verb}: the mean step is "
        f"{mean_with_cases(every, confidence)}, and "
        f"{mean_with_cases(went_on, confidence)} if only steps count after which the "
        "thought went on to a further arrival."
    )


def mean_with_cases(row: dict[str, Any], confidence: float) -> str:
    """Mean step with its interval and its numbers of steps, thoughts and problems."""
    _, unit = MEASURES[row["measure"]]
    return (
        f"{significant(row['slope'])} {unit} ({confidence:.0%} interval "
        f"{significant(row['slope_low'])} to {significant(row['slope_high'])}; "
        f"{plural(row['steps'], 'step')} of {plural(row['traces'], 'thought')} on "
        f"{plural(row['problems'], 'problem')})"
    )
