"""The page's part on published numbers beside those of the studies."""

from dataclasses import dataclass

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import listed, plural
from report.reproduction_sheets import IN_WORDS, sheets_of
from reproduction.tables import (
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
        sheets += sheets_of(rows, name, confidence)
    return ReproductionPart(sentences, sheets)


def _verdicts(rows: pl.DataFrame, name: str) -> list[str]:
    """How many claims have which verdict, by recipe."""
    sentences = []
    for recipe, words in IN_WORDS.items():
        of_recipe = rows.filter(recipe=recipe)
        pairs = of_recipe.select("verdict", "why").unique().rows()
        if len(pairs) == 1 and pairs[0][0] == NOT_MEASURED:
            sentences.append(f"{name}, by {words}: not measured ({pairs[0][1]}).")
            continue
        parts = [
            _counts(of_recipe.filter(kind=kind), thing)
            for kind, thing in ((SHAPE, "statement"), (LEVEL, "number"))
        ]
        sentences.append(
            f"{name}, by {words}: {'; '.join(parts)} (each by its own rule or test, "
            "not corrected for their number)."
        )
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
