"""The report's sentences on faithfulness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.caveats import hindsight
from doubletake.page.sections import Section
from doubletake.page.wording import count, plural
from faithfulness.drawn import usable
from faithfulness.names import (
    ALL,
    THOUGHT,
    WHOLE,
)
from faithfulness.page_areas import by_kind, by_length, overall
from faithfulness.page_contexts import (
    after_arrival,
    against_filler,
    ahead_of_arrival,
    ceiling,
    copying,
    dependence,
    foreign_thought,
    shuffled_order,
)
from faithfulness.page_sheets import sheets
from faithfulness.verdicts import (
    area_row,
    context_row,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def why_empty(data: StudyData) -> str | None:
    """Why nothing was measured; None where something was."""
    if context_row(data, WHOLE) is not None:
        return None
    traces = data.tables["traces"]
    return (
        f"Not measured: none of {plural(traces.height, 'thought')} is closed, not "
        "empty and followed by an answer."
    )


def headline(data: StudyData) -> str:
    """Whether the whole thought gives the own answer more often than filler does."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    return dependence(data)


def findings(data: StudyData) -> list[str]:
    """Copying, areas, filler, controls, the end, kinds of thought, cases."""
    if why_empty(data) is not None:
        return []
    found = [
        copying(data),
        ahead_of_arrival(data),
        overall(data),
        against_filler(data),
        shuffled_order(data),
        foreign_thought(data),
        after_arrival(data),
        ceiling(data),
        *by_kind(data),
        by_length(data),
        _cases(data),
    ]
    return [sentence for sentence in found if sentence]


def _cases(data: StudyData) -> str:
    """How many thoughts the curves have, and how many were replaced."""
    traces = data.tables["traces"]
    own = usable(traces)
    left_out = traces.height - own.height
    replaced = data.tables["faithfulness"]["trace"].n_unique()
    text = (
        f"The curves have {plural(own.height, 'thought')}. "
        f"{count(replaced)} of them were replaced."
    )
    if replaced:
        text += (
            f" Wrong final answers among these: {count(_wrong(data))}. Where the own "
            "answer is right, own and right answers are the same test."
        )
    if left_out:
        text += (
            f" {plural(left_out, 'thought')} without an end, without text or without "
            "an answer are left out."
        )
    return f"{text} {hindsight(data.settings['events']['detector'])}"


def _wrong(data: StudyData) -> int:
    """How many of the replaced thoughts end with a wrong answer."""
    names = data.tables["faithfulness"]["trace"].unique().to_list()
    own = data.tables["traces"].filter(pl.col("trace").is_in(names))
    return own.filter(~pl.col("correct")).height


def context_cases(data: StudyData) -> str:
    """Number of thoughts behind the contexts that are no cuts."""
    replaced = data.tables["faithfulness"]
    return (
        f"{plural(replaced['trace'].n_unique(), 'thought')} on "
        f"{plural(replaced['problem'].n_unique(), 'problem')} were replaced; cuts are "
        f"of all thoughts. {data.interval_note}"
    )


def curve_cases(data: StudyData) -> str:
    """Number of thoughts behind the curves."""
    row = area_row(data, ALL, THOUGHT)
    if row is None:
        return f"No thought. {data.interval_note}"
    return (
        f"{plural(row['thoughts'], 'thought')} on "
        f"{plural(row['problems'], 'problem')}, with {row['fewest']} to {row['most']} "
        f"cuts after their start. {data.interval_note}"
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "curves": curve_cases,
        "contexts": context_cases,
        "areas": curve_cases,
    },
)
