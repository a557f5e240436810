"""The lens in numbers: means by layer, the layer of the first "Wait", the words.

Inputs
    lens: `schemas.logit_lens.LOGIT_LENS`.
    words: `schemas.turns.TURN_WORDS`.
    vocabulary: `logit_lens.tables.VOCABULARY`, the texts of tokens.

Outputs
    summary: `schemas.logit_lens.LOGIT_LENS_SUMMARY`.
    first: `schemas.logit_lens.LOGIT_LENS_FIRST`.
    top_words: `schemas.logit_lens.LOGIT_LENS_WORDS`.
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
SHOWN_WORDS = 20  # per kind and layer


def by_layer(
    rows: pl.DataFrame, column: str, resampling: Resampling
) -> tuple[list[int], list[Mean]]:
    """Layers, and the mean of a column at each, with intervals over problems.

    Args:
        rows: of one kind and component, with trace, event, problem, layer and column.
        column: what to average.
        resampling: how intervals are drawn.
    """
    layers = rows["layer"].unique().sort().to_list()
    ordered = rows.sort("trace", "event", "layer")
    values = ordered[column].cast(pl.Float64).to_numpy().reshape(-1, len(layers))
    problems = ordered["problem"].to_numpy()[:: len(layers)]
    return layers, cluster_means(values, problems, resampling)


def summarise(lens: pl.DataFrame, resampling: Resampling) -> pl.DataFrame:
    """Mean logits by kind, component, layer and group."""
    rows = []
    for kind in KINDS:
        for component in COMPONENTS:
            part = lens.filter(kind=kind, component=component)
            for group in GROUPS if part.height else ():
                layers, means = by_layer(part, group, resampling)
                key = {"kind": kind, "component": component, "group": group}
                rows += [
                    key | {"layer": layer} | interval_of(mean)
                    for layer, mean in zip(layers, means, strict=True)
                ]
    order = LOGIT_LENS_SUMMARY.schema
    return LOGIT_LENS_SUMMARY.frame([{name: r[name] for name in order} for r in rows])


def interval_of(mean: Mean) -> dict[str, Any]:
    """Cases and the mean with its interval, as columns."""
    counts = {"positions": mean.n, "problems": mean.clusters}
    return counts | {"mean": mean.value, "low": mean.low, "high": mean.high}


def first_layers(
    lens: pl.DataFrame, targets: list[int], resampling: Resampling
) -> pl.DataFrame:
    """Where the most likely token is a backtrack word, and where it first is.

    Args:
        lens: `schemas.logit_lens.LOGIT_LENS`.
        targets: ids of the backtrack group.
        resampling: how intervals are drawn.
    """
    rows = []
    resid = lens.filter(component="resid").with_columns(
        hit=pl.col("top").list.first().is_in(targets)
    )
    for kind in KINDS:
        part = resid.filter(kind=kind)
        if part.is_empty():
            continue
        layers, means = by_layer(part, "hit", resampling)
        found = part.filter("hit").group_by("trace", "event").agg(pl.col("layer").min())
        firsts = np.bincount(found["layer"].to_numpy(), minlength=len(layers))
        rows += [
            {"kind": kind, "layer": layer, "positions": mean.n}
            | {"problems": mean.clusters, "first": int(firsts[layer])}
            | {"top": mean.value, "low": mean.low, "high": mean.high}
            for layer, mean in zip(layers, means, strict=True)
        ]
    return LOGIT_LENS_FIRST.frame(rows)


def word_counts(lens: pl.DataFrame, vocabulary: pl.DataFrame) -> pl.DataFrame:
    """The tokens that the residual stream holds most likely at each layer.

    Args:
        lens: `logit_lens.tables.LOGIT_LENS`.
        vocabulary: `logit_lens.tables.VOCABULARY`, of all its tokens.
    """
    resid = lens.filter(component="resid").with_columns(
        best=pl.col("top").list.first(), n=pl.len().over("kind", "layer")
    )
    counts = (
        resid.explode("top")
        .group_by("kind", "layer", token="top")
        .agg(
            positions=pl.col("n").first().cast(pl.Int32),
            first=(pl.col("top") == pl.col("best")).sum().cast(pl.Int32),
            among_top=pl.len().cast(pl.Int32),
        )
        .drop_nulls("token")
        .sort(
            ["kind", "layer", "first", "among_top", "token"],
            descending=[False, False, True, True, False],
        )
        .group_by("kind", "layer", maintain_order=True)
        .head(SHOWN_WORDS)
    )
    table = counts.join(vocabulary, on="token", how="left", maintain_order="left")
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
    """Read, summarise, write."""
    lens = LOGIT_LENS.read(lens_path)
    words = TURN_WORDS.read(words_path)
    targets = words.filter(group="backtrack")["token"].to_list()
    first = first_layers(lens, targets, resampling)
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
