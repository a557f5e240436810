"""The page's section on early exit: headline, findings, tiles, notes on figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.reader import is_reader, whose
from doubletake.page.sections import Section, Tile
from doubletake.page.wording import (
    count,
    listed,
    percent,
    plural,
    points,
    probability,
    real,
)
from early_exit.page_tables import sheets

if TYPE_CHECKING:
    from doubletake.page.study_data import Difference, StudyData

GOLD_DETECTORS = ("string", "markers")
ORDINALS = ("first", "second", "third", "fourth", "fifth")


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
    reason, gain = why_no_findings(data), data.gain
    if reason is not None or gain is None:
        return reason or ""
    mean = _probability_at(data, 1)
    with_probability = (
        "" if mean is None else f", with a mean probability of {probability(mean)}"
    )
    right = percent(_share(data, "exit1_correct"))
    if is_reader(data):
        return (
            f"At the first arrival of {plural(gain.n, 'thought')} {data.model}, as a "
            f"reader, gives the right answer in {right}{with_probability}; as they are "
            f"written, the thoughts end right in {percent(_share(data, 'correct'))}."
        )
    return (
        f"At its first arrival {data.model} gives the right answer in {right} "
        f"of {plural(gain.n, 'thought')}{with_probability}; stopping there would save "
        f"{_saving(data)} of the thought and {_consequence(data, gain)}."
    )


def findings(data: StudyData) -> list[str]:
    """How sure it is at each arrival and when it is wrong, and what to keep in mind."""
    if why_no_findings(data) is not None:
        return []
    sentences = [_verdict(data), _probabilities(data), _right_against_wrong(data)]
    sentences.append(detector_note(data))
    return [sentence for sentence in sentences if sentence]


def detector_note(data: StudyData) -> str:
    """How the detector's definition of an arrival affects these figures."""
    detector = data.settings["events"]["detector"]
    if detector in GOLD_DETECTORS:
        return (
            f"Note that the detector \u201c{detector}\u201d looks for the gold number, "
            "so every arrival here states the right value by construction."
        )
    arrivals = data.tables["events"].filter(kind="arrival")
    final = arrivals["is_final"].drop_nulls()
    if len(final) and final.all():
        return (
            f"Note that all {plural(arrivals.height, 'arrival')} found here state the "
            "value that the thought ends with; a stop at another value does not count "
            "as an arrival. So these figures hold for thoughts that have reached their "
            "last value. A rule that does not know the last value gains less."
        )
    return ""


def tiles(data: StudyData) -> list[Tile]:
    """The five figures of the headline."""
    if why_no_findings(data) is not None:
        return []
    rows = data.arrived
    n = plural(rows.height, "thought")
    without_thought = data.exits.filter(exit=0)
    shown = [
        Tile(
            percent(_share(data, "exit1_correct")),
            "right at the first arrival",
            f"{n} with an arrival",
        ),
        Tile(percent(_share(data, "correct")), "right at the end", f"the same {n}"),
        Tile(
            _saving(data),
            "of the thought comes after the first arrival",
            f"{_mean(data, 'exit1_tokens')} of {_mean(data, 'tokens')} tokens before",
        ),
        Tile(
            probability(_probability_at(data, 1)),
            "mean probability of the answer there",
            "1 would be certain",
        ),
    ]
    for row in without_thought.iter_rows(named=True):
        share = percent(row["right"] / row["n"])
        shown.append(Tile(share, "right without any thought", plural(row["n"], "exit")))
    return shown


def grouped_cases(data: StudyData) -> str:
    """Number of traces behind each line of the figures."""
    summary = data.tables["early_exit/summary"].filter(exit=0)
    if summary.is_empty():
        return "No trace has one of the configured numbers of backtracks."
    rows = summary.sort("backtracks").select("backtracks", "traces").iter_rows()
    lines = [
        f"{backtracks}\u00a0(n\u00a0=\u00a0{traces:,})" for backtracks, traces in rows
    ]
    total = int(summary["traces"].sum())
    return (
        f"Thoughts by number of backtracks: {listed(lines)}; together "
        f"{count(total)} of {count(data.thoughts.height)}. Points that rest on too "
        "few problems are hidden, see the line below the figure. "
        f"{data.interval_note}"
    )


def confidence_cases(data: StudyData) -> str:
    """As `grouped_cases`, and a source for the published numbers if they are drawn."""
    summary = data.tables["early_exit/summary"]
    text = grouped_cases(data)
    if summary["published_logit"].count():
        text += (
            " Dashed: the published means of the same model and problems, whose "
            "arrivals are every occurrence of the answer\u2019s text (ARBOR project "
            "discussion \u201cHow does early exiting at each instance of backtracking "
            "affect the model\u2019s prediction\u201d)."
        )
    return text


def calibration_cases(data: StudyData) -> str:
    """Exits behind the calibration figure, and its error."""
    bins = data.tables["early_exit/calibration"]
    if bins.is_empty():
        return "No exit has an answer."
    exits = int(bins["exits"].sum())
    gaps = (bins["accuracy"] - bins["confidence"]).abs()
    error = float((gaps * bins["exits"]).sum() / exits)
    return (
        f"{plural(exits, 'exit')} with an answer in {plural(bins.height, 'bin')} of "
        f"equal counts, exit 0 included; expected calibration error {error:.3f}. "
        f"{data.interval_note}"
    )


def _share(data: StudyData, column: str) -> float:
    """Share of true values among the thoughts with an arrival."""
    return int(data.arrived[column].sum()) / data.arrived.height


def _mean(data: StudyData, column: str) -> str:
    return real(int(data.arrived[column].sum()) / data.arrived.height)


def _saving(data: StudyData) -> str:
    """Share of the thought tokens that come after the first exit."""
    tokens, before = (int(data.arrived[c].sum()) for c in ("tokens", "exit1_tokens"))
    return percent(1 - before / tokens if tokens else None)


def _probability_at(data: StudyData, number: int) -> float | None:
    row = data.exits.filter(exit=number)
    return row["probability"][0] if row.height else None


def _consequence(data: StudyData, gain: Difference) -> str:
    """How stopping changes the accuracy, with an interval."""
    if not gain.changed:
        return "change no score"
    change = f"{'cost' if gain.mean > 0 else 'gain'} {real(100 * abs(gain.mean))}"
    if not gain.mean:
        change = "neither cost nor gain"
    if gain.low is None or gain.high is None:
        ends = data.why_no_interval(gain.problems)
    else:
        ends = f"{points(-gain.high)} to {points(-gain.low)}"
    return (
        f"{change} points of accuracy ({data.confidence:.0%} interval of the change "
        f"{ends})"
    )


def _verdict(data: StudyData) -> str:
    """Whether the model could have stopped there, on average; not of a reader."""
    gain = data.gain
    if gain is None or is_reader(data):
        return ""
    n = plural(gain.n, "thought")
    end = (
        f"it ends right in {percent(_share(data, 'correct'))} of the same {n}, after "
        f"{_mean(data, 'tokens')} instead of {_mean(data, 'exit1_tokens')} thought "
        "tokens on average"
    )
    if gain.low is None or gain.high is None:
        n += f" on {plural(gain.problems, 'problem')}"
        return f"Could it have stopped there? Not checked with {n}: {end}."
    if gain.low > 0:
        return f"Could it have stopped there? Not without loss: {end}."
    if gain.high < 0:
        return f"Could it have stopped there? It should have: {end}."
    return f"Could it have stopped there? No loss can be shown with {n}: {end}."


def _probabilities(data: StudyData) -> str:
    """Mean probability before any thought and at each of the first arrivals."""
    parts = []
    for row in data.exits.iter_rows(named=True):
        if row["exit"] > len(ORDINALS) or row["probability"] is None:
            continue
        arrival = f"at the {ORDINALS[row['exit'] - 1]} arrival"
        when = arrival if row["exit"] else "before any thought"
        mean = probability(row["probability"])
        parts.append(f"{mean} {when} (n\u00a0=\u00a0{row['n']:,})")
    return f"Mean probability of the answer: {listed(parts)}." if parts else ""


def _right_against_wrong(data: StudyData) -> str:
    """Mean probability at the first arrival, of right and of wrong answers."""
    first = data.tables["early_exit"].filter(exit=1).drop_nulls("logprob")
    parts = []
    for right, name in ((True, "right"), (False, "wrong")):
        part = first.filter(correct=right)
        if part.height:
            mean = float(part["logprob"].exp().mean())  # type: ignore[arg-type]
            parts.append(
                f"{probability(mean)} where the answer is {name} "
                f"(n\u00a0=\u00a0{part.height:,})"
            )
    if len(parts) < 2:
        return ""
    return f"At the first arrival the probability of the answer is {listed(parts)}."


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
