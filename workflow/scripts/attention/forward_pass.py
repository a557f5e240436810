"""One forward pass over a batch of traces: makes attention rows of its turns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import torch

from attention.head_attribution import HeadReader, write_logits
from attention.selected_turns import TraceTurns
from attention.tables import ARRIVAL, ATTENTION, BINS
from attention.token_bins import attention_by_bin, visible_tokens
from doubletake.model.attention_weights import ROW_BLOCK, AttentionRows, reading_rows
from doubletake.model.batch_memory import FLOAT32, Widths, forward_bytes
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked, projected
from turns.reading import GROUPS

DLA_COLUMNS = (*(f"dla_{group}" for group in GROUPS), "dla_vocabulary")
TurnKey = tuple[str | int, ...]
"""Trace and event of a turn."""


@dataclass
class BatchResult:
    """Results of one batch; positions follow the traces in their order."""

    attention: torch.Tensor
    """[position, layer, head, bin]."""
    tokens: torch.Tensor
    """[position, layer, bin], tokens that the layer sees."""
    sink: torch.Tensor
    """[position, layer, head], share of the attention sink; NaN without sinks."""
    dla: torch.Tensor
    """[position, layer, head, group + 1], logits; the last is the vocabulary's mean."""
    unexplained: float
    """Largest |sum over heads and bias - attention output|, logits."""
    verified_rows: dict[TurnKey, torch.Tensor]
    """Whole attention rows of the verified turns: [layer, head, token]."""


def batch_bytes(decoder: Decoder, batch: Sequence[TraceTurns]) -> float:
    """Peak memory of `run_batch` in addition to the model, in bytes.

    The states at the positions stay. The rows of a layer come while its attention runs,
    and the heads are read after the pass.
    """
    w = Widths.of(decoder)
    longest = len(batch[0].ids)
    positions = sum(len(item.turns) for item in batch)
    states = w.layers * (2 * w.d + w.queries) + w.d
    table = w.layers * w.heads * (len(BINS) + len(DLA_COLUMNS) + 1)  # and the sink
    kept = positions * (states * w.size + table * FLOAT32)
    tokens = len(batch) * longest
    rows = min(ROW_BLOCK, max(len(item.turns) for item in batch))
    # Scores, weights and their copies; the layer's inputs, queries, keys and values.
    reading = longest * FLOAT32 * (3 * rows * w.heads + w.keys)
    reading += tokens * w.size * (3 * w.d + w.queries + 2 * w.keys)
    # Directions and their products with the output projection, which is in float32.
    heads = FLOAT32 * w.queries * (w.d + positions * 2 * len(DLA_COLUMNS))
    heads += FLOAT32 * positions * len(DLA_COLUMNS) * w.d
    return kept + max(forward_bytes(w, len(batch), longest), reading, heads)


@torch.inference_mode()
def run_batch(
    decoder: Decoder,
    heads: HeadReader,
    verified: set[TurnKey],
    batch: list[TraceTurns],
) -> BatchResult:
    """Run one forward pass; hooks reduce every layer to the values of the table."""
    device = decoder.device
    ids = padded([item.ids for item in batch]).to(device)
    positions = [[turn.position for turn in item.turns] for item in batch]
    pairs = torch.tensor([(k, t) for k, part in enumerate(positions) for t in part])
    sequences, tokens = pairs.to(device).unbind(1)
    keys = [(item.trace, turn.event) for item in batch for turn in item.turns]
    bins = torch.cat([item.bins for item in batch]).to(device)
    result = _empty_result(decoder, len(keys))
    states: dict[str, dict[int, torch.Tensor]] = {"resid": {}, "attn_out": {}, "z": {}}

    def keep_rows(rows: AttentionRows) -> None:
        part, layer = bins[rows.in_batch], rows.layer
        result.attention[rows.in_batch, layer] = attention_by_bin(rows.weights, part)
        if rows.sink is not None:
            result.sink[rows.in_batch, layer] = rows.sink
        seen = visible_tokens(part, rows.positions, rows.window)
        result.tokens[rows.in_batch, layer] = seen.int()
        for key, weights in zip(keys[rows.in_batch], rows.weights, strict=True):
            if key in verified:
                empty = torch.zeros(decoder.n_layers, *weights.shape)
                of_turn = result.verified_rows.setdefault(key, empty)
                of_turn[layer] = weights.cpu()

    def keep_states(name: str, layer: int, values: torch.Tensor) -> None:
        if name in states:
            states[name][layer] = values[sequences, tokens]

    with (
        reading_rows(decoder, positions, keep_rows),
        hooked(decoder, keep_states),
        projected(decoder, lambda layer, z: keep_states("z", layer, z)),
    ):
        decoder.base(input_ids=ids, use_cache=False)
    _attribute_heads(decoder, heads, states, result)
    result.attention, result.tokens, result.sink, result.dla = (
        part.cpu()
        for part in (result.attention, result.tokens, result.sink, result.dla)
    )
    return result


def _empty_result(decoder: Decoder, count: int) -> BatchResult:
    """Room for the results of so many positions, on the decoder's device."""
    shape, device = (count, decoder.n_layers), decoder.device
    n_heads = decoder.config.num_attention_heads
    return BatchResult(
        attention=torch.empty(*shape, n_heads, len(BINS), device=device),
        tokens=torch.empty(*shape, len(BINS), dtype=torch.int32, device=device),
        sink=torch.full((*shape, n_heads), torch.nan, device=device),
        dla=torch.empty(*shape, n_heads, len(DLA_COLUMNS), device=device),
        unexplained=0.0,
        verified_rows={},
    )


def _attribute_heads(
    decoder: Decoder,
    heads: HeadReader,
    states: dict[str, dict[int, torch.Tensor]],
    result: BatchResult,
) -> None:
    """Fill in `dla` and `unexplained` from the states at the positions."""
    targets = heads.targets(states["resid"][decoder.n_layers])
    errors = []
    for layer in range(decoder.n_layers):
        by_head, bias = heads.head_logits(layer, states["z"][layer], targets)
        result.dla[:, layer] = by_head
        whole = write_logits(states["attn_out"][layer], targets)
        errors.append((by_head.sum(1) + bias - whole).abs().max())
    result.unexplained = torch.stack(errors).max().item()  # keeps a NaN


def attention_table(batch: list[TraceTurns], result: BatchResult) -> pl.DataFrame:
    """Rows of `attention.tables.ATTENTION`."""
    count, layers = result.tokens.shape[:2]
    turns = [(item, turn) for item in batch for turn in item.turns]
    bins = torch.cat([item.bins for item in batch])
    current, arrival = (
        bins[:, BINS.index(name)] for name in ("current_sentence", ARRIVAL)
    )
    has_arrival = (arrival[:, 1] > arrival[:, 0]).tolist()
    is_current = (arrival[:, 0] == current[:, 0]).tolist()

    def lists(name: str, values: torch.Tensor) -> pl.Series:
        flat = values.reshape(count * layers, -1).numpy()
        return pl.Series(name, flat).cast(ATTENTION.schema[name])

    def per_layer(values: list[Any]) -> list[Any]:
        return [value for value in values for _ in range(layers)]

    events = per_layer([turn.event for _, turn in turns])
    positions = per_layer([turn.position for _, turn in turns])
    table = pl.DataFrame(
        {
            "trace": per_layer([item.trace for item, _ in turns]),
            "problem": per_layer([item.problem for item, _ in turns]),
            "event": pl.Series(events, dtype=pl.Int32),
            "kind": per_layer([turn.kind for _, turn in turns]),
            "position": pl.Series(positions, dtype=pl.Int32),
            "layer": pl.Series(list(range(layers)) * count, dtype=pl.Int32),
            "has_arrival": per_layer(has_arrival),
            "is_current": per_layer(is_current),
            "tokens": lists("tokens", result.tokens),
            **{
                name: lists(name, result.attention[..., k])
                for k, name in enumerate(BINS)
            },
            "sink": None if result.sink.isnan().all() else lists("sink", result.sink),
            **{
                name: lists(name, result.dla[..., k])
                for k, name in enumerate(DLA_COLUMNS)
            },
        }
    )
    sources = {ARRIVAL: ARRIVAL, "arrival_is_current": "is_current"}
    of_arrival = {
        name: pl.when("has_arrival").then(source) for name, source in sources.items()
    }
    table = table.with_columns(**of_arrival)
    table = table.with_columns(pl.col("sink").cast(ATTENTION.schema["sink"]))
    return ATTENTION.check(table.select(list(ATTENTION.schema)))
