"""Does the text after a turn look back at the words that caused it?

The words before every selected backtrack and control are ranked by their importance
for turning back (`ATTRIBUTION_WORDS`). This stage sums the attention of the next words
of the study's own thought to the most important ones, and to unimportant words that
match them (`look_back.matching`). One forward pass per trace gives all sums; no matrix
of all attention weights is kept.

Inputs
    traces: the thoughts (`TRACES`).
    tokens: the positions, with question and thought (`ATTRIBUTION_TOKENS`).
    words: the words of every context by importance (`ATTRIBUTION_WORDS`).
    prompts: the prompts and the questions in them (`ATTRIBUTION_PROMPTS`).
    model: files of the model.

Outputs
    looks: attention to important and matched words, one row per position (`LOOK_BACK`).
    words: each important word with its matches (`LOOK_BACK_WORDS`).
    layers: the same by layer and head (`LOOK_BACK_LAYERS`).
    verification: sums against eager attention and plain loops (`VERIFICATION`).
    runs: cost of the computation (`RUNS`).
"""

import logging
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from attribution.tables import (
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from doubletake.model.attention_weights import prove_rows
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from look_back.forward_pass import Shares, batch_bytes, run_batch
from look_back.looks import Choice, TraceLooks, traces_with_looks
from look_back.rows import Row, rows_of_look
from look_back.tables import (
    BACKTRACK,
    CONTROL,
    LOOK_BACK,
    LOOK_BACK_LAYERS,
    LOOK_BACK_WORDS,
)
from look_back.verification_figures import Differences, drawn_looks
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_look_back")

STAGE = "look_back"
PADDING = 0.1
"""Largest share of padding in a batch: the thoughts differ in length."""


@dataclass(frozen=True)
class Settings:
    """The `look_back` section of the config, and what it shares with others."""

    top_words: int
    """Number of most important words."""
    next_words: int
    """Number of next words of the thought that look back."""
    distance_ratio: float
    """Largest ratio of the distances of an important word and of its match."""
    batch_memory: float
    """GiB of memory that one batch may take in addition to the model."""
    verification: Verification
    """How many positions are computed again."""

    @property
    def choice(self) -> Choice:
        """Which words are important, and which match."""
        return Choice(self.top_words, self.next_words, self.distance_ratio)


@dataclass
class Rows:
    """Rows of the tables."""

    looks: list[Row] = field(default_factory=list)
    words: list[Row] = field(default_factory=list)
    layers: list[Row] = field(default_factory=list)

    def add(self, item: TraceLooks, shares: list[Shares]) -> None:
        """Add the looks of a trace."""
        for look, of_look in zip(item.looks, shares, strict=True):
            row, words, layers = rows_of_look(item, look, of_look)
            self.looks.append(row)
            self.words += words
            self.layers += layers


def compute(
    decoder: Decoder, items: list[TraceLooks], settings: Settings
) -> tuple[Rows, Differences, Progress]:
    """Run all traces through the model, and verify the drawn positions."""
    checked = drawn_looks(items, settings.verification)
    rows, differences = Rows(), Differences()
    progress = Progress(len(items), "traces")
    batches = in_batches(
        items,
        partial(run_batch, decoder),
        length=lambda item: len(item.ids),
        name=lambda item: f"trace {item.trace}",
        need=partial(batch_bytes, decoder),
        batch_memory=settings.batch_memory,
        padding=PADDING,
    )
    for batch, results in batches:
        for item, shares in zip(batch, results, strict=True):
            rows.add(item, shares)
            for k, look in enumerate(item.looks):
                if (item.trace, look.event) in checked:
                    differences.add(decoder, item, k, shares[k])
        progress.update(len(batch), sum(len(item.ids) for item in batch))
    progress.close()
    return rows, differences, progress


def main(
    *,
    traces_path: Path,
    tokens_path: Path,
    words_path: Path,
    prompts_path: Path,
    looks_path: Path,
    words_out_path: Path,
    layers_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, run the traces through the model, write the tables."""
    traces = TRACES.read(traces_path)
    of_kinds = pl.col("kind").is_in([BACKTRACK, CONTROL])
    tokens = ATTRIBUTION_TOKENS.read(tokens_path).filter(of_kinds)
    words = ATTRIBUTION_WORDS.read(words_path)
    prompts = ATTRIBUTION_PROMPTS.read(prompts_path)
    decoder = load_decoder(model)
    prove_rows(decoder)
    longest = decoder.max_positions
    items = traces_with_looks(traces, tokens, words, prompts, settings.choice, longest)
    rows, differences, progress = compute(decoder, items, settings)
    figures = differences.figures(model.dtype)
    for item in figures:
        logger.info("verification: %s %s of %d", item.check, item.value, item.n)
    VERIFICATION.write(verification_of(STAGE, figures), verification_path)
    RUNS.write(run_row(STAGE, ONE_SHARD, progress, decoder, len(items), ""), runs_path)
    for table, made, path in (
        (LOOK_BACK, rows.looks, looks_path),
        (LOOK_BACK_WORDS, rows.words, words_out_path),
        (LOOK_BACK_LAYERS, rows.layers, layers_path),
    ):
        table.write(table.frame(made).sort(table.sort), path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            tokens_path=Path(snakemake.input.tokens),
            words_path=Path(snakemake.input.words),
            prompts_path=Path(snakemake.input.prompts),
            looks_path=Path(snakemake.output.looks),
            words_out_path=Path(snakemake.output.words),
            layers_path=Path(snakemake.output.layers),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
