"""What the report says about early exit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Section, Sheet, Tile
from doubletake.page.wording import (
    NOTHING,
    count,
    listed,
    percent,
    plural,
    points,
    probability,
    real,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import Difference, StudyData

SHOWN_EXITS = 10
EXIT_COLUMNS = (
    "exit",
    "thoughts",
    "right",
    "probability",
    "logit",
    "margin",
    "entropy (nats)",
    "tokens before",
)
GOLD_DETECTORS = ("string", "markers")
ORDINALS = ("first", "second", "third", "fourth", "fifth")


def nothing_to_say(data: StudyData) -> str | None:
    """Why nothing can be said about exits; None where something can."""
    if data.thoughts.is_empty():
        return f"There is no thought of {data.model} here: nothing can be said."
    total = plural(data.thoughts.height, "thought")
    if not data.thoughts["arrivals"].sum():
        return (
            f"No arrival was found in {total} of {data.model}: there is no place at "
            "which it could have stopped with an answer."
        )
    if data.arrived.is_empty():
        return f"No exit was measured in {total} of {data.model}."
    return None


def headline(data: StudyData) -> str:
    """How sure is it at its first arrival, and could it have stopped there?"""
    nothing = nothing_to_say(data)
    gain = data.gain
    if nothing is not None or gain is None:
        return nothing or ""
    sure = _probability_at(data, 1)
    with_sureness = (
        "" if sure is None else f", with a mean probability of {probability(sure)}"
    )
    right = percent(_share(data, "exit1_correct"))
    return (
        f"At its first arrival {data.model} gives the right answer in {right} "
        f"of {plural(gain.n, 'thought')}{with_sureness}; stopping there would save "
        f"{_saving(data)} of the thought and {_consequence(gain, data.confidence)}."
    )


def findings(data: StudyData) -> list[str]:
    """How sure at each arrival, how sure when wrong, and what to mind."""
    if nothing_to_say(data) is not None:
        return []
    found = [_verdict(data), _sureness(data), _right_against_wrong(data)]
    found += [stranger(data), caveat(data)]
    return [sentence for sentence in found if sentence]


def stranger(data: StudyData) -> str:
    """Whether the thoughts may be another model's."""
    if "generation" in data.settings:
        return ""
    return (
        f"Mind that these thoughts were imported: {data.model} need not have written "
        "them, and its answers at the exits are those of a reader."
    )


def caveat(data: StudyData) -> str:
    """What the detector's definition of an arrival does to these figures."""
    detector = data.settings["events"]["detector"]
    if detector in GOLD_DETECTORS:
        return (
            f"Mind that the detector \u201c{detector}\u201d looks for the gold number, "
            "so every arrival here states the right value by construction."
        )
    arrivals = data.tables["events"].filter(kind="arrival")
    final = arrivals["is_final"].drop_nulls()
    if len(final) and final.all():
        return (
            f"Mind that all {plural(arrivals.height, 'arrival')} found here state the "
            "value that the thought ends with: a passing stop at another value was not "
            "counted as an arrival, so these figures hold for thoughts that had "
            "reached their last value, and overstate what a rule without that "
            "knowledge gains."
        )
    return ""


def tiles(data: StudyData) -> list[Tile]:
    """The five figures of the headline."""
    if nothing_to_say(data) is not None:
        return []
    rows = data.arrived
    n = plural(rows.height, "thought")
    before = data.exits.filter(exit=0)
    found = [
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
    for row in before.iter_rows(named=True):
        share = percent(row["right"] / row["n"])
        found.append(Tile(share, "right without any thought", plural(row["n"], "exit")))
    return found


def exits_sheet(data: StudyData) -> Sheet:
    """One row per exit, and the end of the thought."""
    shown = data.exits.filter(data.exits["exit"] <= SHOWN_EXITS)
    rows = [_exit_row(row) for row in shown.iter_rows(named=True)]
    thoughts = data.thoughts
    if not thoughts.is_empty():
        mean = int(thoughts["tokens"].sum()) / thoughts.height
        right = percent(int(thoughts["correct"].sum()) / thoughts.height)
        end = ("end of the thought", count(thoughts.height), right)
        rows.append((*end, *[NOTHING] * 4, real(mean, 0)))
    rest = int(data.exits.filter(data.exits["exit"] > SHOWN_EXITS)["n"].sum())
    silent = int(data.exits["unanswered"].sum())
    note = [
        "Means over all exits of that number; later exits exist only in thoughts that "
        "arrive that often, so rows are not the same thoughts."
    ]
    note += [f"{plural(rest, 'later exit')} not shown."] if rest else []
    note += (
        [f"{plural(silent, 'exit')} gave no number, which counts as wrong."]
        if silent
        else []
    )
    return Sheet("Every exit", EXIT_COLUMNS, tuple(rows), note=" ".join(note))


def _exit_row(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        "0, before any thought" if row["exit"] == 0 else f"{row['exit']}",
        count(row["n"]),
        percent(row["right"] / row["n"]),
        probability(row["probability"]),
        real(row["logit"], 2),
        real(row["margin"], 2),
        real(row["entropy"], 3),
        real(row["tokens_before"], 0),
    )


def outcomes_sheet(data: StudyData) -> Sheet:
    """What becomes of the answer between first arrival and end."""
    rows = []
    for first, name in ((True, "right"), (False, "wrong")):
        part = data.arrived.filter(exit1_correct=first)
        right = int(part["correct"].sum())
        cells = (count(right), count(part.height - right), count(part.height))
        rows.append((f"{name} at the first arrival", *cells))
    total = data.arrived.height
    right = int(data.arrived["correct"].sum())
    rows.append(("all", count(right), count(total - right), count(total)))
    return Sheet(
        "From the first arrival to the end",
        ("answer if stopped", "ends right", "ends wrong", "thoughts"),
        tuple(rows),
    )


def sheets(data: StudyData) -> list[Sheet]:
    """The printed tables; none without exits."""
    if data.exits.is_empty():
        return []
    found = [exits_sheet(data)]
    return found if data.arrived.is_empty() else [*found, outcomes_sheet(data)]


def grouped_cases(data: StudyData) -> str:
    """Traces behind each line of the figures by number of backtracks."""
    summary = data.tables["early_exit/summary"].filter(exit=0)
    if summary.is_empty():
        return "No trace has one of the configured numbers of backtracks."
    rows = summary.sort("backtracks").select("backtracks", "traces").iter_rows()
    lines = [
        f"{backtracks}\u00a0(n\u00a0=\u00a0{traces:,})" for backtracks, traces in rows
    ]
    behind = int(summary["traces"].sum())
    return (
        f"Thoughts by number of backtracks: {listed(lines)}; together "
        f"{count(behind)} of {count(data.thoughts.height)}. Points that rest on too "
        "few problems are not drawn, as the line below the figure says. "
        f"Intervals: {data.confidence:.0%}."
    )


def confidence_cases(data: StudyData) -> str:
    """As `grouped_cases`, with a word on the published numbers where they are drawn."""
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
        f"Bars: {data.confidence:.0%} Wilson intervals, n = problems."
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


def _consequence(gain: Difference, confidence: float) -> str:
    """What stopping does to accuracy, with its interval."""
    if not gain.changed:
        return "change the score of none of them"
    low, high = sorted((-gain.low, -gain.high))
    change = f"{'cost' if gain.mean > 0 else 'gain'} {real(100 * abs(gain.mean))}"
    if not gain.mean:
        change = "neither cost nor gain"
    return (
        f"{change} points of accuracy ({confidence:.0%} interval of the change "
        f"{points(low)} to {points(high)})"
    )


def _verdict(data: StudyData) -> str:
    """Whether it could have stopped there, on average."""
    gain = data.gain
    if gain is None:
        return ""
    n = plural(gain.n, "thought")
    end = (
        f"it ends right in {percent(_share(data, 'correct'))} of the same {n}, after "
        f"{_mean(data, 'tokens')} instead of {_mean(data, 'exit1_tokens')} thought "
        "tokens on average"
    )
    if gain.low > 0:
        return f"Could it have stopped there? Not without loss: {end}."
    if gain.high < 0:
        return f"Could it have stopped there? It should have: {end}."
    return f"Could it have stopped there? At no loss that {n} can show: {end}."


def _sureness(data: StudyData) -> str:
    """Mean probability before any thought and at each of the first arrivals."""
    parts = []
    for row in data.exits.iter_rows(named=True):
        if row["exit"] > len(ORDINALS) or row["probability"] is None:
            continue
        name = f"at the {ORDINALS[row['exit'] - 1]} arrival"
        place = name if row["exit"] else "before any thought"
        mean = probability(row["probability"])
        parts.append(f"{mean} {place} (n\u00a0=\u00a0{row['n']:,})")
    return f"Mean probability of the answer: {listed(parts)}." if parts else ""


def _right_against_wrong(data: StudyData) -> str:
    """Whether confidence at the first arrival tells right from wrong."""
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
    return f"At the first arrival that probability is {listed(parts)}."


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
