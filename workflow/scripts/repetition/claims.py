"""The tests behind the page's claims, and their correction for all claims together.

A log-prob meets a ceiling at 0, log-odds do not, and log-odds fall little where a
probability of nearly 1 falls to a small one. So a mean step counts only if both scales
show it, in the same direction: the p-value of the claim is the larger one, and 1 if
the directions differ. Later steps need all steps and those after which the thought
went on, too. Holm's correction counts all claims of the section.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm
from repetition.tables import (
    ALL,
    BEYOND,
    BEYOND_LATER,
    FILLER,
    FIRST,
    LATER,
    LOG_ODDS,
    LOGPROB,
    OTHER,
    OUTCOMES,
    PULL,
    REPEATED,
    REPETITION_TESTS,
    TESTED,
    WENT_ON,
    WRONG,
    WRONG_REPEATS,
)

STEPS = (
    (BEYOND, "more", FIRST, (ALL,)),
    (BEYOND_LATER, "more", LATER, (ALL, WENT_ON)),
    (FILLER, FILLER, FIRST, (ALL,)),
    (REPEATED, REPEATED, FIRST, (ALL,)),
)
"""Claim, column, part and means of `REPETITION_STEPS`."""


def corrected_claims(steps: pl.DataFrame, pull: pl.DataFrame) -> pl.DataFrame:
    """`REPETITION_TESTS`.

    Args:
        steps: `REPETITION_STEPS`.
        pull: `REPETITION_PULL`.
    """
    rows = []
    for outcome in OUTCOMES:
        answer = TESTED[outcome]
        own = steps.filter(outcome=outcome, answer=answer).filter(
            pl.col("measure").is_in((LOGPROB, LOG_ODDS))
        )
        name = {"outcome": outcome, "answer": answer}
        for claim, column, part, which in STEPS:
            means = own.filter(pl.col("which").is_in(which), part=part)
            if means.is_empty() or (claim == REPEATED and outcome != WRONG):
                continue
            rows.append(name | {"claim": claim} | agreed(means.to_dicts(), column))
        found = pull.filter(outcome=outcome, arm=WRONG_REPEATS, exit=2)
        if found.height:
            test = agreed(found.to_dicts(), "pull")
            rows.append({"outcome": outcome, "answer": OTHER, "claim": PULL} | test)
    tested = [row for row in rows if row["p"] is not None]
    corrected = holm(np.array([row["p"] for row in tested], dtype=float))
    for row, value in zip(tested, corrected, strict=True):
        row["p_holm"] = float(value)
    return REPETITION_TESTS.frame(rows)


def agreed(means: Iterable[dict[str, Any]], name: str) -> dict[str, Any]:
    """One test of several means that all have to lie on the same side of 0.

    Args:
        means: rows with the columns NAME, NAME_p and problems.
        name: of the mean.

    Returns:
        Columns problems, direction, p and, still empty, p_holm.
    """
    rows = list(means)
    p = [row[f"{name}_p"] for row in rows]
    signs = {int(np.sign(row[name])) for row in rows if row[name] is not None}
    is_tested = None not in p
    same = len(signs) == 1
    return {
        "problems": min(row["problems"] for row in rows),
        "direction": signs.pop() if is_tested and same else 0,
        "p": (max(p) if same else 1.0) if is_tested else None,
        "p_holm": None,
    }
