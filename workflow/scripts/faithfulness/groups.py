"""Groups of thoughts: by what happens in them, and by their number of sentences."""

import numpy as np
import polars as pl

from faithfulness.names import (
    ALL,
    FIRST_RIGHT,
    FIRST_WRONG,
    LONG,
    MIDDLE,
    SENTENCE,
    SHORT,
    STRAIGHT,
    TURNS,
)

Groups = dict[str, set[str]]
"""Names of traces by group."""


def groups_of(cuts: pl.DataFrame, events: pl.DataFrame) -> Groups:
    """The groups of the thoughts with cuts; groups without a thought are left out.

    Args:
        cuts: `CUTS`.
        events: `EVENTS`.
    """
    names = set(cuts["trace"])
    turning = names & set(events.filter(kind="backtrack")["trace"])
    first = events.filter(kind="arrival", ordinal=1)
    right, wrong = (
        names & set(first.filter(is_gold=is_gold)["trace"]) for is_gold in (True, False)
    )
    found = {
        ALL: names,
        TURNS: turning,
        STRAIGHT: names - turning,
        FIRST_RIGHT: right,
        FIRST_WRONG: wrong,
        **lengths_of(cuts),
    }
    return {group: traces for group, traces in found.items() if traces}


def lengths_of(cuts: pl.DataFrame) -> Groups:
    """Thoughts by their number of sentences; equally long ones share a group.

    Args:
        cuts: `CUTS`.
    """
    last = cuts.filter(source=SENTENCE).group_by("trace").agg(pl.col("cut").max())
    if last.is_empty():
        return {}
    number = last["cut"].to_numpy()
    low, high = np.quantile(number, [1 / 3, 2 / 3], method="lower")
    names = np.array(last["trace"].to_list())
    return {
        SHORT: set(names[number <= low]),
        MIDDLE: set(names[(number > low) & (number <= high)]),
        LONG: set(names[number > high]),
    }
