"""Means of the lens by layer, first boundary of a backtrack word, most likely tokens.

Inputs
    lens: `logit_lens.tables.LOGIT_LENS`.
    words: `turns.tables.TURN_WORDS`.
    vocabulary: `logit_lens.tables.VOCABULARY`, the texts of tokens.

Outputs
    summary: `logit_lens.tables.LOGIT_LENS_SUMMARY`.
    first: `logit_lens.tables.LOGIT_LENS_FIRST`.
    top_words: `logit_lens.tables.LOGIT_LENS_WORDS`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import Mean, Resampling, cluster_means
from logit_lens.tables import (
    LOGIT_LENS,
    LOGIT_LENS_FIRST,
    LOGIT_LENS_SUMMARY,
    LOGIT_LENS_WORDS,
    VOCABULARY,
)
from turns.tables import TURN_WORDS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_logit_lens")

GROUPS = ("backtrack", "wrap_up")
COMPONENTS = ("resid", "embed", "attn_out", "mlp_out")
KINDS = ("backtrack", "wrap_up", "control")
KEPT_WORDS = 20  # tokens per kind and boundary


def means_by_layer(
    rows: pl.DataFrame, column: str, resampling: Resampling, *, shares: bool = False
) -> tuple[list[int], list[Mean]]:
    """Layers, and the mean of a column at each layer with intervals over problems.

    Args:
        rows: of one kind and component, with trace, event, problem, layer and column.
        column: name of the column to average.
        resampling: how intervals are drawn.
        shares: whether the column holds flags.
    """
    layers = rows["layer"].unique().sort().to_list()
    ordered = rows.sort("trace", "event", "layer")
    values = ordered[column].cast(pl.Float64).to_numpy().reshape(-1, len(layers))
    problems = ordered["problem"].to_numpy()[:: len(layers)]
    return layers, cluster_means(values, problems, resampling, shares=shares)


def summarise(lens: pl.DataFrame, resampling: Resampling) -> pl.DataFrame:
    """Mean logits by kind, component, layer and group."""
    rows = []
    for kind in KINDS:
        for component in COMPONENTS:
            part = lens.filter(kind=kind, component=component)
            for group in GROUPS if part.height else ():
                layers, means = means_by_layer(part, group, resampling)
                key = {"kind": kind, "component": component, "group": group}
                rows += [
                    key | {"layer": layer} | interval_of(mean)
                    for layer, mean in zip(layers, means, strict=True)
                ]
    order = LOGIT_LENS_SUMMARY.schema
    return LOGIT_LENS_SUMMARY.frame([{name: r[name] for name in order} for r in rows])


def interval_of(mean: Mean) -> dict[str, Any]:
    """Number of cases and the mean with its interval, by column."""
    counts = {"positions": mean.n, "problems": mean.clusters}
    return counts | {"mean": mean.value, "low": mean.low, "high": mean.high}


def first_boundaries(
    lens: pl.DataFrame, targets: list[int], resampling: Resampling
) -> pl.DataFrame:
    """Where a backtrack word is the most likely token, and where it is so first.

    Args:
        lens: `logit_lens.tables.LOGIT_LENS`.
        targets: ids of the backtrack group.
        resampling: how intervals are drawn.

    Returns:
        `logit_lens.tables.LOGIT_LENS_FIRST`.
    """
    rows = []
    resid = lens.filter(component="resid").with_columns(
        is_leading=pl.col("top_ids").list.first().is_in(targets)
    )
    for kind in KINDS:
        part = resid.filter(kind=kind)
        if part.is_empty():
            continue
        boundaries, means = means_by_layer(part, "is_leading", resampling, shares=True)
        leading = part.filter("is_leading").group_by("trace", "event")
        first = leading.agg(pl.col("layer").min())["layer"].to_numpy()
        counts = np.bincount(first, minlength=len(boundaries))
        rows += [
            {"kind": kind, "boundary": boundary, "positions": mean.n}
            | {"problems": mean.clusters, "first_leading": int(counts[boundary])}
            | {"share_leading": mean.value, "low": mean.low, "high": mean.high}
            for boundary, mean in zip(boundaries, means, strict=True)
        ]
    return LOGIT_LENS_FIRST.frame(rows)


def word_counts(lens: pl.DataFrame, vocabulary: pl.DataFrame) -> pl.DataFrame:
    """How often each token is the most likely one, by kind and boundary.

    Args:
        lens: `logit_lens.tables.LOGIT_LENS`.
        vocabulary: `logit_lens.tables.VOCABULARY`, with all tokens of `lens`.

    Returns:
        `logit_lens.tables.LOGIT_LENS_WORDS`.
    """
    resid = lens.filter(component="resid").with_columns(
        leading_id=pl.col("top_ids").list.first(), n=pl.len().over("kind", "layer")
    )
    is_leading = pl.col("top_ids") == pl.col("leading_id")
    counts = (
        resid.explode("top_ids")
        .group_by("kind", boundary="layer", token_id="top_ids")
        .agg(
            positions=pl.col("n").first().cast(pl.Int32),
            leading=is_leading.sum().cast(pl.Int32),
            among_top=pl.len().cast(pl.Int32),
        )
        .drop_nulls("token_id")
        .sort(
            ["kind", "boundary", "leading", "among_top", "token_id"],
            descending=[False, False, True, True, False],
        )
        .group_by("kind", "boundary", maintain_order=True)
        .head(KEPT_WORDS)
    )
    table = counts.join(vocabulary, on="token_id", how="left", maintain_order="left")
    return LOGIT_LENS_WORDS.check(table.select(list(LOGIT_LENS_WORDS.schema)))


def main(
    *,
    lens_path: Path,
    vocabulary_path: Path,
    words_path: Path,
    summary_path: Path,
    first_path: Path,
    top_words_path: Path,
    resampling: Resampling,
) -> None:
    """Read the tables, summarise, write."""
    lens = LOGIT_LENS.read(lens_path)
    words = TURN_WORDS.read(words_path)
    targets = words.filter(group="backtrack")["token_id"].to_list()
    first = first_boundaries(lens, targets, resampling)
    logger.info("%d rows", lens.height)
    LOGIT_LENS_SUMMARY.write(summarise(lens, resampling), summary_path)
    top_words = word_counts(lens, VOCABULARY.read(vocabulary_path))
    LOGIT_LENS_WORDS.write(top_words, top_words_path)
    LOGIT_LENS_FIRST.write(first, first_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            lens_path=Path(snakemake.input.lens),
            vocabulary_path=Path(snakemake.input.vocabulary),
            words_path=Path(snakemake.input.words),
            summary_path=Path(snakemake.output.summary),
            first_path=Path(snakemake.output.first),
            top_words_path=Path(snakemake.output.top_words),
            resampling=Resampling(**snakemake.params.resampling),
        )
