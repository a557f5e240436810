"""The report's sentences on decoding actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from decoding_actions.keywords import CGRS, CONTROL, NOWAIT, PARAGRAPH, S1
from decoding_actions.page_tables import example_sheet, summary_sheet, words_sheet
from doubletake.page.reader import is_reader
from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import count, listed, percent, plural, points, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

DONE = {
    NOWAIT: "forbidding backtrack words (NoWait)",
    CONTROL: "forbidding other words (the control)",
    CGRS: "forbidding backtrack words where the thought is certain (CGRS)",
    S1: "one more turn at the end (s1)",
}

CASES = ("thought", "problem")


def rows_of(data: StudyData) -> dict[str, dict[str, Any]]:
    """Rows of the summary by action."""
    summary = data.tables["decoding_actions/summary"]
    return {row["action"]: row for row in summary.to_dicts()}


def why_empty(data: StudyData) -> str | None:
    """Why no thought was decoded; None where some were."""
    if rows_of(data):
        return None
    if is_reader(data):
        return "Not checked: the thoughts come from a file and were not decoded again."
    return "Not checked: no thought was decoded with an action."


def headline(data: StudyData) -> str:
    """What NoWait and s1 do to accuracy and length."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    rows = rows_of(data)
    shown = [name for name in (NOWAIT, S1) if name in rows] or list(rows)
    text = "; ".join(f"{DONE[name]} {effect(data, rows[name])}" for name in shown)
    cases = plural(rows[shown[0]]["thoughts"], "thought")
    return f"{text[0].upper()}{text[1:]} ({cases}, paired with the whole thoughts)."


def effect(data: StudyData, row: dict[str, Any]) -> str:
    """What an action does to accuracy and length, as far as the intervals tell."""
    return f"{accuracy_effect(data, row)} and {length_effect(data, row)}"


def accuracy_effect(data: StudyData, row: dict[str, Any]) -> str:
    """The change of accuracy of a row of the summary, with its interval."""
    if not data.is_enough(row["problems"]):
        return (
            f"has no checked effect on accuracy ({plural(row['problems'], 'problem')})"
        )
    if row["change_low"] is None:
        if row["helped"] == row["harmed"] == 0:
            return "makes none of these answers right or wrong"
        return f"changes accuracy by {points(row['change'])} points on every problem"
    interval = data.between(row, points, "change")
    p = row["change_holm"]
    by = f"{points(row['change'])} points, interval {interval}, corrected p {p:.3f}"
    shown = p <= 1 - data.confidence
    if shown and row["change_low"] > 0:
        return f"raises accuracy ({by})"
    if shown and row["change_high"] < 0:
        return f"lowers accuracy ({by})"
    return f"has no effect on accuracy that can be told from 0 ({by})"


def length_effect(data: StudyData, row: dict[str, Any]) -> str:
    """The tokens of a row of the summary, trials included, with their interval."""
    low, high = row["total_rate_low"], row["total_rate_high"]
    interval = data.between(row, percent, "total_rate")
    share = f"{percent(row['total_rate'])} of the tokens, interval {interval}"
    if low is not None and low > 1:
        return f"makes thoughts longer ({share})"
    if high is not None and high < 1:
        return f"makes thoughts shorter ({share})"
    if low is None:
        return f"takes {share}"
    return f"has no effect on their length that can be told ({share})"


def findings(data: StudyData) -> list[str]:
    """The other actions, NoWait against its control, backtracks, what was left."""
    rows = rows_of(data)
    if not rows:
        return []
    sentences = []
    if CGRS in rows:
        row = rows[CGRS]
        text = f"{DONE[CGRS]} {effect(data, row)}"
        sentences.append(
            f"{text[0].upper()}{text[1:]}; its {plural(row['trials'], 'trial answer')} "
            f"are part of these tokens, without them it is {percent(row['kept_rate'])}."
            f" {_asked(data)}"
        )
    if NOWAIT in rows and CONTROL in rows:
        sentences.append(_control(data, rows[NOWAIT], rows[CONTROL]))
    sentences += [_backtracks(data, rows), *_limits(rows), *_words(data, rows)]
    return [*sentences, _repeated(data)]


def _asked(data: StudyData) -> str:
    """How CGRS asks here, and what differs from the paper."""
    place = data.settings["decoding_actions"]["cgrs_checkpoints"]
    paper = "" if place == PARAGRAPH else "; the paper asks after every paragraph"
    return f"It asks with the study\u2019s answer prompt after every {place}{paper}."


def _control(data: StudyData, row: dict[str, Any], control: dict[str, Any]) -> str:
    """NoWait against other words that are about as frequent."""
    accuracy = data.between(row, points, "over_control")
    tokens = data.between(row, percent, "tokens_over_control")
    text = (
        "The control forbids other words about as frequent "
        f"({real(control['forbidden'])} tokens of a whole thought, NoWait "
        f"{real(row['forbidden'])}) and {effect(data, control)}. Compared with the "
        f"control, the accuracy of NoWait is {side(row, 'over_control', 'higher')} "
        f"({points(row['over_control'])} points, interval {accuracy}), and the number "
        f"of its tokens is {side(row, 'tokens_over_control', 'higher')} "
        f"({percent(row['tokens_over_control'])} of the whole thoughts, interval "
        f"{tokens})."
    )
    if (row["change_high"] or 0) < 0 and side(row, "over_control", "") != "lower":
        text += " So its loss of accuracy may be that of forbidding any frequent words."
    return text


def side(row: dict[str, Any], name: str, higher: str) -> str:
    """On which side of 0 the interval of a difference lies, in words."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None:
        return "not told from it"
    if low > 0:
        return higher
    return "lower" if high < 0 else "not told from it"


def _backtracks(data: StudyData, rows: dict[str, dict[str, Any]]) -> str:
    """Backtracks per thought that the detector still finds."""
    parts = [
        f"{real(row['backtracks'], 2)} with {name} (change "
        f"{real(row['backtracks_change'], 2)}, interval "
        f"{data.between(row, lambda value: real(value, 2), 'backtracks_change')})"
        for name, row in rows.items()
    ]
    before = real(next(iter(rows.values()))["whole_backtracks"], 2)
    return f"The detector finds {before} backtracks per whole thought, {listed(parts)}."


def _limits(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Thoughts that an action could not reach, or that found no end."""
    sentences = []
    first = next(iter(rows.values()))
    if first["whole_accuracy"] in (0, 1):
        right, change = (
            ("right", "raise") if first["whole_accuracy"] else ("wrong", "lower")
        )
        sentences.append(
            f"All {count(first['thoughts'])} whole thoughts are {right}, so no action "
            f"can {change} accuracy here."
        )
    for name, row in rows.items():
        missed = row["thoughts"] - row["applied"]
        if missed:
            sentences.append(
                f"{plural(missed, 'thought')} without an end or without room could not "
                f"be prolonged by {name}, and count as unchanged."
            )
        if row["unclosed"]:
            thoughts = plural(row["unclosed"], "thought")
            sentences.append(
                f"With {name}, {thoughts} found no end within the limit. A thought "
                "without an end gives no answer, which counts as wrong."
            )
    return sentences


def _words(data: StudyData, rows: dict[str, dict[str, Any]]) -> list[str]:
    """Which words were forbidden, and what of them could not be."""
    words = data.tables["decoding_actions/words"]
    if NOWAIT not in rows or words.is_empty():
        return []
    own = words.filter(action=NOWAIT)
    used = own.filter(own["written"] > 0)["keyword"].to_list()
    left = own.filter(own["left_written"] > 0)
    text = (
        f"NoWait forbids {plural(own.height, 'word')}; the study\u2019s thoughts hold "
        f"{count(len(used))} of them ({listed(used)})."
        if used
        else f"The study\u2019s thoughts hold none of the {own.height} words of NoWait."
    )
    if left.height:
        names, times = listed(left["keyword"].to_list()), left["left_written"].sum()
        text += (
            " Some spellings could not be forbidden, because their first token begins "
            f"other words, too: of {names} ({plural(int(times), 'time')} in the study)."
        )
    spelled = rows[NOWAIT]["spelled"]
    if spelled:
        text += f" In other tokens, {real(spelled, 2)} per thought are still written."
    return [text]


def _repeated(data: StudyData) -> str:
    """How many thoughts without an action equal the study's own."""
    checks = data.tables["decoding_actions/verification"]
    plain = checks.filter(statistic="thoughts with another token")
    if plain.is_empty() or not plain["n"][0]:
        return "Decoding without an action is not checked: no thought was repeated."
    n = int(plain["n"][0])
    other = round(plain["value"][0] * n)
    equal = f"{count(n - other)} of {plural(n, 'thought')}"
    text = f"Decoded without an action, {equal} equal the study\u2019s token by token"
    if not other:
        return f"{text}, so differences come from the actions."
    return (
        f"{text}. Rounding depends on the batch and may have changed a token of the "
        "others, and of thoughts with an action, too."
    )


def sheets(data: StudyData) -> list[Sheet]:
    """Numbers by action, the forbidden words, places where thoughts part."""
    if not rows_of(data):
        return []
    found = [summary_sheet(data), words_sheet(data), example_sheet(data)]
    return [sheet for sheet in found if sheet.rows]


def action_cases(data: StudyData) -> str:
    """Number of thoughts behind the figure."""
    rows = rows_of(data)
    if not rows:
        return f"No thought. {data.interval_note}"
    row = next(iter(rows.values()))
    thoughts, problems = (plural(row[f"{name}s"], name) for name in CASES)
    every = count(data.tables["traces"].height)
    note = data.interval_note
    return f"{thoughts} on {problems}, drawn by seed from {every}. {note}"


SECTION = Section(
    headline=headline, findings=findings, sheets=sheets, cases={"actions": action_cases}
)
