"""Which heads write the turn, which look at the last arrival, and where layers look.

Means over positions at backtracks and at controls, and the difference of the two within
problems; intervals over problems.

Inputs
    attention: bins and direct logit attribution by head (`schemas.ATTENTION`).

Outputs
    summary: attention in bins by layer, heads averaged (`schemas.ATTENTION_SUMMARY`).
    heads: figures of every head, ranked (`schemas.ATTENTION_HEADS`).
"""

import logging
from collections.abc import Iterator
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
    DIFFERENCE,
    KINDS,
    PARTITION,
    WHOLE,
)
from doubletake.running.logs import job
from doubletake.stats.intervals import Mean, Resampling, cluster_means

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_attention")


def means_by_kind(
    values: np.ndarray, kinds: np.ndarray, problems: np.ndarray, resampling: Resampling
) -> dict[str, list[Mean]]:
    """Means at backtracks, at controls, and of their difference.

    The difference is taken within a problem, between the means over its backtracks and
    over its controls, and averaged over the problems that have both.

    Args:
        values: [position, column]; NaN counts for nothing.
        kinds: [position], `backtrack` or `control`.
        problems: [position].
        resampling: how intervals are drawn.

    Returns:
        One mean per column, by kind.
    """
    found = {}
    names = np.unique(problems)
    by_problem = {}
    for kind in KINDS:
        mine = kinds == kind
        found[kind] = cluster_means(values[mine], problems[mine], resampling)
        by_problem[kind] = problem_means(values[mine], problems[mine], names)
    differences = by_problem["backtrack"] - by_problem["control"]
    found[DIFFERENCE] = cluster_means(differences, names, resampling)
    return found


def problem_means(
    values: np.ndarray, problems: np.ndarray, names: np.ndarray
) -> np.ndarray:
    """Mean of every problem: [problem, column]; NaN where it has no value.

    Args:
        values: [position, column].
        problems: [position].
        names: [problem], sorted; all that occur.
    """
    place = np.searchsorted(names, problems)
    known = ~np.isnan(values)
    sums = np.zeros((len(names), values.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, place, np.where(known, values, 0))
    np.add.at(counts, place, known)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def per_head(lists: pl.Series) -> np.ndarray:
    """A column of lists, one value per head: [position, head]; NaN where null."""
    width = int(lists.list.len().max() or 0)  # type: ignore[arg-type]
    values = np.full((len(lists), width), np.nan)
    known = lists.is_not_null().to_numpy()
    values[known] = lists.drop_nulls().explode().to_numpy().reshape(-1, width)
    return values


def head_figures(layer: pl.DataFrame) -> dict[str, np.ndarray]:
    """Figures of the heads of one layer: each [position, head].

    `dla_difference` is the attribution to the backtrack words minus that to the wrap-up
    words; `arrival_ratio` the attention to the last arrival's sentence over what it
    would get if attention were spread evenly over all tokens that the layer sees.
    """
    back, wrap = per_head(layer["dla_backtrack"]), per_head(layer["dla_wrap_up"])
    arrival = per_head(layer[ARRIVAL])
    uniform = uniform_shares(layer)[:, BINS.index(ARRIVAL)]
    return {
        "dla_backtrack": back,
        "dla_wrap_up": wrap,
        "dla_difference": back - wrap,
        ARRIVAL: arrival,
        "arrival_ratio": _ratio(arrival, uniform[:, None]),
    }


def uniform_shares(layer: pl.DataFrame) -> np.ndarray:
    """What each bin would get if attention were spread evenly: [position, bin]."""
    tokens = per_head(layer["tokens"])
    return tokens / tokens[:, : len(PARTITION)].sum(1, keepdims=True)


def bin_figures(layer: pl.DataFrame) -> dict[str, np.ndarray]:
    """Figures of the bins of one layer, heads averaged: each [position, bin].

    `attention` is the share that goes to the bin, `uniform` the share of the tokens
    that it holds, `ratio` the one over the other: attention per token of the bin, over
    that of all tokens that the layer sees. It is NaN where the bin holds no token.
    """
    attention = np.stack([per_head(layer[name]).mean(1) for name in BINS], axis=1)
    uniform = uniform_shares(layer)
    uniform[np.isnan(attention)] = np.nan
    return {
        "attention": attention,
        "uniform": uniform,
        "ratio": _ratio(attention, uniform),
    }


def position_figures(layer: pl.DataFrame) -> dict[str, np.ndarray]:
    """Figures of the positions themselves: each [position, 1].

    `is_own` says whether the last arrival's sentence is the one that ends at the
    position, `depth` how many tokens stand before it.
    """
    columns = {"is_own": "arrival_is_own", "depth": "position"}
    return {
        name: layer[column].cast(pl.Float64).fill_null(np.nan).to_numpy()[:, None]
        for name, column in columns.items()
    }


def _ratio(values: np.ndarray, base: np.ndarray) -> np.ndarray:
    """`values / base`, NaN where there is no base."""
    return values / np.where(base > 0, base, np.nan)


def summarise(
    attention: pl.DataFrame, resampling: Resampling
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The two tables; no rows where there is no value."""
    bins: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    layers = attention.partition_by("layer", as_dict=True)
    for (layer,), rows in sorted(layers.items()):
        figures = {
            "bins": bin_figures(rows),
            "positions": position_figures(rows),
            "heads": head_figures(rows),
        }
        for place, kind, mean in means_of(rows, figures, resampling):
            table, figure, column = place
            about = {"layer": layer, "kind": kind} | _interval(mean)
            if table == "heads":
                heads.append({"figure": figure, "head": column} | about)
            else:
                name = BINS[column] if table == "bins" else WHOLE
                bins.append({"measure": figure, "bin": name} | about)
    names = list(ATTENTION_SUMMARY.schema)
    ordered = [{name: row[name] for name in names} for row in bins]
    return ATTENTION_SUMMARY.frame(ordered), ranked(heads)


def means_of(
    rows: pl.DataFrame,
    figures: dict[str, dict[str, np.ndarray]],
    resampling: Resampling,
) -> Iterator[tuple[tuple[str, str, int], str, Mean]]:
    """Means of all figures of a layer, with the same draws.

    Args:
        rows: of the layer.
        figures: [position, column] by table and figure.
        resampling: how intervals are drawn.

    Yields:
        Table, figure and column; kind; the mean. Not where there is no value.
    """
    places = [
        (table, figure, column)
        for table, values in figures.items()
        for figure, matrix in values.items()
        for column in range(matrix.shape[1])
    ]
    matrix = np.hstack([m for values in figures.values() for m in values.values()])
    kinds, problems = rows["kind"].to_numpy(), rows["problem"].to_numpy()
    for kind, means in means_by_kind(matrix, kinds, problems, resampling).items():
        for place, mean in zip(places, means, strict=True):
            if mean.n:
                yield place, kind, mean


def _interval(mean: Mean) -> dict[str, Any]:
    return {
        "mean": mean.value,
        "low": mean.low,
        "high": mean.high,
        "n": mean.n,
        "problems": mean.clusters,
    }


def ranked(heads: list[dict[str, Any]]) -> pl.DataFrame:
    """Heads in order of their means, within each figure and kind."""
    schema = {
        name: dtype for name, dtype in ATTENTION_HEADS.schema.items() if name != "rank"
    }
    table = pl.DataFrame(heads, schema=schema, orient="row")
    keys = ["figure", "kind"]
    order = table.sort(
        [*keys, "mean", "layer", "head"], descending=[False, False, True, False, False]
    )
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(keys)
    return order.with_columns(rank=rank).select(list(ATTENTION_HEADS.schema))


def main(
    *, attention_path: Path, summary_path: Path, heads_path: Path, settings: Resampling
) -> None:
    """Read the table, count, write."""
    attention = ATTENTION.read(attention_path)
    summary, heads = summarise(attention, settings)
    logger.info(
        "%d rows, %d of bins, %d of heads", attention.height, len(summary), len(heads)
    )
    ATTENTION_SUMMARY.write(summary, summary_path)
    ATTENTION_HEADS.write(heads, heads_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            attention_path=Path(snakemake.input.attention),
            summary_path=Path(snakemake.output.summary),
            heads_path=Path(snakemake.output.heads),
            settings=Resampling(**snakemake.params.settings),
        )
