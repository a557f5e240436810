"""Sentences of the page that compare contexts; each follows from its test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.reader import is_reader
from doubletake.page.wording import percent, plural
from faithfulness.names import (
    ARRIVED,
    BEFORE,
    CORRECT,
    FILLER,
    FOREIGN,
    LAST,
    NONE,
    SHUFFLED,
    WHOLE,
)
from faithfulness.verdicts import (
    ALIKE,
    LESS,
    MORE,
    UNTESTED,
    Row,
    compared,
    context_row,
    filler_name,
    numbers,
    verdict_of,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def dependence(data: StudyData) -> str:
    """Whether the whole thought gives the own answer more often than filler does."""
    row = compared(data, WHOLE, FILLER)
    if row is None:
        return "Not measured: no thought was replaced by filler."
    said = {
        MORE: "The answer depends on the thought",
        LESS: "The thought leads away from the answer that it ends with",
        ALIKE: "It is not shown that the answer depends on the thought",
        UNTESTED: "Whether the answer depends on the thought is not checked",
    }[verdict_of(data, row)]
    return (
        f"{said}: {data.model} gives the thought\u2019s own answer in "
        f"{_shares(row, 'after the whole thought', f'with {filler_name(data)}')} "
        f"({numbers(data, row)})."
    )


def copying(data: StudyData) -> str:
    """Where the curve rises: at the sentence of the first arrival, or not."""
    row = compared(data, ARRIVED, BEFORE)
    if row is None:
        return "No thought has text before its first arrival."
    said = {
        MORE: "The curve rises where an answer comes into the text",
        LESS: "The curve falls where an answer comes into the text",
        ALIKE: "No rise of the curve is shown where an answer comes into the text",
        UNTESTED: "Whether the curve rises at the first arrival is not checked",
    }[verdict_of(data, row)]
    shares = _shares(
        row, "right after the first arrival", "at the sentence end before it"
    )
    return (
        f"{said}: the model gives the thought\u2019s own answer in {shares} "
        f"({numbers(data, row)}). After an arrival the model can copy. Cuts there show "
        "that it reads the thought, not that it reasons."
    )


def ahead_of_arrival(data: StudyData) -> str:
    """Whether the text before the first arrival helps to find the answer."""
    row = compared(data, BEFORE, NONE)
    if row is None:
        return ""
    said = {
        MORE: "already brings the answer nearer",
        LESS: "leads away from the answer",
        ALIKE: "is not shown to bring the answer nearer",
        UNTESTED: "is not checked for bringing the answer nearer",
    }[verdict_of(data, row)]
    return (
        f"The text before the first arrival {said}: the own answer is given in "
        f"{_shares(row, 'after it', 'without a thought')} ({numbers(data, row)})."
    )


def against_filler(data: StudyData) -> str:
    """Whether filler helps or harms against no thought."""
    row = compared(data, FILLER, NONE, CORRECT)
    if row is None:
        return ""
    said = {
        MORE: "helps",
        LESS: "harms",
        ALIKE: "is not shown to help or harm",
        UNTESTED: "is not checked",
    }[verdict_of(data, row)]
    name = filler_name(data)
    return (
        f"{name[0].upper()}{name[1:]} {said} against no thought: the answer is right "
        f"in {_shares(row, 'with it', 'without a thought')} ({numbers(data, row)})."
    )


def shuffled_order(data: StudyData) -> str:
    """Whether the order of the sentences matters, and whether their content does."""
    row, over = compared(data, LAST, SHUFFLED), compared(data, SHUFFLED, FILLER)
    if row is None:
        return "No thought has sentences that could be shuffled."
    said = {
        MORE: "The order of the sentences matters",
        LESS: "Shuffled sentences give the own answer more often than in their order",
        ALIKE: "It is not shown that the order of the sentences matters",
        UNTESTED: "Whether the order of the sentences matters is not checked",
    }[verdict_of(data, row)]
    shares = _shares(
        row, "up to the last arrival", "after the same sentences in another order"
    )
    text = f"{said}: the own answer is given in {shares} ({numbers(data, row)})."
    if over is None:
        return text
    content = {
        MORE: "more often than filler",
        LESS: "less often than filler",
        ALIKE: "not shown to do so more often than filler",
        UNTESTED: "not checked against filler",
    }[verdict_of(data, over)]
    return (
        f"{text} The answer stands among the shuffled sentences; they lead to it "
        f"{content} ({numbers(data, over)})."
    )


def foreign_thought(data: StudyData) -> str:
    """What a foreign thought does: a description, and its test against no thought."""
    row, mean = compared(data, FOREIGN, NONE), context_row(data, FOREIGN)
    if row is None or mean is None:
        return "No thought was replaced by one of another problem."
    said = {
        MORE: "makes the own answer more frequent than no thought",
        LESS: "makes the own answer rarer than no thought",
        ALIKE: "is not shown to change the own answer against no thought",
        UNTESTED: "is not checked against no thought",
    }[verdict_of(data, row)]
    return (
        "With the thought of another problem in its place the model gives the answer "
        f"of that thought in {percent(mean['donor_same'])} of "
        f"{plural(mean['thoughts'], 'case')}. A foreign thought {said} "
        f"({numbers(data, row)})."
    )


def after_arrival(data: StudyData) -> str:
    """What the thought after its first arrival changes in accuracy."""
    row = compared(data, WHOLE, ARRIVED, CORRECT)
    if row is None:
        return ""
    said = {
        MORE: "makes the answer right more often",
        LESS: "makes the answer right less often",
        ALIKE: "is not shown to change how often the answer is right",
        UNTESTED: "is not checked",
    }[verdict_of(data, row)]
    return (
        f"What follows the first arrival {said}: "
        f"{_shares(row, 'right at the end', 'right at the first arrival')} "
        f"({numbers(data, row)})."
    )


def ceiling(data: StudyData) -> str:
    """How often the answer forced at the end is the own one."""
    row = context_row(data, WHOLE)
    if row is None:
        return ""
    own = "the answer in the file" if is_reader(data) else "the thought\u2019s own one"
    interval = data.between(row, percent, "same")
    text = (
        f"Forced at the end of the thought, the answer equals {own} in "
        f"{percent(row['same'])} (interval {interval}): this is the ceiling of the "
        "curve"
    )
    if row["same"] == 1:
        return f"{text}."
    return f"{text}. What is missing there is lost by forcing an answer."


def _shares(row: Row, first: str, second: str) -> str:
    """Both shares of a comparison: "97.5% after it, 8.1% without"."""
    return f"{percent(row['share'])} {first}, {percent(row['other'])} {second}"
