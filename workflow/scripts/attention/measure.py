"""Where do heads look when the model turns back, and what do they write?

One forward pass over each trace up to its last wanted position. Where a backtrack or
one of its controls is about to be predicted, attention rows of all heads are computed
beside the model's own attention (`attention.rows`) and summed over bins
(`attention.bins`); the heads' outputs are read through the output projection
as direct logit attribution to the words of a turn (`attention.head_attribution`).

Inputs
    traces: `schemas.TRACES`.
    events: the arrivals (`schemas.EVENTS`).
    turns: the positions (`schemas.TURNS`).
    words: the target words (`schemas.TURN_WORDS`).
    the model.

Outputs, of one shard
    attention: one row per position and layer (`schemas.ATTENTION`).
    verification: rows against eager attention weights, heads against the whole
        attention output (`schemas.VERIFICATION`).
    runs: what the shard cost (`schemas.RUNS`).
"""

import logging
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from attention.head_attribution import HeadReader
from attention.passes import Kept, pass_through, table_of
from attention.positions import Item, items_of
from attention.rows import eager_weights, prove_rows
from attention.tables import ATTENTION, PARTITION
from doubletake.model.batch_memory import forward_tokens
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.running.logs import Progress, job
from doubletake.running.run_rows import run_row
from doubletake.stats.verification import (
    Case,
    Largest,
    Verification,
    drawn,
    with_verification,
)
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import (
    VERIFICATION,
    VerificationRow,
    verification_of,
)
from events.tables import EVENTS
from traces.tables import TRACES
from turns.reading import GROUPS, target_ids
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("attention")

STAGE = "attention"
FLOAT32_BOUNDS = {"rows": 1e-5, "heads": 1e-3}  # weights; logits
SUM_BOUND = 1e-5  # rows are float32 whatever the model is
EAGER_TOKENS = 2048  # longest sequence that is checked, its rows taken together


@dataclass(frozen=True)
class Settings:
    """The budgets of memory and of verification."""

    batch_memory: float
    """Memory that one batch may take beyond the model, GiB."""
    verification: Verification
    """How many positions of a shard have their rows computed by eager attention too."""


def readable(items: list[Item], longest: int) -> tuple[list[Item], str]:
    """The items that the model can read, and a note on those too long."""
    refused = [item.trace for item in items if len(item.ids) > longest]
    note = ""
    if refused:
        note = f"refused, longer than {longest} tokens: {', '.join(refused)}"
        logger.warning("%s", note)
    return [item for item in items if len(item.ids) <= longest], note


def verified_of(
    items: list[Item], settings: Verification
) -> set[tuple[str | int, ...]]:
    """Trace and event of the positions to check; costs are tokens of all layers.

    Args:
        items: of the shard, without those that were refused.
        settings: how many.
    """
    cases = [
        Case((item.trace, place.event), place.position + 1)
        for item in items
        for place in item.places
        if place.position < EAGER_TOKENS
    ]
    work = sum(len(item.ids) for item in items)
    return {case.name for case in drawn(cases, work, settings)}


def largest_difference(
    decoder: Decoder,
    items: list[Item],
    rows: dict[tuple[str | int, ...], torch.Tensor],
) -> Largest:
    """Largest |row - eager attention weight| of the verified positions."""
    worst = Largest()
    for item in items:
        for place in item.places:
            found = rows.get((item.trace, place.event))
            if found is not None:
                ids = item.ids[: place.position + 1]
                wanted = eager_weights(decoder, ids)
                ours = found[..., : len(ids)]
                worst.add((ours - wanted).abs().max().item())
    return worst


@dataclass
class Shard:
    """What the passes of a shard gave."""

    tables: list[pl.DataFrame]
    rows: dict[tuple[str | int, ...], torch.Tensor]
    unexplained: Largest = field(default_factory=Largest)
    not_one: Largest = field(default_factory=Largest)
    """Largest |sum over the partition - 1|."""

    def add(self, batch: list[Item], kept: Kept) -> None:
        """Take in one batch."""
        self.tables.append(table_of(batch, kept))
        self.rows |= kept.rows
        count = len(kept.attention)
        self.unexplained.add(kept.unexplained, count)
        total = kept.attention[..., : len(PARTITION)].sum(-1)
        self.not_one.add((total - 1).abs().max().item(), count)

    def table(self) -> pl.DataFrame:
        """All rows, in an order that no batch changes."""
        rows = pl.concat([ATTENTION.schema.to_frame(), *self.tables])
        return rows.sort("trace", "event", "layer")

    def verification(self, difference: Largest, dtype: str) -> pl.DataFrame:
        """Rows of `schemas.VERIFICATION`; only float32 has bounds of rounding."""
        bounds = FLOAT32_BOUNDS if dtype == "float32" else {}
        rows = "attention rows against eager attention weights"
        heads = "heads and bias against the whole attention output"
        figures = [
            (rows, difference, "1", bounds.get("rows")),
            ("attention in bins against 1", self.not_one, "1", SUM_BOUND),
            (heads, self.unexplained, "logit", bounds.get("heads")),
        ]
        return verification_of(
            STAGE,
            [
                VerificationRow(
                    check=check,
                    statistic="max |difference|",
                    value=worst.value,
                    unit=unit,
                    n=worst.n,
                    bound=bound,
                    merge="max",
                )
                for check, worst, unit, bound in figures
            ],
        )


def compute(
    decoder: Decoder, items: list[Item], heads: HeadReader, settings: Settings
) -> tuple[Shard, Progress]:
    """Pass all items through the model."""
    verified = verified_of(items, settings.verification)
    shard = Shard([], {})
    progress = Progress(len(items), "traces")
    passes = in_batches(
        items,
        partial(pass_through, decoder, heads, verified),
        length=lambda item: len(item.ids),
        name=lambda item: f"trace {item.trace}",
        batch_tokens=forward_tokens(decoder, settings.batch_memory),
    )
    for batch, kept in passes:
        shard.add(batch, kept)
        progress.update(len(batch), sum(len(item.ids) for item in batch))
    progress.close()
    return shard, progress


def main(
    *,
    traces_path: Path,
    events_path: Path,
    turns_path: Path,
    words_path: Path,
    attention_path: Path,
    verification_path: Path,
    runs_path: Path,
    shard: str,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, pass the shard's traces through the model, write the tables."""
    traces = rows_of_shard(TRACES.read(traces_path), shard)
    events = EVENTS.read(events_path)
    targets = target_ids(TURN_WORDS.read(words_path))
    items = items_of(traces, events, TURNS.read(turns_path))
    decoder = load_decoder(model)
    prove_rows(decoder)
    items, note = readable(items, decoder.max_positions)
    heads = HeadReader(decoder, [targets[group] for group in GROUPS])
    done, progress = compute(decoder, items, heads, settings)
    difference = largest_difference(decoder, items, done.rows)
    checks = done.verification(difference, model.dtype)
    for row in checks.iter_rows(named=True):
        logger.info("verification: %(check)s: %(value)s over %(n)d", row)
    VERIFICATION.write(checks, verification_path)
    run = run_row(STAGE, shard, progress, decoder, progress.items, note)
    RUNS.write(run, runs_path)
    ATTENTION.write(done.table(), attention_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            turns_path=Path(snakemake.input.turns),
            words_path=Path(snakemake.input.words),
            attention_path=Path(snakemake.output.attention),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            shard=snakemake.wildcards.shard,
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
