"""The page's part on published numbers beside those of the studies."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import (
    count,
    listed,
    percent,
    plural,
    points,
    probability,
    real,
)
from reproduction.tables import (
    DIFFERENCE,
    LEVEL,
    NOT_COMPARABLE,
    NOT_MEASURED,
    NOT_REPRODUCED,
    OURS,
    PUBLISHED,
    REPRODUCED,
    SHAPE,
    VERDICTS,
)

IN_WORDS = {PUBLISHED: "the published recipe", OURS: "our recipe"}
MANY = "exit_logit_"
"""Beginning of the names of claims that have a table of their own."""


@dataclass(frozen=True)
class ReproductionPart:
    """Sentences and tables on published numbers."""

    sentences: list[str]
    sheets: list[Sheet]


def reproduction_part(table: pl.DataFrame, confidence: float) -> ReproductionPart:
    """Published numbers beside those of the studies.

    Args:
        table: the table `REPRODUCTION`.
        confidence: coverage of the intervals.
    """
    if table.is_empty():
        return ReproductionPart(["Not checked: no study has a number."], [])
    sentences, sheets = [], []
    for study in table["study"].unique(maintain_order=True):
        rows = table.filter(study=study)
        name = study.replace("/", " on ")
        sentences += [
            *_verdicts(rows, name),
            *_apart(rows, name),
            *_not_compared(rows, name),
        ]
        sheets += _sheets(rows, name, confidence)
    return ReproductionPart(sentences, sheets)


def _verdicts(rows: pl.DataFrame, name: str) -> list[str]:
    """How many claims have which verdict, by recipe."""
    sentences = []
    for recipe, words in IN_WORDS.items():
        of_recipe = rows.filter(recipe=recipe)
        reasons = of_recipe.filter(verdict=NOT_MEASURED)["why"].unique()
        if len(reasons) == 1 and of_recipe["verdict"].unique().to_list() == [
            NOT_MEASURED
        ]:
            sentences.append(f"{name}, by {words}: not measured ({reasons[0]}).")
            continue
        parts = [
            _counts(of_recipe.filter(kind=kind), thing)
            for kind, thing in ((SHAPE, "statement"), (LEVEL, "number"))
        ]
        sentences.append(f"{name}, by {words}: {'; '.join(parts)}.")
    return sentences


def _counts(rows: pl.DataFrame, thing: str) -> str:
    """`of 12 statements, 6 are reproduced, 2 not reproduced`."""
    counts = {verdict: rows.filter(verdict=verdict).height for verdict in VERDICTS}
    parts = [f"{n} {verdict}" for verdict, n in counts.items() if n]
    return f"of {plural(rows.height, thing)}, {listed(parts) or 'none measured'}"


def _apart(rows: pl.DataFrame, name: str) -> list[str]:
    """Claims on which both recipes disagree."""
    verdicts = rows.pivot("recipe", index=["claim", "quantity"], values="verdict")
    told = verdicts.filter(
        pl.all_horizontal(pl.col(PUBLISHED, OURS).is_in([REPRODUCED, NOT_REPRODUCED]))
    )
    apart = told.filter(pl.col(PUBLISHED) != pl.col(OURS))
    if told.is_empty():
        return []
    if apart.is_empty():
        return [
            f"{name}: both recipes agree on all {plural(told.height, 'claim')} that "
            "both can judge."
        ]
    return [
        f"{name}: the recipes disagree on \u201c{row['quantity']}\u201d: "
        f"{row[PUBLISHED]} by the published one, {row[OURS]} by ours."
        for row in apart.iter_rows(named=True)
    ]


def _not_compared(rows: pl.DataFrame, name: str) -> list[str]:
    """Why numbers of this study are not comparable."""
    reasons = rows.filter(verdict=NOT_COMPARABLE)["why"].unique(maintain_order=True)
    parts = list(dict.fromkeys(part for why in reasons for part in why.split("; ")))
    if not parts:
        return []
    return [f"{name}, not comparable because of: {'; '.join(parts)}."]


def _sheets(rows: pl.DataFrame, name: str, confidence: float) -> list[Sheet]:
    """The main table, the logits of all exits, and how each claim is judged."""
    many = pl.col("claim").str.starts_with(MANY)
    single = rows.filter(~many)
    return [
        _compared(
            single.filter(kind=SHAPE),
            f"Published statements beside {name}",
            "A statement can hold for any model, and has a test of its own; the table of "
            "sources names it. Differences of shares are in points. Controls are matched "
            "in both recipes.",
            folded=False,
        ),
        _compared(
            single.filter(kind=LEVEL),
            f"Published numbers beside {name}",
            f"In parentheses: {percent(confidence, 0)} intervals over problems; n: "
            "cases. A number depends on the model. So it is compared only with the same "
            "model and problems, and the interval must contain it. The published numbers "
            "have no interval, so a small difference can be theirs.",
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
        text += f", n {count(row['cases'])}"
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
    return Sheet(
        f"Sources, rules and reasons, {name}",
        ("quantity", "source", "published recipe", "reproduced if", "not compared"),
        tuple(
            (
                pair[OURS]["quantity"],
                f"{pair[OURS]['source']}; {pair[OURS]['published_model']} on "
                f"{pair[OURS]['published_dataset']}",
                pair[OURS]["published_recipe"],
                pair[OURS]["rule"],
                _reasons(pair),
            )
            for pair in cells.values()
        ),
        (0, 1, 2, 3, 4),
        "All of it, with tables and columns: reproduction/reproduction.parquet.",
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
