"""The report's sentences and tables on twins and on the planted causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import count, listed, percent, plural, points, probability
from twins.tables import MANY_TURNS

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

NAMES = {"slip": "a slip", "distractor": "a distractor", "open_word": "an open word"}
"""Causes in sentences."""
NOT_CHECKED = "not checked"


def why_empty(data: StudyData) -> str | None:
    """Why no effect was measured; None where one was."""
    if data.tables["truth/verification"].is_empty():
        return "Not checked: the model\u2019s card names no planted language."
    if data.tables["truth"].is_empty():
        return "Not checked: no boundary of the planted language was read."
    if measured(data).is_empty():
        return (
            "Not checked: no context before the first turn has exactly one planted "
            "cause and a twin without it."
        )
    return None


def measured(data: StudyData) -> pl.DataFrame:
    """The causes with measured pairs, rows of `twins/summary`."""
    return data.tables["twins/summary"].filter(pl.col("pairs") > 0)


def headline(data: StudyData) -> str:
    """For which causes the effect differs from 0, compared with the twins."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    rows = measured(data).to_dicts()
    n = plural(sum(row["pairs"] for row in rows), "pair")
    by_verdict: dict[str, list[str]] = {}
    for row in rows:
        by_verdict.setdefault(verdict_of(row), []).append(NAMES[row["cause"]])
    if list(by_verdict) == [NOT_CHECKED]:
        return f"Not checked: {n} lie on too few problems for an interval."
    if len(by_verdict) == 1 and len(rows) == len(NAMES):
        text = f"{next(iter(by_verdict))} for all three causes"
    else:
        text = "; ".join(
            f"{word} for {listed(by_verdict[word])}" for word in by_verdict
        )
    return (
        "Compared with the same contexts without the cause, the effect of the cause on "
        f"the probability of turning back is {text} ({n})."
    )


def verdict_of(row: dict[str, Any]) -> str:
    """What the interval of an effect says; `row` is of `twins/summary`."""
    if row["low"] is None:
        return NOT_CHECKED
    if row["low"] > 0:
        return "positive"
    return "negative" if row["high"] < 0 else "not told from 0"


def findings(data: StudyData) -> list[str]:
    """The effects beside the planted ones, pairs that were not built, the rates."""
    if data.tables["truth"].is_empty():
        return []
    sentences = [_effect(data, row) for row in measured(data).to_dicts()]
    refused = data.tables["twins"].filter(pl.col("refused").is_not_null())
    if refused.height:
        reasons = refused["refused"].value_counts(sort=True).iter_rows()
        parts = [f"{reason} ({count(n)})" for reason, n in reasons]
        drawn = plural(data.tables["twins"].height, "drawn context")
        sentences.append(
            f"{count(refused.height)} of {drawn} gave no pair: {'; '.join(parts)}."
        )
    return [*sentences, *_rates(data), _unread(data)]


def _effect(data: StudyData, row: dict[str, Any]) -> str:
    name = NAMES[row["cause"]].capitalize()
    return (
        f"{name}: the model turns with probability {probability(row['turn_with'])} "
        f"with the cause and {probability(row['turn_without'])} without it, "
        f"{points(row['effect'])} points ({data.confidence:.0%} interval "
        f"{data.between(row, points)}; planted "
        f"{points(row['planted_effect'])}; {plural(row['pairs'], 'pair')} on "
        f"{plural(row['problems'], 'problem')})."
    )


def _rates(data: StudyData) -> list[str]:
    """How far the rates of turning lie from the planted ones."""
    rates = data.tables["twins/rates"]
    if rates.is_empty():
        return []
    if rates["low"].count() == 0:
        return ["The rates of turning are not checked: too few problems."]
    rates = rates.drop_nulls("low")
    apart = rates.with_columns(distance=(pl.col("rate") - pl.col("planted")).abs())
    row = apart.sort("distance", descending=True).row(0, named=True)
    group = NAMES.get(
        row["cause"], f"no cause after {plural(row['turns'] or 0, 'turn')}"
    )
    boundaries = plural(int(rates["boundaries"].sum()), "boundary", "boundaries")
    return [
        f"In the study\u2019s thoughts the rate of turning lies at most "
        f"{points(row['distance']).lstrip('+')} points from the planted one (with "
        f"{group}: {percent(row['rate'])}, interval "
        f"{percent(row['low'])} to {percent(row['high'])}, at "
        f"{plural(row['boundaries'], 'boundary', 'boundaries')}, planted "
        f"{percent(row['planted'])}); {boundaries} in all."
    ]


def _unread(data: StudyData) -> str:
    choice = data.tables["truth"]["choice"]
    n = plural(len(choice), "boundary", "boundaries")
    return (
        f"At {count(choice.null_count())} of {n} the sentence is not of the planted "
        "language; these are left out of the rates."
    )


def sheets(data: StudyData) -> list[Sheet]:
    """The effects of the causes, and the rates of turning."""
    rows = data.tables["twins/summary"].to_dicts()
    rates = data.tables["twins/rates"].to_dicts()
    tables = [_effects_sheet(rows)] if rows else []
    return tables + ([_rates_sheet(data, rates)] if rates else [])


def _effects_sheet(rows: list[dict[str, Any]]) -> Sheet:
    cells = [
        (
            _plain(row["cause"]),
            count(row["drawn"]),
            count(row["pairs"]),
            percent(row["aligned"], 0),
            *(
                probability(row[f"{name}_{side}"])
                for name in ("planted", "turn", "raw")
                for side in ("with", "without")
            ),
        )
        for row in rows
    ]
    columns = (
        *("cause", "drawn", "pairs", "aligned", "planted with", "planted without"),
        *("model with", "model without", "raw with", "raw without"),
    )
    return Sheet(
        "Probability of turning with and without each cause",
        columns,
        tuple(cells),
        note="Means over pairs. Aligned: both contexts have equally many tokens, which "
        "differ only at the changed places. Raw: at temperature 1, without top-p.",
    )


def _rates_sheet(data: StudyData, rates: list[dict[str, Any]]) -> Sheet:
    cells = [
        (
            "none" if row["turns"] is not None else _plain(row["cause"]),
            "all" if row["turns"] is None else _turns(row["turns"]),
            count(row["boundaries"]),
            count(row["problems"]),
            percent(row["planted"]),
            percent(row["rate"]),
            data.between(row, percent),
        )
        for row in rates
    ]
    columns = ("cause", "turns before", "boundaries", "problems")
    return Sheet(
        "Rates of turning in the study\u2019s thoughts",
        (*columns, "planted", "turns", "interval"),
        tuple(cells),
        note=data.interval_note,
    )


def _turns(number: int) -> str:
    return f"{number}+" if number == MANY_TURNS else f"{number}"


def _plain(cause: str) -> str:
    return NAMES[cause].split(maxsplit=1)[1]


def effect_cases(data: StudyData) -> str:
    """Number of pairs behind the figure of effects."""
    parts = [
        f"{_plain(row['cause'])} {plural(row['pairs'], 'pair')} on "
        f"{plural(row['problems'], 'problem')}"
        for row in measured(data).to_dicts()
    ]
    return f"{listed(parts) or 'No pair'}. {data.interval_note}"


def rate_cases(data: StudyData) -> str:
    """Number of boundaries behind the figure of rates."""
    n = int(data.tables["twins/rates"]["boundaries"].sum())
    read = plural(n, "boundary", "boundaries")
    return f"{read} that the reader read. {data.interval_note}"


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"effects": effect_cases, "rates": rate_cases},
)
