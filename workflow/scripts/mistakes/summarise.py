"""Noticed and mended mistakes beside controls, other versions, planted probabilities.

Inputs
    mistakes: `MISTAKES`.
    boundaries: `BOUNDARIES`.

Outputs
    summary: `SUMMARY`.
    contrasts: `CONTRASTS`.
    planted: `PLANTED`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings, cluster_means
from mistakes import names
from mistakes.comparisons import compared, corrected, inflation, joined
from mistakes.summary_tables import CONTRASTS, PLANTED, SUMMARY
from mistakes.tables import BOUNDARIES, MISTAKES
from pocket.reading import TURN

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_mistakes")

COMPARED = {
    "turned_over_base": ("turned", None),
    "turned_over_paraphrase": ("turned", names.PARAPHRASE),
    "turned_over_filler": ("turned", names.FILLER),
    "restated_over_base": ("restated", None),
    "accuracy_over_base": ("correct", None),
}
"""By comparison: the flag, and the other kind; None: the baseline."""


def summarise(table: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`SUMMARY`: one row per place and kind.

    Args:
        table: `MISTAKES`.
        s: coverage, and fewest problems with an interval.
    """
    rows = []
    for place in names.PLACES:
        group = table.filter(place=place)
        for kind in names.KINDS:
            if not group.filter(kind=kind).is_empty():
                rows.append(_summary_row(group, place, kind, s))
    for row in rows:
        own = {
            one["place"]: one["problems"] for one in rows if one["kind"] == row["kind"]
        }
        if names.place_of_test(row["kind"], own) != row["place"]:
            row |= {f"{name}_p": None for name in COMPARED}
    for name in COMPARED:
        corrected(rows, name)
    return SUMMARY.frame(rows)


def _summary_row(
    group: pl.DataFrame, place: str, kind: str, s: IntervalSettings
) -> dict[str, Any]:
    """A row of the summary; `group` are all continuations at one place."""
    part = group.filter(kind=kind)
    row: dict[str, Any] = dict.fromkeys(SUMMARY.schema)
    row |= {
        "place": place,
        "kind": kind,
        "thoughts": part["trace"].n_unique(),
        "problems": part["problem"].n_unique(),
        "draws": part.height,
        "unclosed": int((~part["closed"]).sum()),
    }
    turns = pl.col("backtracks") > 0
    for name, flags in (
        ("turned", part.select("problem", flag="turned")),
        ("noticed", part.select("problem", flag="noticed")),
        ("restated", part.select("problem", flag="restated")),
        ("corrected", part.select("problem", flag="corrected")),
        ("accuracy", part.select("problem", flag="correct")),
        ("after_turn", part.filter(turns).select("problem", flag="corrected")),
        ("without_turn", part.filter(~turns).select("problem", flag="corrected")),
    ):
        row |= share_of(flags, name, s)
    tokens = part["tokens"].to_numpy().astype(float)[:, None]
    row |= cluster_means(tokens, part["problem"].to_numpy(), s)[0].columns("tokens")
    base = names.BASE.get(kind, names.NONE)
    if kind not in (base, names.EXTERNAL):
        row |= inflation(part, group.filter(kind=base), s)
    return row if kind not in names.WRONG else row | _compared(group, kind, base, s)


def _compared(
    group: pl.DataFrame, kind: str, base: str, s: IntervalSettings
) -> dict[str, Any]:
    """Comparisons of a mistake with its baseline and the controls."""
    part = group.filter(kind=kind)
    row: dict[str, Any] = {}
    for name, (column, other) in COMPARED.items():
        flag = column
        if kind == names.UNIT and column == "restated":
            flag = "unit_restated"  # the unchanged thought's own is of the equation
        controls = group.filter(kind=other or base)
        row |= compared(part, controls, flag, name, s)
        if other is None and column in ("turned", "restated"):
            pairs = joined(part, controls).drop_nulls([flag, f"{flag}_other"])
            row[f"{column}_base"] = pairs[f"{flag}_other"].mean()
    return row


def share_of(flags: pl.DataFrame, name: str, s: IntervalSettings) -> dict[str, Any]:
    """A share with its ends as columns; empty without a flag.

    Args:
        flags: columns problem and flag; nulls are left out.
        name: of the columns.
        s: coverage, and fewest problems with an interval.
    """
    known = flags.drop_nulls("flag")
    if known.is_empty():
        return {}
    values = known["flag"].to_numpy().astype(float)[:, None]
    (mean,) = cluster_means(values, known["problem"].to_numpy(), s, shares=True)
    return mean.columns(name)


def contrasts(table: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`CONTRASTS`: the user's text and an appended word beside the own thought.

    The user's text is not tested: it also lets the thought begin anew.

    Args:
        table: `MISTAKES`.
        s: coverage, and fewest problems with an interval.
    """
    own = table.filter(place=names.LAST, kind=names.RESULT)
    rows: list[dict[str, Any]] = []
    for kind in (names.EXTERNAL, names.WAIT):
        other = table.filter(place=names.LAST, kind=kind)
        both = joined(other, own)
        if both.is_empty():
            continue
        row: dict[str, Any] = dict.fromkeys(CONTRASTS.schema)
        row |= {"contrast": kind, "draws": both.height}
        row["problems"] = both["problem"].n_unique()
        for name, column in (("own", "corrected_other"), ("other", "corrected")):
            row |= share_of(both.select("problem", flag=column), name, s)
        row |= compared(other, own, "corrected", "difference", s)
        if kind == names.EXTERNAL:
            row["difference_p"] = None
        rows.append(row)
    corrected(rows, "difference")
    return CONTRASTS.frame(rows)


def planted_rates(boundaries: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`PLANTED`: turns at the next boundary beside the planted probability.

    Args:
        boundaries: `BOUNDARIES`.
        s: coverage, and fewest problems with an interval.
    """
    turned = (pl.col("choice") == TURN).fill_null(value=False)
    table = boundaries.with_columns(
        turned=pl.when(pl.col("planted").is_not_null()).then(turned)
    )
    rows = []
    for place in (names.ALL, *names.PLACES):
        chosen = pl.col("place") == place
        if place == names.ALL:
            chosen = pl.col("place") != names.FINAL
        group = table.filter(chosen)
        for kind in names.KINDS:
            if not group.filter(kind=kind).is_empty():
                rows.append(_planted_row(group, place, kind, s))
    corrected(rows, "over_base")
    return PLANTED.frame(rows)


def _planted_row(
    group: pl.DataFrame, place: str, kind: str, s: IntervalSettings
) -> dict[str, Any]:
    """A row of `PLANTED`; `group` are all boundaries of the places."""
    part = group.filter(kind=kind)
    reached = part.drop_nulls("planted")
    row: dict[str, Any] = dict.fromkeys(PLANTED.schema)
    row |= {
        "place": place,
        "kind": kind,
        "draws": part.height,
        "unreached": part.height - reached.height,
        "unread": reached["choice"].null_count(),
        "problems": reached["problem"].n_unique(),
    }
    if reached.is_empty():
        return row
    row |= share_of(reached.select("problem", flag="turned"), "turned", s)
    planted = reached["planted"].to_numpy()
    row["planted"] = float(planted.mean())
    values = (reached["turned"].to_numpy().astype(float) - planted)[:, None]
    problems = reached["problem"].to_numpy()
    row |= cluster_means(np.asarray(values), problems, s)[0].columns("difference")
    base = names.BASE.get(kind, names.NONE)
    if kind not in (names.NONE, names.MENDED):
        row |= compared(reached, group.filter(kind=base), "turned", "over_base", s)
    if place != names.ALL:
        row["over_base_p"] = None
    return row


def main(
    *,
    mistakes_path: Path,
    boundaries_path: Path,
    summary_path: Path,
    contrasts_path: Path,
    planted_path: Path,
    intervals: IntervalSettings,
) -> None:
    """Read the continuations, summarise, write."""
    table, boundaries = (
        MISTAKES.read(mistakes_path),
        BOUNDARIES.read(boundaries_path),
    )
    summary = summarise(table, intervals)
    logger.info("%d continuations, %d rows", table.height, summary.height)
    SUMMARY.write(summary, summary_path)
    CONTRASTS.write(contrasts(table, intervals), contrasts_path)
    PLANTED.write(planted_rates(boundaries, intervals), planted_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            mistakes_path=Path(snakemake.input.mistakes),
            boundaries_path=Path(snakemake.input.boundaries),
            summary_path=Path(snakemake.output.summary),
            contrasts_path=Path(snakemake.output.contrasts),
            planted_path=Path(snakemake.output.planted),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
