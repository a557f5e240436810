"""Token ids, cached positions and replay flag of every trace."""

import logging
from dataclasses import dataclass, replace

import polars as pl

from doubletake.model.batch_memory import unembedding_in_layers
from doubletake.model.decoder import Decoder
from doubletake.running.errors import InputError
from doubletake.stats.verification import Case, Verification, drawn
from doubletake.study.shards import rows_of_shard
from doubletake.text.trace_positions import thought_tokens

logger = logging.getLogger("cache_activations")


@dataclass(frozen=True)
class TraceInput:
    """One trace, as the forward pass reads it."""

    trace: str
    """Id of the trace."""
    ids: list[int]
    """Token ids of prompt and completion."""
    prompt_length: int
    """Number of prompt tokens."""
    thought: tuple[int, int] | None
    """First position of the thought, and the position after its last; None if the
    problem is not one for calibration."""
    logprobs: list[float] | None
    """Log-probs of the completion's tokens, as generated (nats); None: not replayed."""
    positions: list[int]
    """Positions whose activations are cached."""
    first_row: int
    """Row of the shard in which the first of these positions is cached."""


def traces_within(
    traces: pl.DataFrame, shard: str, max_positions: int
) -> tuple[pl.DataFrame, str]:
    """The shard's traces that the model can read, and a note on longer traces."""
    in_shard = rows_of_shard(traces, shard)
    lengths = pl.col("prompt_ids").list.len() + pl.col("completion_ids").list.len()
    refused = in_shard.filter(lengths > max_positions)["trace"].to_list()
    note = ""
    if refused:
        note = f"refused, longer than {max_positions} tokens: {', '.join(refused)}"
        logger.warning("%s", note)
    return in_shard.filter(lengths <= max_positions), note


def inputs_of(
    traces: pl.DataFrame, index: pl.DataFrame, calibration: set[str]
) -> list[TraceInput]:
    """One input per trace.

    Args:
        traces: rows of `TRACES`.
        index: rows of `ACTIVATION_INDEX` on these traces.
        calibration: problems whose thoughts give the mean residual.

    Raises:
        InputError: a trace has an empty prompt.
    """
    cached = {
        trace: (first, tokens)
        for trace, first, tokens in index.group_by("trace")
        .agg(first=pl.col("row").min(), tokens=pl.col("token").sort_by("row"))
        .iter_rows()
    }
    inputs = []
    for row in traces.iter_rows(named=True):
        if not row["prompt_ids"]:
            raise InputError(f"traces: trace {row['trace']} has an empty prompt")
        first, positions = cached.get(row["trace"], (0, []))
        is_calibration = row["problem"] in calibration
        inputs.append(
            TraceInput(
                trace=row["trace"],
                ids=row["prompt_ids"] + row["completion_ids"],
                prompt_length=len(row["prompt_ids"]),
                thought=thought_tokens(row) if is_calibration else None,
                logprobs=row["logprobs"],
                positions=positions,
                first_row=first,
            )
        )
    return inputs


def with_drawn_replays(
    inputs: list[TraceInput], decoder: Decoder, settings: Verification
) -> list[TraceInput]:
    """The inputs, of which only drawn ones keep log-probs: those are replayed.

    A replay unembeds every token of a completion. That costs as much as a few layers,
    and as much as many layers in a small model with a large vocabulary.

    Args:
        inputs: of the shard.
        decoder: the model.
        settings: how many traces are replayed.
    """
    cost = unembedding_in_layers(decoder)
    cases = [
        Case((item.trace,), cost * len(item.logprobs))
        for item in inputs
        if item.logprobs is not None
    ]
    work = sum(len(item.ids) for item in inputs) * decoder.n_layers
    names = {case.name for case in drawn(cases, work, settings)}
    return [
        item if (item.trace,) in names else replace(item, logprobs=None)
        for item in inputs
    ]


def check_vocabulary(inputs: list[TraceInput], vocabulary: int) -> None:
    """Refuse traces of another tokenizer.

    Raises:
        InputError: a trace holds a token that the model does not have. The message
            names the trace and the token.
    """
    for item in inputs:
        if max(item.ids) >= vocabulary:
            raise InputError(
                f"trace {item.trace}: token {max(item.ids)} is not in the model's "
                f"vocabulary of {vocabulary}"
            )
