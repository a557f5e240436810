"""The report's sentences on wrong samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.reader import is_reader
from doubletake.page.sections import Section
from doubletake.page.wording import count, listed, percent, plural, points, real
from wrong_samples.names import (
    AFRESH,
    END,
    FIRST,
    FURTHER,
    LAST,
    RANDOM,
    RESAMPLE,
    RIGHT,
    STEER,
    STEER_WAIT,
    STUDY,
    VOTE,
    WAIT,
    WRAP_UP,
    WRONG,
)
from wrong_samples.page_tables import sheets
from wrong_samples.verdicts import (
    DONE,
    Row,
    length,
    rate,
    rows_at,
    shows_more,
    tokens,
    verdict,
    wrong_rows,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

PUSHES = (STEER, WAIT, STEER_WAIT)
"""Actions that are to make a thought turn back."""


def why_empty(data: StudyData) -> str | None:
    """Why no wrong thought was continued; None where one was."""
    if wrong_rows(data):
        return None
    if is_reader(data):
        return "Not measured: the thoughts come from a file and were not continued."
    thoughts = data.tables["wrong_samples/thoughts"]
    own = thoughts.filter(pl.col("test"))
    wrong = own.filter(correct=False)
    if own.is_empty():
        return "Not measured: no problem is left that gave no direction."
    if wrong.is_empty():
        seen = f"{plural(own.height, 'thought')} on problems that gave no direction"
        return f"Not measured: none of {seen} ends wrong."
    return (
        f"Not measured: none of {plural(wrong.height, 'thought')} that end wrong has "
        "an arrival to continue from."
    )


def headline(data: StudyData) -> str:
    """Whether steering and a forced word mend more than resampling."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    rows = wrong_rows(data)
    pushes = [name for name in PUSHES if name in rows]
    plain = rows[RESAMPLE]
    cases = (
        f"{plural(plain['thoughts'], 'wrong thought')} on "
        f"{plural(plain['problems'], 'problem')}"
    )
    parts = [f"{DONE[name]} mends {rate(data, rows[name])}" for name in pushes]
    base = f"resampling alone {rate(data, plain)}"
    text = f"Of the continuations of {cases}, {listed([*parts, base])}"
    return f"{text}; {_conclusion(data, pushes)}.{_afresh(rows)}"


def _afresh(rows: dict[str, Row]) -> str:
    """What a new thought mends, for comparison: a description."""
    if AFRESH not in rows:
        return ""
    new = rows[AFRESH]
    spent = ", ".join(
        f"{DONE[name]} {real(rows[name]['tokens'])}" for name in PUSHES if name in rows
    )
    return (
        f" A new thought from the prompt mends {percent(new['changed'])} with "
        f"{real(new['tokens'])} tokens ({spent})."
    )


def _conclusion(data: StudyData, pushes: list[str]) -> str:
    """What the tests against resampling and against the vote say together."""
    rows = wrong_rows(data)
    if all(rows[name]["over_resample_holm"] is None for name in pushes):
        return "no difference is checked"
    more = [name for name in pushes if shows_more(data, rows[name], "over_resample")]
    if not more:
        return "none of them is shown to mend more than resampling alone"
    better = [name for name in more if _more_than_vote(data, rows, name)]
    verb = "mends" if len(more) == 1 else "mend"
    shown = f"{listed([DONE[name] for name in more])} {verb} more than resampling alone"
    if VOTE not in rows:
        return shown
    if better == more:
        return f"{shown}, also at equal cost"
    if not better:
        return f"{shown}, but this is not shown at equal cost"
    return f"{shown}; at equal cost only {listed([DONE[name] for name in better])}"


def _more_than_vote(
    data: StudyData, rows: dict[str, dict[str, Any]], name: str
) -> bool:
    """Whether an action mends more than a vote that spends at least as many tokens."""
    dear = rows[VOTE]["tokens"] >= rows[name]["tokens"] if VOTE in rows else False
    return dear and shows_more(data, rows[name], "over_vote")


def findings(data: StudyData) -> list[str]:
    """Mended and spoiled thoughts, costs, net change, wrap-ups, ends, cases."""
    if why_empty(data) is not None:
        return []
    wrong, right = wrong_rows(data), rows_at(data, RIGHT, LAST)
    return [
        *(_mended(data, name) for name in PUSHES if name in wrong),
        *_controls(data),
        *(_spoiled(data, name) for name in PUSHES if name in right),
        *_net(data),
        *_early(data),
        *_ends(data),
        _cases(data),
        _design(data),
        *_zero(data),
    ]


def _mended(data: StudyData, name: str) -> str:
    """A push on wrong thoughts against all its controls."""
    row = wrong_rows(data)[name]
    text = f"{DONE[name]} on wrong thoughts {verdict(data, row, 'over_resample')}"
    if VOTE in wrong_rows(data):
        text += f"; it {verdict(data, row, 'over_vote')}"
    if name != WAIT and RANDOM in wrong_rows(data):
        text += f"; it {verdict(data, row, 'over_random')}"
    turns = real(row["turns"], 2)
    plain = real(wrong_rows(data)[RESAMPLE]["turns"], 2)
    return (
        f"{text[0].upper()}{text[1:]}. It spends {tokens(data, row)}, and turns back "
        f"{turns} times per draw (resampling: {plain})."
    )


def _controls(data: StudyData) -> list[str]:
    """What the controls mend, as descriptions."""
    rows = wrong_rows(data)
    parts = [
        f"{DONE[name]} {rate(data, rows[name])}, {tokens(data, rows[name])}"
        for name in (RESAMPLE, VOTE, RANDOM, AFRESH)
        if name in rows
    ]
    return [f"Controls mend of the same wrong thoughts: {'; '.join(parts)}."]


def _spoiled(data: StudyData, name: str) -> str:
    """A push on right thoughts against resampling."""
    row = rows_at(data, RIGHT, LAST)[name]
    return (
        f"On right thoughts {DONE[name]} spoils {rate(data, row)} of the continuations "
        f"of {plural(row['thoughts'], 'thought')}; it "
        f"{verdict(data, row, 'over_resample')}."
    )


def _net(data: StudyData) -> list[str]:
    """The change if all thoughts of the study were treated so."""
    net = data.tables["wrong_samples/net"]
    rows = [row for row in net.to_dicts() if row["action"] in (*PUSHES, RESAMPLE)]
    if not rows:
        return []
    parts = [
        f"{DONE[row['action']]} {points(row['net'])} points (interval "
        f"{data.between(row, points, 'net')})"
        for row in rows
    ]
    first = rows[0]
    return [
        f"{percent(first['wrong_share'])} of the study\u2019s thoughts end wrong and "
        f"{percent(first['right_share'])} end right after an arrival. If all of them "
        "were continued from their last arrival, accuracy would change by: "
        f"{'; '.join(parts)}. The intervals hold these two shares fixed."
    ]


def _early(data: StudyData) -> list[str]:
    """Right thoughts that are wrapped up at their first arrival."""
    rows = rows_at(data, RIGHT, FIRST)
    sentences = []
    for name in (END, WRAP_UP):
        if name not in rows:
            continue
        row = rows[name]
        text = (
            f"From the first arrival of {plural(row['thoughts'], 'right thought')} on, "
            f"{DONE[name]} keeps {percent(row['accuracy'])} right, "
            f"{verdict(data, row, 'over_resample')}, and {length(data, row)}"
        )
        if name == WRAP_UP and RANDOM in rows:
            text += f"; it {verdict(data, row, 'over_random')}"
        elif name == WRAP_UP:
            text += "; random directions were not tried there"
        sentences.append(f"{text}.")
    return sentences


def _ends(data: StudyData) -> list[str]:
    """Continuations without an end; they count as wrong."""
    summary = data.tables["wrong_samples/summary"]
    parts = [
        f"{row['action']} {count(row['unclosed'])} of {count(row['draws'])} "
        f"({count(row['looped'])} in a loop)"
        for row in summary.group_by("action", maintain_order=True)
        .agg(pl.col("unclosed", "draws", "looped").sum())
        .to_dicts()
        if row["unclosed"] or row["looped"]
    ]
    if not parts:
        return ["All continuations close their thought, and none ends in a loop."]
    return [
        f"Continuations without an end of thought, which count as wrong: "
        f"{listed(parts)}."
    ]


def _cases(data: StudyData) -> str:
    """Where the thoughts come from."""
    thoughts = data.tables["wrong_samples/thoughts"].filter(pl.col("test"))
    own, further = (thoughts.filter(source=name) for name in (STUDY, FURTHER))
    wrong = count(own.filter(correct=False).height)
    text = (
        f"{wrong} of {plural(own.height, 'thought')} on problems that gave no "
        "direction end wrong"
    )
    if further.height:
        more = count(further.filter(correct=False).height)
        text += (
            f"; {more} of {plural(further.height, 'further thought')}, sampled because "
            "these were too few, end wrong too"
        )
    return f"{text}. Right thoughts are drawn by seed."


def _design(data: StudyData) -> str:
    """Direction, place and strength."""
    s = data.settings["wrong_samples"]
    return (
        f"The direction is {s['direction']}, added at every token after the cut, "
        f"the answer included, at {percent(s['layer'], 0)} of the depth with "
        f"{real(s['strength'], 2)} of the mean norm of the residual stream there; the "
        f"direction toward wrapping up with {real(s['wrap_up_strength'], 2)}. The "
        "config names them; they are not chosen on these thoughts."
    )


def _zero(data: StudyData) -> list[str]:
    """Whether strength 0 changes nothing."""
    checks = data.tables["wrong_samples/verification"]
    zero = checks.filter(statistic="continuations with another token")
    if zero.is_empty() or not zero["n"][0]:
        return ["A direction of strength 0 is not checked: none was added."]
    n = int(zero["n"][0])
    other = round(zero["value"][0] * n)
    return [
        f"With strength 0, {count(n - other)} of {plural(n, 'continuation')} equal "
        "those without a direction token by token."
    ]


def mended_cases(data: StudyData) -> str:
    """Number of thoughts behind the figure of mended and spoiled thoughts."""
    parts = []
    for start in (WRONG, RIGHT):
        row = rows_at(data, start, LAST).get(RESAMPLE)
        if row is not None:
            parts.append(
                f"{plural(row['thoughts'], f'{start} thought')} on "
                f"{plural(row['problems'], 'problem')}, "
                f"{plural(row['draws'], 'draw')} of each action"
            )
    return f"{'; '.join(parts) or 'No thought'}. {data.interval_note}"


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"mended": mended_cases, "cost": mended_cases},
)
