"""Findings on repair: rates, belief shifts, lost answers, causes, what limits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.reader import is_reader
from doubletake.page.wording import count, listed, percent, plural, points, real
from repair.page_verdicts import (
    BETTER,
    NOT_SHOWN,
    UNTESTED,
    WORSE,
    by_verdict,
    why_untested,
    with_test,
)
from repair.tables import (
    AHEAD,
    DAMAGE,
    DIFFERENCE,
    END,
    FORM,
    NO_TURN,
    POOLED,
    REPAIR,
    STRAIGHT,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

CAUSE_NAMES = {
    "slip": "a turn after a slip",
    "distractor": "a turn after a distractor",
    "open_word": "a turn after an open word",
    "none": "a turn without a cause",
    NO_TURN: "no turn",
}


def share(data: StudyData, row: dict[str, Any], name: str) -> str:
    """A share with its interval: "3.7% (1.9% to 7.2%)"."""
    return f"{percent(row[name])} ({data.between(row, percent, name)})"


def share_or_none(data: StudyData, row: dict[str, Any], name: str) -> str:
    """As `share`, of a part of the row's cases, whose problems are not counted."""
    if row[f"{name}_low"] is None:
        return f"{percent(row[name])} (no interval)"
    return share(data, row, name)


def overall(data: StudyData) -> list[str]:
    """Repair and damage until the end at all arrivals, and the price of the gain."""
    table = data.tables["repair/rates"].filter(pl.col("arrival").is_null(), until=END)
    rows = {row["change"]: row for row in table.to_dicts()}
    parts = []
    for change, now, later in (
        (REPAIR, "wrong", "right"),
        (DAMAGE, "right", "wrong"),
    ):
        if row := rows.get(change):
            answers = plural(row["n"], f"{now} answer")
            parts.append(f"{share(data, row, 'rate')} of {answers} end {later}")
    text = f"Of the answers forced at all arrivals, {listed(parts)}."
    if is_reader(data):
        return [f"{text} The thoughts end as they are written."]
    (row,) = data.tables["repair/gains"].filter(start=POOLED).to_dicts()
    return [
        f"{text} Accuracy at the end minus at the arrival is {points(row['gain'])} "
        f"points ({data.confidence:.0%} interval {data.between(row, points, 'gain')}) "
        f"over {plural(row['n'], 'arrival')} on {plural(row['problems'], 'problem')}, "
        f"for {real(row['tokens_after'])} tokens of thinking on: "
        f"{points(row['gain_per_100'])} points per 100 tokens "
        f"({data.between(row, points, 'gain_per_100')}). Thoughts with many arrivals "
        "count more here."
    ]


def shift_at_turns(data: StudyData) -> list[str]:
    """Whether the forced answer changes more often across a turn than without one."""
    rows = {row["turn"]: row for row in data.tables["repair/shifts"].to_dicts()}
    for turn, steps in ((AHEAD, "crosses a turn"), (STRAIGHT, "goes without a turn")):
        if turn not in rows:
            return [
                "How often the forced answer changes across a turn is not checked: no "
                f"step from an arrival to the next one, or to the end, {steps}."
            ]
    ahead, straight, both = rows[AHEAD], rows[STRAIGHT], rows[DIFFERENCE]
    if both["shift_low"] is None:
        says = "whether it changes more often across a turn is not checked"
    elif both["shift_low"] > 0:
        says = "it changes more often across a turn"
    elif both["shift_high"] < 0:
        says = "it changes less often across a turn"
    else:
        says = "no difference is shown"
    who = f"of {data.model}, as a reader, " if is_reader(data) else ""
    return [
        "From an arrival to the next one, or to the end, the forced answer "
        f"{who}changes in {share(data, ahead, 'shift')} of "
        f"{plural(ahead['n'], 'step')} that cross a turn and in "
        f"{share(data, straight, 'shift')} of "
        f"{plural(straight['n'], 'step')} that cross none; {says} (difference "
        f"{points(both['shift'])} points, {data.confidence:.0%} interval "
        f"{data.between(both, points, 'shift')}). This is not the effect of turning "
        "back: thoughts may turn where the answer is doubtful, and steps across a turn "
        f"have {real(ahead['tokens'])} tokens on average, the others "
        f"{real(straight['tokens'])}."
    ]


def lost_and_gained(data: StudyData) -> list[str]:
    """Thoughts that were right and end wrong, and the reverse."""
    table = data.tables["repair/lost"].filter(pl.col("turns").is_null())
    before = "are wrong at every arrival and end right"
    return [
        f"Of {plural(row['n'], 'thought')} with an arrival before the end, "
        f"{share(data, row, 'lost')} are right at an arrival and end wrong, and "
        f"{share(data, row, 'gained')} {before}. A thought with more arrivals has more "
        "chances to be right at one of them."
        for row in table.to_dicts()
    ]


def by_cause(data: StudyData) -> list[str]:
    """After which planted causes the forced answer gets better, and how it changes."""
    rows = data.tables["repair/causes"].to_dicts()
    tested = [row for row in rows if row["cause"] != NO_TURN]
    if not tested:
        return []
    found = by_verdict(data, tested, "change")
    parts = []
    for verdict, says in (
        (BETTER, "more answers are right after"),
        (WORSE, "fewer answers are right after"),
        (NOT_SHOWN, "no change of accuracy is shown after"),
    ):
        for row in found[verdict]:
            test = with_test(data, row, "change", "arrival")
            parts.append(f"{says} {CAUSE_NAMES[row['cause']]} ({test})")
    if found[UNTESTED]:
        names = listed([CAUSE_NAMES[row["cause"]] for row in found[UNTESTED]])
        parts.append(f"{names}: not checked ({why_untested(data)})")
    return [
        "By the planted cause, from the arrival to the next one or the end: "
        f"{'; '.join(parts)}.",
        *(_cause(data, row) for row in found[BETTER] + found[WORSE]),
        "The forced answer changes "
        + listed(
            [
                f"with {CAUSE_NAMES[row['cause']]} in {percent(row['shift'])} of "
                f"{count(row['n'])}"
                for row in rows
            ]
        )
        + " steps.",
    ]


def _cause(data: StudyData, row: dict[str, Any]) -> str:
    """Repair and damage with one cause."""
    parts = []
    if row["wrong"]:
        rate = share_or_none(data, row, "repair")
        parts.append(f"{rate} of {plural(row['wrong'], 'wrong answer')} are repaired")
    if right := row["n"] - row["wrong"]:
        rate = share_or_none(data, row, "damage")
        parts.append(f"{rate} of {plural(right, 'right answer')} are damaged")
    return f"With {CAUSE_NAMES[row['cause']]}, {listed(parts)} by the next arrival."


def form_of_answer(data: StudyData) -> list[str]:
    """What the form of the answer does by itself."""
    (row,) = data.tables["repair/gains"].filter(start=FORM).to_dicts()
    ends = (
        "Forced at the very end of the same thoughts, the answer is right in "
        f"{percent(row['accuracy'])}, and the thoughts\u2019 own answers are right in "
        f"{percent(row['end_accuracy'])} ({plural(row['n'], 'thought')})"
    )
    if is_reader(data):
        return [f"{ends}."]
    thoughts = data.tables["repair/arrivals"].filter(pl.col("tokens_after") > 0)
    differ = thoughts.unique("trace").filter(
        pl.col("forced_end_correct") != pl.col("end_correct")
    )
    if differ.is_empty():
        return [f"{ends}: both are right, or both wrong, in each of them."]
    if row["p"] is None:
        return [f"{ends}. Whether the form matters is not checked: too few differ."]
    test = (
        f"own minus forced {points(row['gain'])} points, {data.confidence:.0%} "
        f"interval {data.between(row, points, 'gain')}"
    )
    if row["p"] <= 1 - data.confidence:
        return [
            f"{ends}: the form of the answer matters by itself ({test}), so a part of "
            "the change until the end does not come from thinking on."
        ]
    return [f"{ends}: no effect of the form of the answer is shown ({test})."]


def arrivals_known(data: StudyData) -> str:
    """Which arrivals these are, and how many a detector of whole thoughts finds."""
    arrivals = data.tables["repair/arrivals"]
    late = int((arrivals["tokens_after"] == 0).sum())
    full = data.tables["events"].filter(kind="arrival").height
    detector = data.settings["events"]["detector"]
    text = (
        f"These are the {plural(int(arrivals['known'].sum()), 'arrival')} that a "
        "reader of the running thought knows (the causal detector), at "
        f"{plural(arrivals.height, 'trial point')}. {count(late)} of these points are "
        "the end of the thought and are left out. Of the "
        f"{plural(full, 'arrival')} that the detector {detector} finds in whole "
        f"thoughts, {count(int(arrivals['in_events'].sum()))} are among them."
    )
    points_table = data.tables["trial_points"]
    left_out = points_table.group_by("trace").agg(pl.col("left_out").first())
    if n := int(left_out["left_out"].sum()):
        text += (
            f" trial_points.most_points leaves out {plural(n, 'trial point')}, so some "
            "arrivals have no answer here."
        )
    return text


def caveats(data: StudyData) -> list[str]:
    """What the numbers do not show."""
    cut = (
        data.tables["repair/arrivals"]
        .filter(pl.col("tokens_after") > 0)
        .unique("trace")
        .join(data.tables["traces"], on="trace")["thought_end"]
    )
    sentences = [
        "Thoughts with a further arrival are other thoughts than those without it, so "
        "numbers at different arrivals show no course. Arrivals of one thought depend "
        "on each other; intervals and tests are over problems. Nothing was changed in "
        "the thoughts: what follows a turn need not come from it."
    ]
    if n := cut.null_count():
        sentences.append(
            f"{count(n)} of {plural(len(cut), 'thought')} were cut off before they "
            "closed; their end counts as wrong."
        )
    return sentences
