"""Which words, places and layers matter for turning back, and how far to trust it?

Inputs
    traces: texts and problems of the decisions.
    scores: estimated changes by layer and token (`schemas.ATTRIBUTION`).
    tokens: the same over all layers (`schemas.ATTRIBUTION_TOKENS`).
    prompts: texts of the prompts (`schemas.ATTRIBUTION_PROMPTS`).
    cells: estimates beside exact patching (`schemas.ATTRIBUTION_CELLS`).
    stop_words: words left out of the ranking.
    published: reference numbers, added where model and dataset are the same.

Outputs
    checks: agreement of estimates and exact values (`schemas.ATTRIBUTION_CHECKS`).
    layers: mean sizes by layer (`schemas.ATTRIBUTION_LAYERS`).
    words: the words of every context by importance (`schemas.ATTRIBUTION_WORDS`).
    places: importance of question and thought (`schemas.ATTRIBUTION_PLACES`).
    overlap: important words that occur further on (`schemas.ATTRIBUTION_OVERLAP`).
    slips, slip_ranks: wrong numbers among the words (`schemas.ATTRIBUTION_SLIPS`,
        `schemas.ATTRIBUTION_SLIP_RANKS`).
"""

import json
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attribution.agreement import STATISTICS, agreement
from attribution.places import NOWHERE, PARTS
from attribution.slips import Slip, first_slip
from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_CHECKS,
    ATTRIBUTION_LAYERS,
    ATTRIBUTION_OVERLAP,
    ATTRIBUTION_PLACES,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_SLIP_RANKS,
    ATTRIBUTION_SLIPS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from attribution.word_contexts import Context, contexts_of
from attribution.words import Ranked, matched_share, read_stop_words
from doubletake.running.logs import job
from doubletake.stats.intervals import Resampling, cluster_means, wilson_interval
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_attribution")

METHODS = ("gradient", "integrated")
PLACES = range(PARTS + 1)
QUANTITIES = ("token", "peak", "share")
SLIP_TOPS = (1, 3, 10)


@dataclass(frozen=True)
class Settings:
    """What the summary reads of the sections `attribution` and `intervals`."""

    top_words: int
    """Most important words that are looked for further on."""
    next_words: int
    """How many words of the thought further on they are looked for."""
    intervals: Resampling
    """How intervals are drawn."""


@dataclass(frozen=True)
class Published:
    """Reference numbers; none for another study."""

    overlap: float | None = None
    places: tuple[float | None, ...] = (None,) * len(PLACES)

    @classmethod
    def of(cls, reference: dict[str, Any], model: str, dataset: str) -> "Published":
        """The numbers, if they are about this model and dataset."""
        if (reference["model"], reference["dataset"]) != (model, dataset):
            return cls()
        places = reference["places"]
        return cls(
            reference["overlap"]["value"], (places["question"], *places["thought"])
        )


def word_rows(context: Context) -> Iterator[dict[str, Any]]:
    """Rows of `schemas.ATTRIBUTION_WORDS`."""
    row = context.row
    for rank, item in enumerate(context.ranked, 1):
        yield context.head | {
            "kind": row["kind"],
            "rank": rank,
            "word": item.word.name,
            "place": int(context.places[item.token]),
            "token": item.word.first,
            "occurrences": item.occurrences,
            "max_abs": item.importance,
            "mean_abs": row["mean_abs"][item.token],
            "strongest": row["strongest"][item.token],
            "follows": item.word.name in context.following,
        }


def overlap_of(context: Context, top: int) -> list[float]:
    """Share of the top words, and of matched ones, that follow; their difference.

    NaN where no word follows, or there is no other word to match.
    """
    names = [item.word.name for item in context.ranked]
    flags = [name in context.following for name in names]
    counts = [item.occurrences for item in context.ranked]
    matched = matched_share(flags, counts, top) if names else None
    if matched is None or not context.following:
        return [math.nan] * 3
    important = sum(flags[:top]) / len(flags[:top])
    return [important, matched, important - matched]


def importance_by_place(context: Context) -> np.ndarray:
    """`QUANTITIES` of every place: `[quantity, place]`; NaN for a place without tokens.

    The whole is question and thought; the prompt's markers, which hold the attention
    sink, are in neither.
    """
    values = np.asarray(context.row["max_abs"])
    found = np.full((len(QUANTITIES), len(PLACES)), np.nan)
    inside = values[context.places != NOWHERE]
    if not inside.sum():
        return found
    for place in PLACES:
        own = values[context.places == place]
        if len(own):
            found[:, place] = (
                own.mean() / inside.mean(),
                own.max() / inside.max(),
                own.sum() / inside.sum(),
            )
    return found


def interval_rows(
    values: np.ndarray, problems: np.ndarray, resampling: Resampling
) -> list[dict[str, Any]]:
    """Mean of every column with its interval, as columns of a table."""
    means = cluster_means(values, problems, resampling)
    return [
        {
            name: None if math.isnan(figure) else figure
            for name, figure in (
                ("value", mean.value),
                ("low", mean.low),
                ("high", mean.high),
            )
        }
        | {"events": mean.n, "problems": mean.clusters}
        for mean in means
    ]


def places_table(
    contexts: list[Context], published: Published, settings: Settings
) -> pl.DataFrame:
    """`schemas.ATTRIBUTION_PLACES`; the published values are peaks at backtracks."""
    rows: list[dict[str, Any]] = []
    for kind, group in _by_kind(contexts):
        values = np.stack([importance_by_place(item) for item in group])
        problems = _problems(group)
        for number, quantity in enumerate(QUANTITIES):
            means = interval_rows(values[:, number], problems, settings.intervals)
            known = quantity == "peak" and kind == "backtrack"
            rows += [
                {"kind": kind, "place": place, "quantity": quantity}
                | mean
                | {"published": published.places[place] if known else None}
                for place, mean in enumerate(means)
            ]
    return ATTRIBUTION_PLACES.frame(rows)


def overlap_table(
    contexts: list[Context], published: Published, settings: Settings
) -> pl.DataFrame:
    """`schemas.ATTRIBUTION_OVERLAP`."""
    rows: list[dict[str, Any]] = []
    names = ("important", "matched", "difference")
    for kind, group in _by_kind(contexts):
        values = np.array([overlap_of(item, settings.top_words) for item in group])
        means = interval_rows(values, _problems(group), settings.intervals)
        for name, mean in zip(names, means, strict=True):
            known = name == "important" and kind == "backtrack"
            reference = published.overlap if known else None
            rows.append({"kind": kind, "words": name} | mean | {"published": reference})
    return ATTRIBUTION_OVERLAP.frame(rows)


def layers_table(scores: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """`schemas.ATTRIBUTION_LAYERS`."""
    sizes = scores.with_columns(
        earlier=pl.col("scores").list.eval(pl.element().abs()).list.mean(),
        own=pl.col("own").abs(),
    )
    rows: list[dict[str, Any]] = []
    by = ["kind", "part", "layer"]
    for key, group in sizes.group_by(by, maintain_order=True):
        values = group.select(pl.col("earlier", "own").cast(pl.Float64)).to_numpy()
        means = interval_rows(values, group["problem"].to_numpy(), settings.intervals)
        for quantity, mean in zip(("earlier", "own"), means, strict=True):
            rows.append(dict(zip(by, key, strict=True)) | {"quantity": quantity} | mean)
    return ATTRIBUTION_LAYERS.frame(rows)


def checks_table(cells: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """`schemas.ATTRIBUTION_CHECKS`: every layer, and all layers together (null)."""
    rows: list[dict[str, Any]] = []
    for method in METHODS:
        by = ["part", "layer", "trace", "event", "problem"]
        found = agreement(cells, method, by)
        everything = found.with_columns(layer=pl.lit(None, pl.Int32))
        groups = pl.concat([found, everything]).group_by(
            ["part", "layer"], maintain_order=True
        )
        for (part, layer), group in groups:
            values = group.select(
                pl.col(name).cast(pl.Float64).fill_null(math.nan) for name in STATISTICS
            ).to_numpy()
            means = interval_rows(
                values, group["problem"].to_numpy(), settings.intervals
            )
            head = {"method": method, "part": part, "layer": layer}
            rows += [
                head | {"statistic": name} | mean
                for name, mean in zip(STATISTICS, means, strict=True)
            ]
    return ATTRIBUTION_CHECKS.frame(rows)


def slip_rows(contexts: list[Context]) -> Iterator[dict[str, Any]]:
    """Rows of `schemas.ATTRIBUTION_SLIPS`: backtracks after a false equation."""
    for context in contexts:
        slip = first_slip(context.row["text"])
        if context.row["kind"] != "backtrack" or slip is None:
            continue
        rank = _rank_of(slip, context.ranked)
        if rank is not None:
            yield context.head | {
                "equation": slip.equation,
                "wrong": slip.wrong,
                "right": slip.right,
                "rank": rank,
                "words": len(context.ranked),
            }


def _rank_of(slip: Slip, ranked: list[Ranked]) -> int | None:
    names = [item.word.name for item in ranked]
    return names.index(slip.wrong) + 1 if slip.wrong in names else None


def slip_ranks(slips: pl.DataFrame, confidence: float) -> pl.DataFrame:
    """`schemas.ATTRIBUTION_SLIP_RANKS`."""
    rows = []
    n = slips.height
    for top in SLIP_TOPS:
        hits = int((slips["rank"] <= top).sum())
        low, high = wilson_interval(hits, n, confidence) if n else (None, None)
        chance = (pl.lit(top) / pl.col("words")).clip(upper_bound=1).mean()
        rows.append(
            {
                "top": top,
                "hits": hits,
                "events": n,
                "share": hits / n if n else None,
                "low": low,
                "high": high,
                "chance": slips.select(chance).item() if n else None,
            }
        )
    return ATTRIBUTION_SLIP_RANKS.frame(rows)


def _by_kind(contexts: list[Context]) -> Iterator[tuple[str, list[Context]]]:
    for kind in sorted({context.row["kind"] for context in contexts}):
        yield kind, [item for item in contexts if item.row["kind"] == kind]


def _problems(contexts: list[Context]) -> np.ndarray:
    return np.array([context.row["problem"] for context in contexts])


def main(
    *,
    traces_path: Path,
    scores_path: Path,
    tokens_path: Path,
    prompts_path: Path,
    cells_path: Path,
    stop_words_path: Path,
    published_path: Path,
    checks_path: Path,
    layers_path: Path,
    words_path: Path,
    places_path: Path,
    overlap_path: Path,
    slips_path: Path,
    slip_ranks_path: Path,
    study: tuple[str, str],
    settings: Settings,
) -> None:
    """Read the tables, count, write; `study` is the model's and dataset's source."""
    contexts = list(
        contexts_of(
            ATTRIBUTION_TOKENS.read(tokens_path),
            TRACES.read(traces_path),
            ATTRIBUTION_PROMPTS.read(prompts_path),
            read_stop_words(stop_words_path),
            settings.next_words,
        )
    )
    reference = json.loads(published_path.read_text(encoding="utf-8"))
    published = Published.of(reference, *study)
    words = [row for context in contexts for row in word_rows(context)]
    slips = ATTRIBUTION_SLIPS.frame(list(slip_rows(contexts)))
    logger.info("%d decisions, %d slips before them", len(contexts), slips.height)
    cells, scores = ATTRIBUTION_CELLS.read(cells_path), ATTRIBUTION.read(scores_path)
    ATTRIBUTION_CHECKS.write(checks_table(cells, settings), checks_path)
    ATTRIBUTION_LAYERS.write(layers_table(scores, settings), layers_path)
    ATTRIBUTION_WORDS.write(ATTRIBUTION_WORDS.frame(words), words_path)
    ATTRIBUTION_PLACES.write(places_table(contexts, published, settings), places_path)
    ATTRIBUTION_OVERLAP.write(
        overlap_table(contexts, published, settings), overlap_path
    )
    ATTRIBUTION_SLIPS.write(slips, slips_path)
    ranks = slip_ranks(slips, settings.intervals.confidence)
    ATTRIBUTION_SLIP_RANKS.write(ranks, slip_ranks_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        params = dict(snakemake.params.settings)
        main(
            traces_path=Path(snakemake.input.traces),
            scores_path=Path(snakemake.input.scores),
            tokens_path=Path(snakemake.input.tokens),
            prompts_path=Path(snakemake.input.prompts),
            cells_path=Path(snakemake.input.cells),
            stop_words_path=Path(snakemake.input.stop_words),
            published_path=Path(snakemake.input.published),
            checks_path=Path(snakemake.output.checks),
            layers_path=Path(snakemake.output.layers),
            words_path=Path(snakemake.output.words),
            places_path=Path(snakemake.output.places),
            overlap_path=Path(snakemake.output.overlap),
            slips_path=Path(snakemake.output.slips),
            slip_ranks_path=Path(snakemake.output.slip_ranks),
            study=(snakemake.params.model, snakemake.params.dataset),
            settings=Settings(
                params["top_words"],
                params["next_words"],
                Resampling(**params["intervals"]),
            ),
        )
