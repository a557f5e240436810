"""Tables of the page on published numbers: statements, numbers, sources and rules."""

from typing import Any

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import POINT, count, percent, points, probability, real
from reproduction.tables import DIFFERENCE, LEVEL, OURS, PUBLISHED, SHAPE

IN_WORDS = {PUBLISHED: "the published recipe", OURS: "our recipe"}
MANY = "exit_logit_"
"""Beginning of the names of claims that have a table of their own."""


def sheets_of(rows: pl.DataFrame, name: str, confidence: float) -> list[Sheet]:
    """The main table, the logits of all exits, and how each claim is judged."""
    many = pl.col("claim").str.starts_with(MANY)
    single = rows.filter(~many)
    return [
        _compared(
            single.filter(kind=SHAPE),
            f"Published statements beside {name}",
            "A statement can hold for any model, and has a test of its own; the table "
            "of sources names it. Differences of shares are in points.",
            folded=False,
        ),
        _compared(
            single.filter(kind=LEVEL),
            f"Published numbers beside {name}",
            f"In parentheses: {percent(confidence, 0)} intervals over problems; n: "
            "cases. A number depends on the model. So it is compared only with the "
            "same model and problems, and the interval must contain it. The published "
            "numbers have no interval, so a small difference can be theirs.",
            folded=False,
        ),
        _compared(
            rows.filter(many),
            f"Logits of all published exits beside {name}",
            "As above.",
            folded=True,
        ),
        _sources(rows, name),
    ]


def _compared(rows: pl.DataFrame, title: str, note: str, *, folded: bool) -> Sheet:
    """One line per claim: what was published, and both recipes."""
    cells: dict[str, dict[str, Any]] = {}
    for row in rows.iter_rows(named=True):
        cells.setdefault(row["claim"], {})[row["recipe"]] = row
    parts = [pair[OURS]["part"] for pair in cells.values()]
    before = ["", *parts[:-1]]
    return Sheet(
        title,
        ("", "quantity", "published", "by the published recipe", "by our recipe"),
        tuple(
            (
                part if part != last else "",
                pair[OURS]["quantity"],
                _stated(pair[OURS]),
                _cell(pair[PUBLISHED]),
                _cell(pair[OURS]),
            )
            for part, last, pair in zip(parts, before, cells.values(), strict=True)
        ),
        (0, 1, 2, 3, 4),
        note,
        folded,
    )


def _stated(row: dict[str, Any]) -> str:
    """The published number where one entry has several, else the statement."""
    if row["claim"].startswith((MANY, "context_part_")):
        return _number(row["published"], row["unit"])
    return row["stated"]


def _cell(row: dict[str, Any]) -> str:
    """The number of a recipe, and the verdict on it."""
    if row["value"] is None:
        return row["verdict"]
    text = _number(row["value"], row["unit"])
    if row["value_low"] is not None and row["value_high"] is not None:
        low, high = (
            _number(row[f"value_{end}"], row["unit"]) for end in ("low", "high")
        )
        text += f" ({low} to {high})"
    if row["cases"] is not None:
        text += f", n{POINT}{count(row['cases'])}"
    note = f"; {row['note']}" if row["note"] else ""
    return f"{row['verdict']}: {text}{note}"


def _number(value: float, unit: str) -> str:
    """A number in its unit."""
    if unit == "share":
        return percent(value)
    if unit == DIFFERENCE:
        return points(value)
    if unit == "probability":
        return probability(value)
    if unit.startswith(("boundary", "1:")):
        return real(value, 0)
    return real(value, 2)


def _sources(rows: pl.DataFrame, name: str) -> Sheet:
    """How every claim was measured and is judged, and why it was not compared."""
    single = rows.filter(~pl.col("claim").str.starts_with(MANY))
    cells: dict[str, dict[str, Any]] = {}
    for row in single.iter_rows(named=True):
        cells.setdefault(row["claim"], {})[row["recipe"]] = row
    works = rows.select("source", "published_model", "published_dataset").unique(
        maintain_order=True
    )
    numbers = {source: k for k, source in enumerate(works["source"], 1)}
    listed_works = " ".join(
        f"[{numbers[source]}] {source}: {model} on {dataset}."
        for source, model, dataset in works.iter_rows()
    )
    return Sheet(
        f"Sources, rules and reasons, {name}",
        ("quantity", "source", "published recipe", "reproduced if", "not compared"),
        tuple(
            (
                pair[OURS]["quantity"],
                f"[{numbers[pair[OURS]['source']]}]",
                pair[OURS]["published_recipe"],
                pair[OURS]["rule"],
                _reasons(pair),
            )
            for pair in cells.values()
        ),
        (0, 1, 2, 3, 4),
        f"{listed_works} All of it, with tables and columns: "
        "reproduction/reproduction.parquet.",
        folded=True,
    )


def _reasons(pair: dict[str, dict[str, Any]]) -> str:
    """Why a recipe was not compared; one sentence where both have the same reason."""
    reasons = {recipe: row["why"] for recipe, row in pair.items() if row["why"]}
    if len(set(reasons.values())) == 1 and len(reasons) == len(pair):
        return next(iter(reasons.values()))
    return "; ".join(
        f"{IN_WORDS[recipe]}: {reason}" for recipe, reason in reasons.items()
    )
