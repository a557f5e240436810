"""The page's section on early exit: headline, findings, tiles, notes on figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.reader import is_reader, whose
from doubletake.page.sections import Section, Tile
from doubletake.page.wording import count, listed, percent, plural, probability
from early_exit.page_confidence import (
    calibration_cases,
    probabilities,
    probability_at,
    right_against_wrong,
    unended_note,
)
from early_exit.page_slopes import slopes
from early_exit.page_stopping import (
    caveat,
    detector_note,
    mean,
    saving,
    share,
    stopping,
    verdict,
)
from early_exit.page_tables import sheets

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def why_no_findings(data: StudyData) -> str | None:
    """Why a study has no findings on exits; None if it has findings."""
    if data.thoughts.is_empty():
        return f"There is no thought {whose(data)}, so there is nothing to report."
    total = plural(data.thoughts.height, "thought")
    if not data.thoughts["arrivals"].sum():
        return (
            f"No arrival was found in {total} {whose(data)}, so none could have "
            "stopped with an answer anywhere."
        )
    if data.arrived.is_empty():
        return f"No exit was measured in {total} {whose(data)}."
    return None


def headline(data: StudyData) -> str:
    """How sure is it at its first arrival, and could it have stopped there?"""
    text = answer(data)
    if why_no_findings(data) is not None or data.gain is None or is_reader(data):
        return text
    return f"{text} {caveat(data)}"


def answer(data: StudyData) -> str:
    """The headline in one sentence."""
    reason, gain = why_no_findings(data), data.gain
    if reason is not None or gain is None:
        return reason or ""
    sure, answers = probability_at(data, 1)
    with_probability = ""
    if sure is not None:
        with_probability = f", with a mean probability of {probability(sure)}"
    if sure is not None and answers < gain.n:
        ended = plural(answers, "answer")
        with_probability += f" over the {ended} that ended"
    right = percent(share(data, "exit1_correct"))
    if is_reader(data):
        return (
            f"At the first arrival of {plural(gain.n, 'thought')} {data.model}, as a "
            f"reader, gives the right answer in {right}{with_probability}; as they are "
            f"written, the thoughts end right in {percent(share(data, 'correct'))}."
        )
    return (
        f"At its first arrival {data.model} gives the right answer in {right} "
        f"of {plural(gain.n, 'thought')}{with_probability}; {stopping(data)}."
    )


def findings(data: StudyData) -> list[str]:
    """How sure it is at each arrival and when it is wrong, and what to keep in mind."""
    if why_no_findings(data) is not None:
        return []
    sentences = [verdict(data), probabilities(data), *slopes(data)]
    sentences += [right_against_wrong(data), detector_note(data)]
    return [sentence for sentence in sentences if sentence]


def tiles(data: StudyData) -> list[Tile]:
    """The five figures of the headline."""
    if why_no_findings(data) is not None:
        return []
    rows = data.arrived
    n = plural(rows.height, "thought")
    sure, answers = probability_at(data, 1)
    without_thought = data.exits.filter(exit=0)
    shown = [
        Tile(
            percent(share(data, "exit1_correct")),
            "right at the first arrival",
            f"{n} with an arrival",
        ),
        Tile(percent(share(data, "correct")), "right at the end", f"the same {n}"),
        Tile(
            saving(data),
            "of the thought comes after the first arrival, found in hindsight",
            f"{mean(data, 'exit1_tokens')} of {mean(data, 'tokens')} tokens before",
        ),
        Tile(
            probability(sure),
            "mean probability of the whole answer there",
            f"1 would be certain; {plural(answers, 'answer')}",
        ),
    ]
    for row in without_thought.iter_rows(named=True):
        right = percent(row["right"] / row["n"])
        shown.append(Tile(right, "right without any thought", plural(row["n"], "exit")))
    return shown


def grouped_cases(data: StudyData) -> str:
    """Number of traces behind each line of the figures."""
    summary = data.tables["early_exit/summary"].filter(exit=0)
    if summary.is_empty():
        return "No trace has one of the configured numbers of arrivals."
    rows = summary.sort("arrivals").select("arrivals", "traces").iter_rows()
    lines = [f"{arrivals}\u00a0(n\u00a0=\u00a0{traces:,})" for arrivals, traces in rows]
    total = int(summary["traces"].sum())
    return (
        f"Thoughts by number of arrivals: {listed(lines)}; together "
        f"{count(total)} of {count(data.thoughts.height)}. Points that rest on too "
        "few problems are hidden, see the line below the figure. "
        f"{data.interval_note}"
    )


def confidence_cases(data: StudyData) -> str:
    """As `grouped_cases`, with unended answers and a source of published numbers."""
    summary = data.tables["early_exit/summary"]
    text = grouped_cases(data)
    text += unended_note(data, "their logits are means over the tokens up to it")
    if summary["published_logit"].count():
        text += (
            " Dashed: the published means of the same model and problems. There every "
            "occurrence of the answer\u2019s text is an arrival and counts as one "
            "backtrack, so that groups of equal numbers are compared (ARBOR project "
            "discussion \u201cHow does early exiting at each instance of backtracking "
            "affect the model\u2019s prediction\u201d)."
        )
    return text


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    tiles=tiles,
    cases={
        "confidence": confidence_cases,
        "accuracy": grouped_cases,
        "calibration": calibration_cases,
    },
)
