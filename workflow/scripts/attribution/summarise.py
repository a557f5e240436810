"""Which words, parts of the context and layers matter, and how good is the estimate?

Inputs
    traces: texts and problems of the positions (`TRACES`).
    matches: the pairs of backtrack and control (`MATCHES`).
    scores: scores by layer and token (`ATTRIBUTION`).
    tokens: scores over all layers (`ATTRIBUTION_TOKENS`).
    prompts: texts of the prompts (`ATTRIBUTION_PROMPTS`).
    cells: estimates beside exact patching (`ATTRIBUTION_CELLS`).
    stop_words: words that are left out of the ranking.
    published: published numbers, added where model and dataset are the same.

Outputs
    checks: agreement of estimates and exact values (`ATTRIBUTION_CHECKS`).
    layers: mean |score| by layer (`ATTRIBUTION_LAYERS`).
    words: the words of every context by importance (`ATTRIBUTION_WORDS`).
    context_parts: importance of question and thought (`ATTRIBUTION_CONTEXT_PARTS`).
    overlap: important words that occur again later (`ATTRIBUTION_OVERLAP`).
    slips: wrong numbers before backtracks (`ATTRIBUTION_SLIPS`).
    slip_ranks: how high these rank among the words (`ATTRIBUTION_SLIP_RANKS`).
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attribution.context_tables import (
    Published,
    context_parts_table,
    overlap_table,
    words_table,
)
from attribution.decision_contexts import decision_contexts
from attribution.score_tables import checks_table, layers_table
from attribution.slip_tables import slip_ranks_table, slips_table
from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_CHECKS,
    ATTRIBUTION_CONTEXT_PARTS,
    ATTRIBUTION_LAYERS,
    ATTRIBUTION_OVERLAP,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_SLIP_RANKS,
    ATTRIBUTION_SLIPS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from doubletake.text.words import read_stop_words
from matches.tables import MATCHES
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_attribution")


@dataclass(frozen=True)
class Settings:
    """Settings of the sections `attribution` and `intervals` that the summary needs."""

    top_words: int
    """Number of the most important words that we look for after the position."""
    next_words: int
    """How many next words of the thought are searched for them."""
    intervals: IntervalSettings
    """How intervals are drawn."""


def main(
    *,
    traces_path: Path,
    matches_path: Path,
    scores_path: Path,
    tokens_path: Path,
    prompts_path: Path,
    cells_path: Path,
    stop_words_path: Path,
    published_path: Path,
    checks_path: Path,
    layers_path: Path,
    words_path: Path,
    context_parts_path: Path,
    overlap_path: Path,
    slips_path: Path,
    slip_ranks_path: Path,
    study: tuple[str, str],
    settings: Settings,
) -> None:
    """Read the tables, summarise, write; `study`: sources of model and dataset."""
    contexts = list(
        decision_contexts(
            ATTRIBUTION_TOKENS.read(tokens_path),
            TRACES.read(traces_path),
            ATTRIBUTION_PROMPTS.read(prompts_path),
            read_stop_words(stop_words_path),
            settings.next_words,
        )
    )
    reference = json.loads(published_path.read_text(encoding="utf-8"))
    published = Published.of(reference, *study)
    intervals, matches = settings.intervals, MATCHES.read(matches_path)
    slips = slips_table(contexts)
    logger.info("%d positions, %d slips before them", len(contexts), slips.height)
    checks = checks_table(ATTRIBUTION_CELLS.read(cells_path), intervals)
    layers = layers_table(ATTRIBUTION.read(scores_path), matches, intervals)
    parts = context_parts_table(contexts, matches, published, intervals)
    top = settings.top_words
    overlap = overlap_table(contexts, matches, published, top, intervals)
    ranks = slip_ranks_table(slips, intervals)
    ATTRIBUTION_CHECKS.write(checks, checks_path)
    ATTRIBUTION_LAYERS.write(layers, layers_path)
    ATTRIBUTION_WORDS.write(words_table(contexts), words_path)
    ATTRIBUTION_CONTEXT_PARTS.write(parts, context_parts_path)
    ATTRIBUTION_OVERLAP.write(overlap, overlap_path)
    ATTRIBUTION_SLIPS.write(slips, slips_path)
    ATTRIBUTION_SLIP_RANKS.write(ranks, slip_ranks_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        params = dict(snakemake.params.settings)
        main(
            traces_path=Path(snakemake.input.traces),
            matches_path=Path(snakemake.input.matches),
            scores_path=Path(snakemake.input.scores),
            tokens_path=Path(snakemake.input.tokens),
            prompts_path=Path(snakemake.input.prompts),
            cells_path=Path(snakemake.input.cells),
            stop_words_path=Path(snakemake.input.stop_words),
            published_path=Path(snakemake.input.published),
            checks_path=Path(snakemake.output.checks),
            layers_path=Path(snakemake.output.layers),
            words_path=Path(snakemake.output.words),
            context_parts_path=Path(snakemake.output.context_parts),
            overlap_path=Path(snakemake.output.overlap),
            slips_path=Path(snakemake.output.slips),
            slip_ranks_path=Path(snakemake.output.slip_ranks),
            study=(snakemake.params.model, snakemake.params.dataset),
            settings=Settings(
                params["top_words"],
                params["next_words"],
                IntervalSettings(**params["intervals"]),
            ),
        )
