"""Do the next words look more at important words than at matched ones?

Inputs
    looks: one row per position (`LOOK_BACK`).
    words: each important word with its matches (`LOOK_BACK_WORDS`).
    layers: attention by layer and head (`LOOK_BACK_LAYERS`).
    ranked: the words of every context by importance (`ATTRIBUTION_WORDS`).
    matches: the pairs of backtrack and control (`MATCHES`).
    published: the published overlap, where model and dataset are the same.

Outputs
    summary: means of the attention, by kind, baseline and layer (`LOOK_BACK_SUMMARY`).
    heads: heads by how much more they look at important words (`LOOK_BACK_HEADS`).
    overlap: important words that occur again, against matches (`LOOK_BACK_OVERLAP`).
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attribution.tables import ATTRIBUTION_WORDS
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from look_back.attention_means import heads_table, summary_table
from look_back.overlap_means import overlap_table
from look_back.tables import (
    LOOK_BACK,
    LOOK_BACK_HEADS,
    LOOK_BACK_LAYERS,
    LOOK_BACK_OVERLAP,
    LOOK_BACK_SUMMARY,
    LOOK_BACK_WORDS,
)
from matches.tables import MATCHES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_look_back")


@dataclass(frozen=True)
class Settings:
    """Settings of other sections that the summary needs."""

    top_words: int
    """Number of most important words."""
    intervals: IntervalSettings
    """How intervals are drawn."""


def published_overlap(reference: dict[str, Any], study: tuple[str, str]) -> Any:
    """The published overlap, if it is of this model and dataset; else None."""
    same = (reference["model"], reference["dataset"]) == study
    return reference["overlap"]["value"] if same else None


def main(
    *,
    looks_path: Path,
    words_path: Path,
    layers_path: Path,
    ranked_path: Path,
    matches_path: Path,
    published_path: Path,
    summary_path: Path,
    heads_path: Path,
    overlap_path: Path,
    study: tuple[str, str],
    settings: Settings,
) -> None:
    """Read the tables, summarise, write; `study`: sources of model and dataset."""
    looks, words = LOOK_BACK.read(looks_path), LOOK_BACK_WORDS.read(words_path)
    layers = LOOK_BACK_LAYERS.read(layers_path)
    ranked, matches = ATTRIBUTION_WORDS.read(ranked_path), MATCHES.read(matches_path)
    reference = json.loads(published_path.read_text(encoding="utf-8"))
    published, intervals = published_overlap(reference, study), settings.intervals
    logger.info("%d positions, %d important words", looks.height, words.height)
    summary = summary_table(looks, words, layers, matches, intervals)
    overlap = overlap_table(
        looks, words, ranked, matches, published, settings.top_words, intervals
    )
    LOOK_BACK_SUMMARY.write(summary, summary_path)
    LOOK_BACK_HEADS.write(heads_table(layers, intervals), heads_path)
    LOOK_BACK_OVERLAP.write(overlap, overlap_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            looks_path=Path(snakemake.input.looks),
            words_path=Path(snakemake.input.words),
            layers_path=Path(snakemake.input.layers),
            ranked_path=Path(snakemake.input.ranked),
            matches_path=Path(snakemake.input.matches),
            published_path=Path(snakemake.input.published),
            summary_path=Path(snakemake.output.summary),
            heads_path=Path(snakemake.output.heads),
            overlap_path=Path(snakemake.output.overlap),
            study=(snakemake.params.model, snakemake.params.dataset),
            settings=Settings(
                snakemake.params.settings["top_words"],
                IntervalSettings(**snakemake.params.settings["intervals"]),
            ),
        )
