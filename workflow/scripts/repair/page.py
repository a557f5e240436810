"""The page's section on repair against damage: headline, tile, notes on figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.reader import is_reader
from doubletake.page.sections import Section, Tile
from doubletake.page.wording import count, listed, plural, points, real
from repair.page_findings import (
    arrivals_known,
    by_cause,
    caveats,
    form_of_answer,
    lost_and_gained,
    overall,
    shift_at_turns,
)
from repair.page_sheets import sheets
from repair.page_verdicts import (
    BETTER,
    NOT_SHOWN,
    UNTESTED,
    WORSE,
    arrivals_in_words,
    by_verdict,
    why_untested,
    with_test,
)
from repair.tables import ARRIVAL, DAMAGE, END, POOLED, REPAIR
from trial_points.tables import ARRIVAL as ARRIVAL_POINT

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def gains_of(data: StudyData) -> list[dict[str, Any]]:
    """The rows of `repair/gains` of each number of arrivals."""
    return data.tables["repair/gains"].filter(start=ARRIVAL).to_dicts()


def why_empty(data: StudyData) -> str | None:
    """Why there is nothing to report; None where there is something."""
    if ARRIVAL_POINT not in data.settings["trial_points"]["kinds"]:
        return "Not checked: trial_points.kinds of the config leaves arrivals out."
    thoughts = plural(data.tables["traces"].height, "thought")
    if data.tables["repair/arrivals"].is_empty():
        return f"Not checked: no arrival is known while one of {thoughts} runs."
    if not gains_of(data):
        return f"Not checked: arrivals of {thoughts} are known only at their ends."
    return None


def headline(data: StudyData) -> str:
    """After which arrivals thinking on gains or loses accuracy."""
    if (reason := why_empty(data)) is not None:
        return reason
    rows = gains_of(data)
    found = by_verdict(data, rows, "gain")
    if len(found[UNTESTED]) == len(rows):
        return (
            "Not checked: no arrival has thoughts on enough problems "
            f"({why_untested(data)}; {plural(rows[0]['n'], 'thought')} with "
            f"{arrivals_in_words(rows[:1])} before the end)."
        )
    wording = _reader_parts if is_reader(data) else _own_parts
    text = "; ".join(wording(data, found))
    if untested := found[UNTESTED]:
        are = "is" if len(untested) == 1 else "are"
        text += (
            f"; {arrivals_in_words(untested)} {are} not checked ({why_untested(data)})"
        )
    return f"{text[0].upper()}{text[1:]}."


def _own_parts(data: StudyData, found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Parts of the headline, where the model wrote the thoughts."""
    parts = []
    for verdict, verb in ((BETTER, "gains"), (WORSE, "loses")):
        for row in found[verdict]:
            parts.append(
                f"thinking on after {arrivals_in_words([row])} {verb} accuracy "
                f"({_tested(data, row)}; {real(row['tokens_after'])} tokens on average)"
            )
    if rows := found[NOT_SHOWN]:
        parts.append(
            f"after {arrivals_in_words(rows)} no gain or loss by thinking on is shown "
            f"({_each(data, rows)})"
        )
    return parts


def _reader_parts(data: StudyData, found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Parts of the headline, where another model may have written the thoughts."""
    parts = []
    for verdict, how in ((BETTER, "less"), (WORSE, "more")):
        for row in found[verdict]:
            parts.append(
                f"at {arrivals_in_words([row])} {data.model}, as a reader, is right "
                f"{how} often than the thoughts end right as they are written "
                f"({_tested(data, row)})"
            )
    if rows := found[NOT_SHOWN]:
        parts.append(
            f"at {arrivals_in_words(rows)} no difference is shown between the answers "
            f"of {data.model}, as a reader, and the ends of the thoughts as they are "
            f"written ({_each(data, rows)})"
        )
    return parts


def _tested(data: StudyData, row: dict[str, Any]) -> str:
    return with_test(data, row, "gain", "thought")


def _each(data: StudyData, rows: list[dict[str, Any]]) -> str:
    """The tests of several arrivals, each short."""
    if len(rows) == 1:
        return _tested(data, rows[0])
    return listed(
        [
            f"{points(row['gain'])} points, {data.between(row, points, 'gain')}, "
            f"n\u00a0=\u00a0{row['n']:,}"
            for row in rows
        ]
    )


def findings(data: StudyData) -> list[str]:
    """Rates, belief shifts, lost answers, causes, and what to keep in mind."""
    if why_empty(data) is not None:
        return []
    return [
        *overall(data),
        *shift_at_turns(data),
        *lost_and_gained(data),
        *by_cause(data),
        *form_of_answer(data),
        arrivals_known(data),
        *caveats(data),
    ]


def tiles(data: StudyData) -> list[Tile]:
    """The gain after the first arrival; none for a reader."""
    rows = [] if is_reader(data) or why_empty(data) else gains_of(data)
    return [
        Tile(
            points(row["gain"]),
            "points of accuracy by thinking on after the first arrival",
            f"{plural(row['n'], 'thought')} that run on after it is known; interval "
            f"{data.between(row, points, 'gain')}",
        )
        for row in rows
        if row["arrival"] == 1
    ]


def rate_cases(data: StudyData) -> str:
    """Number of answers behind the figure of rates."""
    rates = data.tables["repair/rates"].filter(pl.col("arrival").is_null(), until=END)
    n = {row["change"]: count(row["n"]) for row in rates.to_dicts()}
    wrong, right = n.get(REPAIR, "0"), n.get(DAMAGE, "0")
    return f"{wrong} wrong and {right} right answers at arrivals. {data.interval_note}"


def gain_cases(data: StudyData) -> str:
    """Number of arrivals behind the figure of gains."""
    pooled = data.tables["repair/gains"].filter(start=POOLED)
    n = int(pooled["n"].sum())
    thoughts = data.tables["repair/lost"].filter(pl.col("turns").is_null())
    whole = plural(int(thoughts["n"].sum()), "thought")
    return f"{plural(n, 'arrival')} of {whole}. {data.interval_note}"


def cause_cases(data: StudyData) -> str:
    """Number of arrivals behind the figure of causes."""
    causes = data.tables["repair/causes"]
    n = plural(int(causes["n"].sum()), "arrival")
    begun = int(causes["begun"].sum())
    return (
        f"{n}; at {count(begun)} of them the first sentence of the turn stands before "
        f"the point. {data.interval_note}"
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"rates": rate_cases, "gains": gain_cases, "causes": cause_cases},
    tiles=tiles,
)
