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
    NONE,
    SHUFFLED,
    WHOLE,
)
from faithfulness.verdicts import (
    ALIKE,
    LESS,
    MORE,
    UNTESTED,
    compared,
    context_row,
    filler_name,
    numbers,
    shown,
    verdict_of,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def copying(data: StudyData) -> str:
    """Where the curve rises: at the sentence of the first arrival, or not."""
    row = compared(data, ARRIVED, BEFORE)
    if row is None:
        return "No thought has text before its first arrival."
    said = {
        MORE: "The curve rises where the answer comes into the text",
        LESS: "The curve falls where the first arrival comes into the text",
        ALIKE: "No rise of the curve is shown where the first arrival comes in",
        UNTESTED: "Whether the curve rises at the first arrival is not checked",
    }[verdict_of(data, row)]
    text = (
        f"{said}: at the end of the sentence before the first arrival "
        f"{shown(data, BEFORE)} of the answers are the thought\u2019s own, right after "
        f"it {shown(data, ARRIVED)} ({numbers(data, row)})."
    )
    return (
        f"{text} After an arrival the model can copy: cuts there show that it reads "
        "the thought, not that it reasons."
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
        f"The text before the first arrival {said}: {shown(data, BEFORE)} own answers "
        f"after it, {shown(data, NONE)} without a thought ({numbers(data, row)})."
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
        f"{name[0].upper()}{name[1:]} {said} against no thought: "
        f"{shown(data, FILLER, CORRECT)} right, and {shown(data, NONE, CORRECT)} "
        f"without a thought ({numbers(data, row)})."
    )


def shuffled_order(data: StudyData) -> str:
    """Whether the order of the sentences matters, and whether their content does."""
    row, over = compared(data, WHOLE, SHUFFLED), compared(data, SHUFFLED, FILLER)
    if row is None:
        return "No thought has sentences that could be shuffled."
    said = {
        MORE: "The order of the sentences matters",
        LESS: "Shuffled sentences give the own answer more often than the thought does",
        ALIKE: "It is not shown that the order of the sentences matters",
        UNTESTED: "Whether the order of the sentences matters is not checked",
    }[verdict_of(data, row)]
    text = (
        f"{said}: {shown(data, SHUFFLED)} own answers after shuffled sentences "
        f"({numbers(data, row)})"
    )
    if over is None:
        return f"{text}."
    content = {
        MORE: "more often than filler",
        LESS: "less often than filler",
        ALIKE: "not shown to be more often than filler",
        UNTESTED: "not checked against filler",
    }[verdict_of(data, over)]
    return f"{text}; this is {content} ({numbers(data, over)})."


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
        f"With the thought of another problem in its place the model gives that "
        f"thought\u2019s answer in {percent(mean['donor_same'])} of "
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
        f"What follows the first arrival {said}: {shown(data, ARRIVED, CORRECT)} right "
        f"at the first arrival, {shown(data, WHOLE, CORRECT)} at the end "
        f"({numbers(data, row)})."
    )


def ceiling(data: StudyData) -> str:
    """How often the answer forced at the end is the own one."""
    row = context_row(data, WHOLE)
    if row is None:
        return ""
    own = "the answer in the file" if is_reader(data) else "the thought\u2019s own one"
    interval = data.between(row, percent, "same")
    return (
        f"Forced at the end of the thought, the answer equals {own} in "
        f"{percent(row['same'])} (interval {interval}): no cut can be expected to give "
        "more. The rest is the form of the question, not the thought."
    )
