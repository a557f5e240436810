"""The traces of a shard as they go through the model."""

import logging
from dataclasses import dataclass, replace

import polars as pl

from doubletake.model.batch_memory import unembedding_in_layers
from doubletake.model.decoder import Decoder
from doubletake.running.errors import InputError
from doubletake.stats.verification import Case, Verification, drawn
from doubletake.study.shards import rows_of_shard
from doubletake.text.thoughts import thought_tokens

logger = logging.getLogger("doubletake.cache_activations")


@dataclass(frozen=True)
class Item:
    """One trace on its way through the model."""

    trace: str
    ids: list[int]
    """Prompt and completion."""
    prompt: int
    """Number of prompt tokens."""
    thought: tuple[int, int] | None
    """First position of the thought and the one after its last, of a calibration
    problem."""
    logprobs: list[float] | None
    """Of the completion's tokens, as generated (nats); None: not to be replayed."""
    positions: list[int]
    """What to keep."""
    row: int
    """Where the kept rows begin in the shard."""


def readable(
    traces: pl.DataFrame, shard: str, longest: int
) -> tuple[pl.DataFrame, str]:
    """The shard's traces that the model can read, and a note on those too long."""
    mine = rows_of_shard(traces, shard)
    lengths = pl.col("prompt_ids").list.len() + pl.col("completion_ids").list.len()
    refused = mine.filter(lengths > longest)["trace"].to_list()
    note = ""
    if refused:
        note = f"refused, longer than {longest} tokens: {', '.join(refused)}"
        logger.warning("%s", note)
    return mine.filter(lengths <= longest), note


def items_of(
    traces: pl.DataFrame, index: pl.DataFrame, calibration: set[str]
) -> list[Item]:
    """What the pass needs to know of every trace.

    Raises:
        InputError: a trace without prompt.
    """
    kept = {
        trace: (first, tokens)
        for trace, first, tokens in index.group_by("trace")
        .agg(first=pl.col("row").min(), tokens=pl.col("token").sort_by("row"))
        .iter_rows()
    }
    items = []
    for row in traces.iter_rows(named=True):
        if not row["prompt_ids"]:
            raise InputError(f"traces: trace {row['trace']} has an empty prompt")
        ids = row["prompt_ids"] + row["completion_ids"]
        thought = thought_tokens(row)
        first, positions = kept.get(row["trace"], (0, []))
        items.append(
            Item(
                trace=row["trace"],
                ids=ids,
                prompt=len(row["prompt_ids"]),
                thought=thought if row["problem"] in calibration else None,
                logprobs=row["logprobs"],
                positions=positions,
                row=first,
            )
        )
    return items


def replayed(items: list[Item], decoder: Decoder, settings: Verification) -> list[Item]:
    """The items, with log-probs only where they are to be replayed.

    To replay is to unembed every token of a completion, which costs as much as some
    layers: in small models with large vocabularies as much as many.

    Args:
        items: of the shard.
        decoder: the model.
        settings: how many are replayed.
    """
    cost = unembedding_in_layers(decoder)
    cases = [
        Case((item.trace,), cost * len(item.logprobs))
        for item in items
        if item.logprobs is not None
    ]
    work = sum(len(item.ids) for item in items) * decoder.n_layers
    names = {case.name for case in drawn(cases, work, settings)}
    return [
        item if (item.trace,) in names else replace(item, logprobs=None)
        for item in items
    ]


def check_vocabulary(items: list[Item], vocabulary: int) -> None:
    """Refuse traces of another tokenizer.

    Raises:
        InputError: a trace holds a token that the model does not have; names both.
    """
    for item in items:
        if max(item.ids) >= vocabulary:
            raise InputError(
                f"trace {item.trace}: token {max(item.ids)} is not in the model's "
                f"vocabulary of {vocabulary}"
            )
