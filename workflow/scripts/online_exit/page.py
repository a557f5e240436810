"""The report's sentences on online exit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import (
    NOTHING,
    count,
    listed,
    percent,
    plural,
    real,
    significant,
)
from online_exit.reading import END_RULE, with_savings
from online_exit.tables import (
    ALONE,
    GREEDY,
    MODES,
    OTHER_POINTS,
    POINTS,
    REASONS,
    SAMPLED,
    SCORE,
    SHARED,
    THINKING,
    TOKEN,
    TRIAL_ANSWER,
    UNEXPLAINED,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

WHY = {
    TOKEN: "another token of the thought itself",
    OTHER_POINTS: "other points",
    TRIAL_ANSWER: "another token of a trial answer",
    SCORE: "a score within rounding of its threshold",
    UNEXPLAINED: "no reason that was found",
}
LOOKS = {
    "marker": "a look at the end marker",
    "entropy": "a look at the entropy after it",
    "trial": "a trial answer",
    "probe": "a score of a probe",
}


def why_empty(data: StudyData) -> str | None:
    """Why nothing was decoded; None where something was."""
    if not data.tables["online_exit"].is_empty():
        return None
    reasons = data.tables["online_exit/rules"]["why_not"].drop_nulls()
    reason = reasons[0] if len(reasons) else "no rule was run"
    return f"Not checked: {reason}."


def headline(data: StudyData) -> str:
    """In how many runs decoding and replay are equal."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    rows = data.tables["online_exit"]
    equal, rules = int(rows["equal"].sum()), rows["rule"].n_unique()
    cases = (
        f"{plural(rules, 'rule')} on {plural(rows['trace'].n_unique(), 'thought')}, "
        f"{listed(modes_of(rows))}"
    )
    if equal == rows.height:
        return (
            f"Where the replay stops a thought, decoding stops it, too: equal in all "
            f"{count(equal)} runs ({cases})."
        )
    return (
        f"Decoding stops a thought as the replay does in {count(equal)} of "
        f"{plural(rows.height, 'run')} ({cases})."
    )


def modes_of(rows: pl.DataFrame) -> list[str]:
    """The modes that were run, in order."""
    return [mode for mode in MODES if mode in set(rows["mode"])]


def findings(data: StudyData) -> list[str]:
    """What was compared, where it differs and why, and the times."""
    if why_empty(data) is not None:
        return []
    rows = data.tables["online_exit"]
    said = [_compared(data, rows)]
    said += [
        _differences(rows.filter(reason=reason), reason)
        for reason in REASONS
        if reason in set(rows["reason"])
    ]
    return [*said, *_not_run(data), *_steps(data), *_savings(data)]


def _compared(data: StudyData, rows: pl.DataFrame) -> str:
    stopped = rows.filter("stopped")
    ahead = stopped["read"] - stopped["kept"]
    text = (
        "Each run is compared with the same rule on the finished thought, whose trial "
        "answers were computed apart: equal means the same tokens, the same looks, the "
        "same tokens of each trial answer and the same stop. "
        f"{count(stopped.height)} runs stopped before the end"
    )
    if stopped.height:
        text += (
            f", {real(float(ahead.to_numpy().mean()))} tokens read ahead in the mean"
        )
    rest = (
        "Sampled thoughts have the random numbers of the study\u2019s own and are "
        "compared with these. "
        if SAMPLED in modes_of(rows)
        else ""
    )
    if GREEDY in modes_of(rows) and rest:
        rest += "Greedy ones are compared with whole greedy thoughts of the same run. "
    share = "Rules that have not stopped yet share the tokens of a thought."
    return f"{text}. {rest}{share}"


def _differences(rows: pl.DataFrame, reason: str) -> str:
    rules = listed(sorted(rows["rule"].unique()))
    gaps = rows["gap"].drop_nulls().to_numpy()
    gap = f"; the choice there was open by {significant(gaps.max())} at most"
    return (
        f"{plural(rows.height, 'run')} differ by {WHY[reason]} ({rules})"
        f"{gap if len(gaps) else ''}."
    )


def _not_run(data: StudyData) -> list[str]:
    rules = data.tables["online_exit/rules"].filter(pl.col("why_not").is_not_null())
    reasons = rules.unique("why_not", maintain_order=True)
    found = []
    for why in reasons["why_not"]:
        modes = rules.filter(why_not=why)["mode"].unique().sort()
        found.append(f"Not checked ({', '.join(modes)}): {why}.")
    return found


def _steps(data: StudyData) -> list[str]:
    """What the single steps take."""
    steps = {
        (row["what"], row["prefix"]): row
        for row in data.tables["online_exit/latency"].to_dicts()
    }
    if (THINKING, None) not in steps:
        return ["Times: not checked, because no thought was timed."]
    token, points = steps[THINKING, None], steps[POINTS, None]
    text = (
        f"One thought at a time, a token takes {milliseconds(token['median'])} in the "
        f"median, and to find the points in it {milliseconds(points['median'])}"
    )
    looks = [
        f"{LOOKS[what]} {milliseconds(steps[what, SHARED]['median'])} "
        f"({milliseconds(steps[what, ALONE]['median'])})"
        for what in LOOKS
        if (what, SHARED) in steps
    ]
    if looks:
        text += (
            f". On a branch of the running cache, and in brackets with the whole "
            f"prefix read again: {listed(looks)}"
        )
    return [f"{text} ({plural(token['n'], 'token')}, on the machine of this run)."]


def _savings(data: StudyData) -> list[str]:
    """Which rules save time."""
    rows = with_savings(data.tables["online_exit/latency_rules"])
    rows = rows.filter(~pl.col("rule").is_in([END_RULE, "no_thought"]))
    if rows.is_empty():
        return []
    shared, alone = (
        int((rows[f"saved_{name}"] > 0).sum()) for name in ("shared", "alone")
    )
    best = rows.sort("saved_shared", descending=True).row(0, named=True)
    return [
        f"Composed of these medians and of the counts of each rule, {count(shared)} "
        f"of {plural(rows.height, 'rule')} take less time than the whole thoughts if "
        f"looks share the cache, and {count(alone)} if each look reads its prefix again. "
        f"{best['rule']} saves most: {percent(best['saved_shared'])} of the time. "
        "A look at the end marker counts as a pass of one token; a decoder that keeps "
        "its last logits has it for nothing."
    ]


def milliseconds(seconds: float) -> str:
    """0.0041 as "4.1 ms"."""
    return f"{significant(1000 * seconds)}\u202fms"


def sheets(data: StudyData) -> list[Sheet]:
    """Rules against their replay, steps, and seconds under each rule."""
    if why_empty(data) is not None:
        return []
    found = [_rules_sheet(data)]
    if not data.tables["online_exit/latency"].is_empty():
        found += [_steps_sheet(data), _seconds_sheet(data)]
    return found


def _rules_sheet(data: StudyData) -> Sheet:
    rows = data.tables["online_exit/rules"].to_dicts()
    names = list(dict.fromkeys(row["rule"] for row in rows))
    by_key = {(row["rule"], row["mode"]): row for row in rows}
    modes = modes_of(data.tables["online_exit"])
    cells = []
    for name in names:
        own = [by_key[name, mode] for mode in modes]
        cells.append((name, *(text for row in own for text in _equal_cells(row))))
    columns = [f"{mode}, {what}" for mode in modes for what in ("equal", "stopped")]
    return Sheet(
        title="Runs in which decoding and replay are equal, by rule",
        columns=("rule", *columns),
        rows=tuple(cells),
        note="A dash: the rule was not run; the reason stands above.",
    )


def _equal_cells(row: dict[str, Any]) -> tuple[str, str]:
    if row["thoughts"] is None:
        return NOTHING, NOTHING
    return f"{row['equal']} of {row['thoughts']}", count(row["stopped"])


def _steps_sheet(data: StudyData) -> Sheet:
    rows = data.tables["online_exit/latency"].to_dicts()
    return Sheet(
        title="Times of single steps",
        columns=("step", "prefix", "n", "median, ms", "90th percentile, ms"),
        rows=tuple(
            (
                row["what"],
                row["prefix"] or NOTHING,
                count(row["n"]),
                significant(1000 * row["median"]),
                significant(1000 * row["high"]),
            )
            for row in rows
        ),
        words=(0, 1),
        note="One thought at a time. `shared`: on a branch of the running cache; "
        "`alone`: the whole prefix is read again.",
    )


def _seconds_sheet(data: StudyData) -> Sheet:
    rows = with_savings(data.tables["online_exit/latency_rules"])
    names = ("thinking", "finding", "deciding", "looking_shared", "looking_alone")
    return Sheet(
        title="Seconds under each rule",
        columns=(
            "rule",
            "to the end",
            "thinking",
            "finding points",
            "deciding",
            "looks, shared",
            "looks, alone",
            "saved, shared",
            "saved, alone",
        ),
        rows=tuple(
            (
                row["rule"],
                real(row["to_the_end"], 2),
                *(real(row[name], 2) for name in names),
                percent(row["saved_shared"]),
                percent(row["saved_alone"]),
            )
            for row in rows.sort("saved_shared", descending=True).to_dicts()
        ),
        note="Sums over the thoughts, composed of counts and median times. Saved: of "
        "the time to the end.",
        folded=True,
    )


def latency_cases(data: StudyData) -> str:
    """What the figure is composed of."""
    rows = data.tables["online_exit/latency_rules"]
    if rows.is_empty():
        return why_empty(data) or "Not checked: no thought was timed."
    steps = data.tables["online_exit/latency"].filter(what=THINKING)
    return (
        f"Counts of {plural(int(rows['thoughts'].to_numpy().max()), 'thought')}, times "
        f"of {plural(int(steps['n'].sum()), 'token')} and the looks among them."
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"latency": latency_cases},
)
