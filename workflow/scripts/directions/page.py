"""The report's sentences and tables on directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from directions.tables import PROBE
from doubletake.page.sections import Section, Sheet
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
    from doubletake.page.study_data import StudyData

TOWARD, AWAY, NOT_TOLD = "toward", "away", "not told from chance"
NOT_CHECKED = "not checked"


def there(data: StudyData) -> pl.DataFrame:
    """Rows of `directions` of the directions that exist."""
    return data.tables["directions"].filter(pl.col("why_not").is_null())


def chosen(data: StudyData) -> pl.DataFrame:
    """Rows of `directions/held_out` at the chosen boundaries."""
    return data.tables["directions/held_out"].filter("chosen")


def verdict_of(data: StudyData, row: dict[str, Any]) -> str:
    """What the tests on the pairs of other problems say of a direction.

    It must differ from chance, and on the same side from shuffled labels: these share
    all that the place in the thought tells (Berger 1982, intersection-union test).

    Args:
        data: with the confidence.
        row: of `chosen`.
    """
    if row["p"] is None or row["beyond_low"] is None:
        return NOT_CHECKED
    if row["p"] > 1 - data.confidence:
        return NOT_TOLD
    if row["ordered"] > 0.5 and row["beyond_low"] > 0:
        return TOWARD
    return AWAY if row["ordered"] < 0.5 and row["beyond_high"] < 0 else NOT_TOLD


def headline(data: StudyData) -> str:
    """Which directions put turns above their controls in other problems."""
    if there(data).is_empty():
        return "Not checked: no direction could be fitted."
    by_verdict: dict[str, list[dict[str, Any]]] = {}
    for row in chosen(data).to_dicts():
        by_verdict.setdefault(verdict_of(data, row), []).append(row)
    unchecked = by_verdict.pop(NOT_CHECKED, [])
    if not by_verdict:
        return "Not checked: too few matched pairs on problems without a direction."
    names = {
        verdict: [row["direction"] for row in rows]
        for verdict, rows in by_verdict.items()
    }
    n = plural(
        max(row["pairs"] for rows in by_verdict.values() for row in rows), "pair"
    )
    toward, away, unknown = (names.get(key, []) for key in (TOWARD, AWAY, NOT_TOLD))
    text = (
        f"{listed(toward) or 'no direction'} {'put' if len(toward) > 1 else 'puts'} "
        "turns above their matched controls more often than chance and than shuffled "
        "labels"
    )
    if away:
        text += f"; {listed(away)} {'do' if len(away) > 1 else 'does'} so less often"
    if unknown and toward:
        text += f"; {listed(unknown)} cannot be told from one of them"
    if unchecked:
        text += f"; not checked: {listed([row['direction'] for row in unchecked])}"
    return f"In problems that gave no direction, {text} (at most {n} each)."


def findings(data: StudyData) -> list[str]:
    """Parts, absent directions, lengths beside shuffled labels, cosines, units."""
    if data.tables["directions/problems"].is_empty():
        return []
    parts = data.tables["directions/problems"]["part"].value_counts()
    sizes = dict(parts.iter_rows())
    sentences = [
        f"{plural(sizes.get('fit', 0), 'problem')} give the directions, and "
        f"{count(sizes.get('test', 0))} others judge them."
    ]
    absent = data.tables["directions"].filter(pl.col("why_not").is_not_null())
    reasons = absent.unique("direction", maintain_order=True)
    sentences += [
        f"There is no direction {row['direction']}: {row['why_not']}."
        for row in reasons.to_dicts()
    ]
    return [*sentences, *_lengths(data), *_alike(data), *_units(data)]


def at_chosen(data: StudyData) -> list[dict[str, Any]]:
    """Rows of `directions` at the chosen boundaries."""
    keys = ["direction", "boundary"]
    joined = there(data).join(chosen(data).select(keys), on=keys)
    return joined.to_dicts()


def _lengths(data: StudyData) -> list[str]:
    """Which directions are longer than the same recipe with shuffled labels."""
    rows = at_chosen(data)
    if not rows:
        return []
    draws = data.settings["directions"]["shuffles"]
    longer, other = (
        [
            row["direction"]
            for row in rows
            if (row["separation"] > row["shuffled_highest"]) == flag
        ]
        for flag in (True, False)
    )
    text = (
        f"{listed(longer) or 'No direction'} {'are' if len(longer) > 1 else 'is'} "
        f"longer than in each of {plural(draws, 'draw')} of labels shuffled within "
        "problems"
    )
    if other:
        text += f"; {listed(other)} {'are' if len(other) > 1 else 'is'} not"
    return [f"{text}. By chance, one in {draws + 1} would be longer than all."]


def _alike(data: StudyData) -> list[str]:
    """How alike the refit probe and the means are, beside shuffled labels."""
    own = chosen(data).filter(direction=PROBE)
    if own.is_empty():
        return []
    boundary = own["boundary"][0]
    rows = data.tables["directions/cosines"].filter(
        (pl.col("first") == PROBE) | (pl.col("second") == PROBE), boundary=boundary
    )
    if rows.is_empty():
        return []
    parts = [
        f"{row['second'] if row['first'] == PROBE else row['first']} "
        f"{real(row['cosine'], 2)} ({real(row['shuffled'], 2)})"
        for row in rows.sort("cosine", descending=True).to_dicts()
    ]
    return [
        f"Cosine of the probe at boundary {boundary} with other directions, and its "
        f"mean size with shuffled labels: {listed(parts)}."
    ]


def _units(data: StudyData) -> list[str]:
    """The hidden units near the probe, or why there are none."""
    units = data.tables["directions/units"]
    if units.is_empty():
        runs = data.tables["directions/runs"]
        notes = [note for note in runs["note"] if note]
        return [f"{note[0].upper()}{note[1:]}." for note in notes]
    best = units.filter(side="for").head(1).to_dicts()
    layers = sorted(set(units["layer"]))
    text = (
        f"{plural(units.height, 'hidden unit')} of layers {layers[0]} to {layers[-1]}"
    )
    top = f", the highest with cosine {real(best[0]['cosine'], 2)}" if best else ""
    return [f"{text} have the value vectors nearest to the probe{top}."]


def sheets(data: StudyData) -> list[Sheet]:
    """All directions, with their cases, lengths and test pairs."""
    keys = ["direction", "boundary"]
    joined = there(data).join(
        chosen(data).drop("problems"), on=keys, how="inner", maintain_order="left"
    )
    if joined.is_empty():
        return []
    cells = [
        (
            row["direction"],
            count(row["cases"]),
            count(row["problems"]),
            count(row["boundary"]),
            real(row["separation"], 3),
            real(row["shuffled_separation"], 3),
            count(row["pairs"]),
            percent(row["ordered"]),
            NOTHING
            if row["low"] is None
            else f"{percent(row['low'])} to {percent(row['high'])}",
            percent(row["shuffled"]),
            NOTHING
            if row["beyond_low"] is None
            else f"{points(row['beyond_low'])} to {points(row['beyond_high'])}",
            probability(row["p"]),
        )
        for row in joined.to_dicts()
    ]
    columns = (
        *("direction", "cases", "problems", "boundary", "length", "shuffled"),
        *("test pairs", "in order", "interval", "shuffled", "points beyond", "p"),
    )
    sheet = Sheet(
        "Directions and how they order matched pairs of other problems",
        columns,
        tuple(cells),
        note="Length: in mean norms of the residual stream at the boundary, which is "
        "chosen on the problems of the fit. In order: the turn lies further along the "
        "direction than its control (wrap_up: the wrap-up). Points beyond: in order "
        "minus shuffled, interval. p: score test of 50%, "
        f"corrected for the number of directions. {data.interval_note}",
    )
    return [sheet]


def separation_cases(data: StudyData) -> str:
    """Number of cases behind the figure of lengths."""
    rows = there(data).unique("direction", maintain_order=True).to_dicts()
    parts = [f"{row['direction']} {count(row['cases'])}" for row in rows]
    return f"Cases: {listed(parts)}." if parts else "No direction."


def pair_cases(data: StudyData) -> str:
    """Number of pairs behind the figure of test pairs."""
    rows = chosen(data)
    if rows.is_empty():
        return "No matched pair on the test problems."
    pairs, problems = (max(rows[name].to_list()) for name in ("pairs", "problems"))
    return (
        f"At most {plural(pairs, 'pair')} on {plural(problems, 'problem')} for a "
        f"direction. {data.interval_note}"
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"separation": separation_cases, "test_pairs": pair_cases},
)
