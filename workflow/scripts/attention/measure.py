"""Where do heads look when the model turns back, and what do they write?

Every trace with a selected backtrack or control gets one forward pass, up to its last
selected position. Beside the model's own attention, the pass computes the attention
rows of all heads at the selected positions (`doubletake.model.attention_weights`) and
sums them over bins of tokens (`attention.token_bins`). The heads' outputs are read as
direct logit attribution to the turn words (`attention.head_attribution`).

Inputs
    traces: `traces.tables.TRACES`.
    events: `events.tables.EVENTS`, the arrivals.
    turns: `turns.tables.TURNS`, the positions.
    words: `turns.tables.TURN_WORDS`, the target words.
    the model.

Outputs, of one shard
    attention: `attention.tables.ATTENTION`, one row per position and layer.
    verification: `doubletake.tables.verification.VERIFICATION`, attention rows against
        eager attention weights, heads against the whole attention output.
    runs: `doubletake.tables.runs.RUNS`, the cost of the shard.
"""

import logging
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from attention.forward_pass import (
    BatchResult,
    TurnKey,
    attention_table,
    batch_bytes,
    run_batch,
)
from attention.head_attribution import HeadReader
from attention.selected_turns import TraceTurns, traces_with_turns
from attention.tables import ATTENTION, PARTITION
from doubletake.model.attention_weights import eager_weights, prove_rows
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
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

logger = logging.getLogger("measure_attention")

STAGE = "attention"
# ASSUME: rounding in float32 stays under these bounds; 16-bit models have no bound.
FLOAT32_BOUNDS = {"rows": 1e-5, "heads": 1e-3}  # of weights; of logits
SUM_BOUND = 1e-5  # the rows are float32 in every model dtype
EAGER_TOKENS = 2048  # longest sequence that is checked against eager attention


@dataclass(frozen=True)
class Settings:
    """The budgets of memory and of verification."""

    batch_memory: float
    """Memory for one batch in addition to the model, in GiB."""
    verification: Verification
    """How many positions of a shard are also computed by eager attention."""


def readable(items: list[TraceTurns], longest: int) -> tuple[list[TraceTurns], str]:
    """The traces that the model can read, and a note on traces that are too long."""
    refused = [item.trace for item in items if len(item.ids) > longest]
    note = ""
    if refused:
        note = f"refused, longer than {longest} tokens: {', '.join(refused)}"
        logger.warning("%s", note)
    return [item for item in items if len(item.ids) <= longest], note


def turns_to_verify(items: list[TraceTurns], settings: Verification) -> set[TurnKey]:
    """The turns to check; the cost of a turn is the number of its tokens.

    Args:
        items: traces of the shard, without the refused ones.
        settings: how many turns.
    """
    cases = [
        Case((item.trace, turn.event), turn.position + 1)
        for item in items
        for turn in item.turns
        if turn.position < EAGER_TOKENS
    ]
    work = sum(len(item.ids) for item in items)
    return {case.name for case in drawn(cases, work, settings)}


def largest_difference(
    decoder: Decoder, items: list[TraceTurns], rows: dict[TurnKey, torch.Tensor]
) -> Largest:
    """Largest |row - eager attention weight| of the verified turns."""
    worst = Largest()
    for item in items:
        for turn in item.turns:
            weights = rows.get((item.trace, turn.event))
            if weights is not None:
                ids = item.ids[: turn.position + 1]
                expected = eager_weights(decoder, ids)
                worst.add((weights[..., : len(ids)] - expected).abs().max().item())
    return worst


@dataclass
class ShardResult:
    """Results of all forward passes of a shard."""

    tables: list[pl.DataFrame] = field(default_factory=list)
    """One per batch."""
    verified_rows: dict[TurnKey, torch.Tensor] = field(default_factory=dict)
    """Whole attention rows of the verified turns: [layer, head, token]."""
    unexplained: Largest = field(default_factory=Largest)
    """Largest |sum over heads and bias - attention output|, logits."""
    sum_error: Largest = field(default_factory=Largest)
    """Largest |sum over the partition and the sink - 1|."""

    def add(self, batch: list[TraceTurns], result: BatchResult) -> None:
        """Add the results of one batch."""
        self.tables.append(attention_table(batch, result))
        self.verified_rows |= result.verified_rows
        count = len(result.attention)
        self.unexplained.add(result.unexplained, count)
        total = result.attention[..., : len(PARTITION)].sum(-1)
        total += result.sink.nan_to_num(0.0)
        self.sum_error.add((total - 1).abs().max().item(), count)

    def table(self) -> pl.DataFrame:
        """All rows, in an order that does not depend on the batches."""
        rows = pl.concat([ATTENTION.schema.to_frame(), *self.tables])
        return rows.sort("trace", "event", "layer")

    def verification(self, difference: Largest, dtype: str) -> pl.DataFrame:
        """`doubletake.tables.verification.VERIFICATION`; only float32 has bounds."""
        bounds = FLOAT32_BOUNDS if dtype == "float32" else {}
        rows = "attention rows against eager attention weights"
        heads = "heads and bias against the whole attention output"
        figures = [
            (rows, difference, "1", bounds.get("rows")),
            ("attention in bins against 1", self.sum_error, "1", SUM_BOUND),
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
    decoder: Decoder, items: list[TraceTurns], heads: HeadReader, settings: Settings
) -> tuple[ShardResult, Progress]:
    """Run all traces through the model."""
    verified = turns_to_verify(items, settings.verification)
    results = ShardResult()
    progress = Progress(len(items), "traces")
    batches = in_batches(
        items,
        partial(run_batch, decoder, heads, verified),
        length=lambda item: len(item.ids),
        name=lambda item: f"trace {item.trace}",
        need=partial(batch_bytes, decoder),
        batch_memory=settings.batch_memory,
    )
    for batch, result in batches:
        results.add(batch, result)
        progress.update(len(batch), sum(len(item.ids) for item in batch))
    progress.close()
    return results, progress


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
    """Read the tables, run the shard's traces through the model, write the tables."""
    traces = rows_of_shard(TRACES.read(traces_path), shard)
    events = EVENTS.read(events_path)
    targets = target_ids(TURN_WORDS.read(words_path))
    items = traces_with_turns(traces, events, TURNS.read(turns_path))
    decoder = load_decoder(model)
    prove_rows(decoder)
    items, note = readable(items, decoder.max_positions)
    heads = HeadReader(decoder, [targets[group] for group in GROUPS])
    results, progress = compute(decoder, items, heads, settings)
    difference = largest_difference(decoder, items, results.verified_rows)
    checks = results.verification(difference, model.dtype)
    for row in checks.iter_rows(named=True):
        logger.info("verification: %(check)s: %(value)s over %(n)d", row)
    VERIFICATION.write(checks, verification_path)
    run = run_row(STAGE, shard, progress, decoder, progress.items, note)
    RUNS.write(run, runs_path)
    ATTENTION.write(results.table(), attention_path)


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
