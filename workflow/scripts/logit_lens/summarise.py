"""Means by layer and by part, boundaries from which a backtrack word leads, top tokens.

Means are over all positions of a kind. Backtracks are compared with controls within
matched pairs only. Intervals are over problems.

Inputs
    lens: `logit_lens.tables.LOGIT_LENS`.
    matches: `matches.tables.MATCHES`, the pairs of backtrack and control.
    random_groups: `logit_lens.tables.LOGIT_LENS_RANDOM`.
    words: `turns.tables.TURN_WORDS`.
    vocabulary: `logit_lens.tables.VOCABULARY`, the texts of tokens.

Outputs
    summary: `logit_lens.tables.LOGIT_LENS_SUMMARY`.
    parts: `logit_lens.tables.LOGIT_LENS_PARTS`.
    leading: `logit_lens.tables.LOGIT_LENS_LEADING`.
    top_words: `logit_lens.tables.LOGIT_LENS_WORDS`.
"""

import logging
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings, Mean, cluster_means
from logit_lens.pairs import readings_of
from logit_lens.tables import (
    LOGIT_LENS,
    LOGIT_LENS_LEADING,
    LOGIT_LENS_PARTS,
    LOGIT_LENS_RANDOM,
    LOGIT_LENS_SUMMARY,
    LOGIT_LENS_WORDS,
    VOCABULARY,
)
from matches.tables import DIFFERENCE, MATCHED, MATCHES
from turns.tables import TURN_WORDS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_logit_lens")

BACKTRACK = "backtrack"
GROUPS = (BACKTRACK, "wrap_up")
PAIRED = (MATCHED, DIFFERENCE)
KINDS = (*GROUPS, "control", *PAIRED)
PARTS = ("embed", "attn_out", "mlp_out")
ATTENTION_MINUS_MLPS = "difference"  # a part, not a kind
COMPONENTS = ("resid", *PARTS)
CENTRED, RAW, EQUAL, EQUAL_RAW = "centred", "raw", "equal", "equal_raw"
ATTENTION, MLPS = PARTS[1:]
LOGITS: dict[str, Callable[[str], pl.Expr]] = {
    CENTRED: pl.col,
    RAW: lambda group: pl.col(group) + pl.col("vocabulary"),
    EQUAL: lambda group: pl.col(f"{group}_equal"),
    EQUAL_RAW: lambda group: pl.col(f"{group}_equal") + pl.col("vocabulary"),
}
"""Logits of a group in `LOGIT_LENS`; equal weights exist for backtrack words only."""
NOT_DRAWN: dict[str, Any] = dict.fromkeys(("random", "random_low", "random_high"))
KEPT_WORDS = 20  # tokens per kind and boundary


def means_by_layer(
    rows: pl.DataFrame,
    column: str,
    intervals: IntervalSettings,
    *,
    shares: bool = False,
) -> tuple[list[int], list[Mean]]:
    """Layers, and the mean of a column at each layer with intervals over problems.

    Args:
        rows: of one kind and component, with trace, event, problem, layer and column.
        column: name of the column to average.
        intervals: which intervals to give.
        shares: whether the values are 0 and 1.
    """
    layers = rows["layer"].unique().sort().to_list()
    ordered = rows.sort("trace", "event", "layer")
    values = ordered[column].to_numpy().reshape(-1, len(layers))
    problems = ordered["problem"].to_numpy()[:: len(layers)]
    return layers, cluster_means(values, problems, intervals, shares=shares)


def summarise(
    readings: pl.DataFrame, random_groups: pl.DataFrame, intervals: IntervalSettings
) -> pl.DataFrame:
    """Mean logits by kind, component, layer and group, centred and raw.

    Args:
        readings: of `readings_of`.
        random_groups: `logit_lens.tables.LOGIT_LENS_RANDOM`.
        intervals: which intervals to give.

    Returns:
        `logit_lens.tables.LOGIT_LENS_SUMMARY`.
    """
    ranges = {
        key: random_range(part["mean"], intervals.confidence)
        for key, part in random_groups.group_by("kind", "component", "layer")
    }
    rows = []
    keys = product(KINDS, COMPONENTS, GROUPS, (CENTRED, RAW))
    for kind, component, group, logit in keys:
        part = readings.filter(kind=kind, component=component)
        if part.is_empty():
            continue
        part = part.with_columns(value=LOGITS[logit](group))
        for layer, mean in zip(*means_by_layer(part, "value", intervals), strict=True):
            row = {"kind": kind, "component": component, "layer": layer}
            row |= {"group": group, "logit": logit} | interval_of(mean)
            if (group, logit) == (BACKTRACK, CENTRED) and kind not in PAIRED:
                row |= ranges[kind, component, layer]
            rows.append(NOT_DRAWN | row)
    return LOGIT_LENS_SUMMARY.frame(rows)


def parts_table(
    readings: pl.DataFrame, random_groups: pl.DataFrame, intervals: IntervalSettings
) -> pl.DataFrame:
    """What embedding, attention and MLPs add to the backtrack words in all layers."""
    rows: list[dict[str, Any]] = []
    for kind, logit in product(KINDS, LOGITS):
        of_kind = readings.filter(kind=kind).with_columns(mean=LOGITS[logit](BACKTRACK))
        if of_kind.is_empty():
            continue
        totals = totals_of_parts(of_kind, ["trace", "event", "problem"])
        drawn = totals_of_parts(random_groups.filter(kind=kind), ["draw"])
        names = [*PARTS, ATTENTION_MINUS_MLPS]
        problems = totals["problem"].to_numpy()
        means = cluster_means(totals.select(names).to_numpy(), problems, intervals)
        for name, mean in zip(names, means, strict=True):
            row = {"kind": kind, "part": name, "logit": logit} | interval_of(mean)
            if logit == CENTRED and kind not in PAIRED:
                row |= random_range(drawn[name], intervals.confidence)
            rows.append(NOT_DRAWN | row)
    return LOGIT_LENS_PARTS.frame(rows)


def totals_of_parts(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Sums over layers by part, and attention minus MLPs: one row per key.

    Args:
        rows: columns of the key, component, layer and mean.
        key: names of columns.
    """
    # Lists are summed in the order of layers, so that equal rows give equal bits.
    parts = [
        pl.col("mean").filter(pl.col("component") == part).alias(part) for part in PARTS
    ]
    by_key = rows.sort(*key, "component", "layer").group_by(key, maintain_order=True)
    sums = by_key.agg(parts).with_columns(pl.col(PARTS).list.sum())
    difference = (pl.col(ATTENTION) - pl.col(MLPS)).alias(ATTENTION_MINUS_MLPS)
    return sums.with_columns(difference)


def random_range(means: pl.Series, confidence: float) -> dict[str, float | None]:
    """Mean and central range of the random groups.

    A further random group lies outside with probability 1 - confidence, so the range is
    that of a test in which the words are exchangeable with random tokens. (It needs
    2 / (1 - confidence) - 1 groups; with fewer it is the whole range of the groups.)
    """
    tail = (1 - confidence) / 2
    ends = np.quantile(means.to_numpy(), [tail, 1 - tail], method="weibull")
    low, high = ends.tolist()
    middle: Any = means.mean()
    return {"random": middle, "random_low": low, "random_high": high}


def interval_of(mean: Mean) -> dict[str, Any]:
    """Number of cases and the mean with its interval, by column."""
    counts = {"positions": mean.n, "problems": mean.clusters}
    return counts | {"mean": mean.value, "low": mean.low, "high": mean.high}


def leading_boundaries(
    readings: pl.DataFrame, intervals: IntervalSettings
) -> pl.DataFrame:
    """Where a backtrack word is the most likely token, and from where to the end.

    Args:
        readings: of `readings_of`.
        intervals: which intervals to give.

    Returns:
        `logit_lens.tables.LOGIT_LENS_LEADING`.
    """
    rows = []
    for kind in KINDS:
        part = readings.filter(kind=kind, component="resid")
        if part.is_empty():
            continue
        shares = kind != DIFFERENCE
        boundaries, means = means_by_layer(part, "is_leading", intervals, shares=shares)
        begins: list[int | None] = [None] * len(boundaries)
        if shares:
            runs = first_of_the_last_run(part)
            begins = np.bincount(runs, minlength=len(boundaries)).tolist()
        rows += [
            {"kind": kind, "boundary": boundary, "positions": mean.n}
            | {"problems": mean.clusters, "share_leading": mean.value}
            | {"low": mean.low, "high": mean.high, "leading_to_the_end": begin}
            for boundary, mean, begin in zip(boundaries, means, begins, strict=True)
        ]
    return LOGIT_LENS_LEADING.frame(rows)


def first_of_the_last_run(rows: pl.DataFrame) -> np.ndarray:
    """The boundary from which a backtrack word leads to the end.

    Args:
        rows: columns trace, event, layer (every boundary of a position) and is_leading.

    Returns:
        [position], without positions at which no backtrack word leads at the end.
    """
    key = ["trace", "event"]
    lost = pl.col("layer").filter(pl.col("is_leading") == 0).max()
    runs = rows.group_by(key).agg(begin=lost.fill_null(-1) + 1, n=pl.len())
    return runs.filter(pl.col("begin") < pl.col("n"))["begin"].to_numpy()


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
    matches_path: Path,
    random_groups_path: Path,
    vocabulary_path: Path,
    words_path: Path,
    summary_path: Path,
    parts_path: Path,
    leading_path: Path,
    top_words_path: Path,
    intervals: IntervalSettings,
) -> None:
    """Read the tables, summarise, write."""
    lens = LOGIT_LENS.read(lens_path)
    random_groups = LOGIT_LENS_RANDOM.read(random_groups_path)
    words = TURN_WORDS.read(words_path)
    targets = words.filter(group=BACKTRACK)["token_id"].to_list()
    readings = readings_of(lens, MATCHES.read(matches_path), targets)
    logger.info("%d rows of the lens, %d with pairs", lens.height, readings.height)
    summary = summarise(readings, random_groups, intervals)
    LOGIT_LENS_SUMMARY.write(summary, summary_path)
    parts = parts_table(readings, random_groups, intervals)
    LOGIT_LENS_PARTS.write(parts, parts_path)
    top_words = word_counts(lens, VOCABULARY.read(vocabulary_path))
    LOGIT_LENS_WORDS.write(top_words, top_words_path)
    LOGIT_LENS_LEADING.write(leading_boundaries(readings, intervals), leading_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            lens_path=Path(snakemake.input.lens),
            matches_path=Path(snakemake.input.matches),
            random_groups_path=Path(snakemake.input.random_groups),
            vocabulary_path=Path(snakemake.input.vocabulary),
            words_path=Path(snakemake.input.words),
            summary_path=Path(snakemake.output.summary),
            parts_path=Path(snakemake.output.parts),
            leading_path=Path(snakemake.output.leading),
            top_words_path=Path(snakemake.output.top_words),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
