"""Means of attention by layer, and heads ranked by attention and attribution.

Means are over positions at backtracks and at controls, and over matched pairs for the
difference of both. Intervals are over problems.

Inputs
    attention: `attention.tables.ATTENTION`.
    matches: `matches.tables.MATCHES`, the pairs of backtrack and control.

Outputs
    summary: `attention.tables.ATTENTION_SUMMARY`, attention in bins by layer.
    heads: `attention.tables.ATTENTION_HEADS`, measures of every head, ranked.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attention.tables import (
    ARRIVAL,
    ATTENTION,
    ATTENTION_HEADS,
    ATTENTION_SUMMARY,
    BINS,
    KINDS,
    PARTITION,
    WHOLE,
)
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings, Mean, cluster_means
from matches.reading import KEYS, control_pairs
from matches.tables import DIFFERENCE, MATCHED, MATCHES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_attention")


@dataclass(frozen=True)
class Positions:
    """The positions of a layer's rows, and which of them are pairs."""

    kinds: np.ndarray
    """[position], `backtrack` or `control`."""
    problems: np.ndarray
    """[position]."""
    backtracks: np.ndarray
    """[pair], index of the backtrack."""
    controls: np.ndarray
    """[pair], index of its matched control."""
    pair_problems: np.ndarray
    """[pair], the problem that a difference belongs to."""

    @classmethod
    def of(cls, rows: pl.DataFrame, matches: pl.DataFrame) -> "Positions":
        """The positions of the rows of one layer.

        Args:
            rows: of the table `attention`.
            matches: `matches.tables.MATCHES`.
        """
        numbered = rows.select(*KEYS, "kind").with_row_index("row")
        members = control_pairs(matches, rows).join(numbered, on=KEYS)
        backtracks, controls = (
            members.filter(kind=kind).sort("pair")["row"].cast(pl.Int64).to_numpy()
            for kind in KINDS
        )
        pairs = members.filter("label").sort("pair")["pair_problem"].to_numpy()
        kinds, problems = rows["kind"].to_numpy(), rows["problem"].to_numpy()
        return cls(kinds, problems, backtracks, controls, pairs)


def means_by_kind(
    values: np.ndarray, positions: Positions, intervals: IntervalSettings
) -> dict[str, list[Mean]]:
    """Means at backtracks, at controls, at the backtracks of pairs, and within pairs.

    Args:
        values: [position, column]; NaN is left out.
        positions: their kinds, problems and pairs.
        intervals: which intervals to give.

    Returns:
        One mean per column, by kind.
    """
    kinds, problems = positions.kinds, positions.problems
    means = {
        kind: cluster_means(values[kinds == kind], problems[kinds == kind], intervals)
        for kind in KINDS
    }
    paired, of_paired = (array[positions.backtracks] for array in (values, problems))
    means[MATCHED] = cluster_means(paired, of_paired, intervals)
    differences = paired - values[positions.controls]
    means[DIFFERENCE] = cluster_means(differences, positions.pair_problems, intervals)
    return means


def per_head(lists: pl.Series) -> np.ndarray:
    """A column of lists, one value per head: [position, head]; NaN where null."""
    width = int(lists.list.len().max() or 0)  # type: ignore[arg-type]
    values = np.full((len(lists), width), np.nan)
    is_list = lists.is_not_null().to_numpy()
    values[is_list] = lists.drop_nulls().explode().to_numpy().reshape(-1, width)
    return values


def head_measures(layer: pl.DataFrame) -> dict[str, np.ndarray]:
    """Measures of the heads of one layer: each [position, head].

    `dla_backtrack_raw` is the attribution to the backtrack words without subtracting
    the mean of the vocabulary. `dla_difference` is the attribution to the backtrack
    words minus the attribution to the wrap-up words. `arrival_ratio` is the attention
    to the last arrival's sentence, divided by the attention that an even spread over
    all visible tokens would give it.
    """
    back, wrap = per_head(layer["dla_backtrack"]), per_head(layer["dla_wrap_up"])
    arrival = per_head(layer[ARRIVAL])
    uniform = uniform_shares(layer)[:, BINS.index(ARRIVAL)]
    return {
        "dla_backtrack": back,
        "dla_backtrack_raw": back + per_head(layer["dla_vocabulary"]),
        "dla_wrap_up": wrap,
        "dla_difference": back - wrap,
        ARRIVAL: arrival,
        "arrival_ratio": _ratio(arrival, uniform[:, None]),
    }


def uniform_shares(layer: pl.DataFrame) -> np.ndarray:
    """Share of each bin if attention were spread evenly: [position, bin]."""
    # ASSUME: an even spread over all visible tokens is the neutral state of attention.
    tokens = per_head(layer["tokens"])
    return tokens / tokens[:, : len(PARTITION)].sum(1, keepdims=True)


def bin_measures(layer: pl.DataFrame) -> dict[str, np.ndarray]:
    """Measures of the bins of one layer, means over heads: each [position, bin].

    `attention` is the share of attention that goes to the bin. `uniform` is the share
    of the visible tokens that the bin holds. `ratio` is `attention` divided by
    `uniform`: attention per token of the bin, relative to all visible tokens. `ratio`
    is NaN where the bin holds no token.
    """
    attention = np.stack([per_head(layer[name]).mean(1) for name in BINS], axis=1)
    uniform = uniform_shares(layer)
    uniform[np.isnan(attention)] = np.nan
    return {
        "attention": attention,
        "uniform": uniform,
        "ratio": _ratio(attention, uniform),
    }


def position_measures(layer: pl.DataFrame) -> dict[str, np.ndarray]:
    """Measures of whole positions: each [position, 1].

    `is_current`: whether the last arrival's sentence is the current sentence. `depth`:
    number of tokens before the position.
    """
    columns = {"is_current": "arrival_is_current", "depth": "position"}
    return {
        name: layer[column].cast(pl.Float64).fill_null(np.nan).to_numpy()[:, None]
        for name, column in columns.items()
    }


def _ratio(values: np.ndarray, base: np.ndarray) -> np.ndarray:
    """`values / base`, NaN where the base is 0."""
    return values / np.where(base > 0, base, np.nan)


def summarise(
    attention: pl.DataFrame, matches: pl.DataFrame, intervals: IntervalSettings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The two tables; means without any value have no row."""
    bins: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    layers = attention.partition_by("layer", as_dict=True)
    for (layer,), rows in sorted(layers.items()):
        measures = {
            "bins": bin_measures(rows),
            "positions": position_measures(rows),
            "heads": head_measures(rows),
        }
        positions = Positions.of(rows, matches)
        for key, kind, mean in means_of(positions, measures, intervals):
            subject, measure, column = key
            row = {"measure": measure, "layer": layer, "kind": kind} | _interval(mean)
            if subject == "heads":
                heads.append(row | {"head": column})
            else:
                bins.append(row | {"bin": BINS[column] if subject == "bins" else WHOLE})
    names = list(ATTENTION_SUMMARY.schema)
    ordered = [{name: row[name] for name in names} for row in bins]
    return ATTENTION_SUMMARY.frame(ordered), ranked(heads)


def means_of(
    positions: Positions,
    measures: dict[str, dict[str, np.ndarray]],
    intervals: IntervalSettings,
) -> Iterator[tuple[tuple[str, str, int], str, Mean]]:
    """Means of all measures of a layer, with the same draws.

    Args:
        positions: of the layer.
        measures: [position, column] by subject (bins, positions, heads) and measure.
        intervals: which intervals to give.

    Yields:
        Subject, measure and column; kind; the mean. Means without a value are left out.
    """
    keys = [
        (subject, measure, column)
        for subject, matrices in measures.items()
        for measure, matrix in matrices.items()
        for column in range(matrix.shape[1])
    ]
    matrix = np.hstack([m for matrices in measures.values() for m in matrices.values()])
    for kind, means in means_by_kind(matrix, positions, intervals).items():
        for key, mean in zip(keys, means, strict=True):
            if mean.n:
                yield key, kind, mean


def _interval(mean: Mean) -> dict[str, Any]:
    return {
        "mean": mean.value,
        "low": mean.low,
        "high": mean.high,
        "n": mean.n,
        "problems": mean.clusters,
    }


def ranked(heads: list[dict[str, Any]]) -> pl.DataFrame:
    """Heads in descending order of their means, within each measure and kind."""
    schema = {
        name: dtype for name, dtype in ATTENTION_HEADS.schema.items() if name != "rank"
    }
    table = pl.DataFrame(heads, schema=schema, orient="row")
    keys = ["measure", "kind"]
    order = table.sort(
        [*keys, "mean", "layer", "head"], descending=[False, False, True, False, False]
    )
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(keys)
    return order.with_columns(rank=rank).select(list(ATTENTION_HEADS.schema))


def main(
    *,
    attention_path: Path,
    matches_path: Path,
    summary_path: Path,
    heads_path: Path,
    settings: IntervalSettings,
) -> None:
    """Read the table, summarise, write."""
    attention = ATTENTION.read(attention_path)
    summary, heads = summarise(attention, MATCHES.read(matches_path), settings)
    logger.info(
        "%d rows, %d of bins, %d of heads", attention.height, len(summary), len(heads)
    )
    ATTENTION_SUMMARY.write(summary, summary_path)
    ATTENTION_HEADS.write(heads, heads_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            attention_path=Path(snakemake.input.attention),
            matches_path=Path(snakemake.input.matches),
            summary_path=Path(snakemake.output.summary),
            heads_path=Path(snakemake.output.heads),
            settings=IntervalSettings(**snakemake.params.settings),
        )
