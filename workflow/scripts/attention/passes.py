"""One forward pass over a batch of traces, and the rows of the table from it."""

from dataclasses import dataclass
from typing import Any

import polars as pl
import torch

from attention.bins import in_bins, visible_tokens
from attention.head_attribution import HeadReader
from attention.positions import Item
from attention.rows import Rows, reading
from attention.tables import ARRIVAL, ATTENTION, BINS
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked, projected
from doubletake.model.lens import Lens
from turns.reading import GROUPS


@dataclass
class Kept:
    """What one batch leaves behind: [position, ...], items in the batch's order."""

    attention: torch.Tensor
    """[position, layer, head, bin]."""
    tokens: torch.Tensor
    """[position, layer, bin], seen by the layer."""
    dla: torch.Tensor
    """[position, layer, head, group], logits."""
    unexplained: float
    """Largest |sum over heads - attention output|, logits."""
    rows: dict[tuple[str | int, ...], torch.Tensor]
    """Whole rows of the verified positions by trace and event: [layer, head, token]."""


@torch.inference_mode()
def pass_through(
    decoder: Decoder,
    heads: HeadReader,
    verified: set[tuple[str | int, ...]],
    batch: list[Item],
) -> Kept:
    """One forward pass; hooks reduce every layer to what the table holds."""
    device = decoder.device
    ids = padded([item.ids for item in batch]).to(device)
    positions = [[place.position for place in item.places] for item in batch]
    where = torch.tensor([(k, t) for k, part in enumerate(positions) for t in part])
    traces, tokens = where.to(device).unbind(1)
    names = [(item.trace, place.event) for item in batch for place in item.places]
    bins = torch.cat([item.bins for item in batch]).to(device)
    shape = (len(names), decoder.n_layers)
    n_heads = decoder.config.num_attention_heads
    kept = Kept(
        attention=torch.empty(*shape, n_heads, len(BINS), device=device),
        tokens=torch.empty(*shape, len(BINS), dtype=torch.int32, device=device),
        dla=torch.empty(*shape, n_heads, len(GROUPS), device=device),
        unexplained=0.0,
        rows={},
    )
    states: dict[str, dict[int, torch.Tensor]] = {"resid": {}, "attn_out": {}, "z": {}}

    def bin_rows(rows: Rows) -> None:
        part, layer = bins[rows.wanted], rows.layer
        kept.attention[rows.wanted, layer] = in_bins(rows.weights, part)
        seen = visible_tokens(part, rows.positions, rows.reach)
        kept.tokens[rows.wanted, layer] = seen.int()
        for name, weights in zip(names[rows.wanted], rows.weights, strict=True):
            if name in verified:
                shape = (decoder.n_layers, *weights.shape)
                kept.rows.setdefault(name, torch.zeros(shape))[layer] = weights.cpu()

    def keep(name: str, layer: int, values: torch.Tensor) -> None:
        if name in states:
            states[name][layer] = values[traces, tokens]

    with (
        reading(decoder, positions, bin_rows),
        hooked(decoder, keep),
        projected(decoder, lambda layer, z: keep("z", layer, z)),
    ):
        decoder.base(input_ids=ids, use_cache=False)
    scale = Lens.of(decoder).scale(states["resid"][decoder.n_layers])
    errors = []
    for layer in range(decoder.n_layers):
        found, bias = heads.of_heads(layer, states["z"][layer], scale)
        kept.dla[:, layer] = found
        whole = heads.of_writes(states["attn_out"][layer], scale)
        errors.append((found.sum(1) + bias - whole).abs().max())
    kept.unexplained = torch.stack(errors).max().item()  # keeps a NaN
    kept.attention, kept.tokens, kept.dla = (
        part.cpu() for part in (kept.attention, kept.tokens, kept.dla)
    )
    return kept


def table_of(batch: list[Item], kept: Kept) -> pl.DataFrame:
    """Rows of `schemas.ATTENTION`."""
    count, layers = kept.tokens.shape[:2]
    places = [(item, place) for item in batch for place in item.places]
    spans = torch.cat([item.bins for item in batch])
    own, arrival = (spans[:, BINS.index(name)] for name in ("own_sentence", ARRIVAL))
    arrived = (arrival[:, 1] > arrival[:, 0]).tolist()
    is_own = (arrival[:, 0] == own[:, 0]).tolist()

    def lists(name: str, values: torch.Tensor) -> pl.Series:
        flat = values.reshape(count * layers, -1).numpy()
        return pl.Series(name, flat).cast(ATTENTION.schema[name])

    def each(values: list[Any]) -> list[Any]:
        return [value for value in values for _ in range(layers)]

    table = pl.DataFrame(
        {
            "trace": each([item.trace for item, _ in places]),
            "problem": each([item.problem for item, _ in places]),
            "event": pl.Series(each([p.event for _, p in places]), dtype=pl.Int32),
            "kind": each([place.kind for _, place in places]),
            "position": pl.Series(
                each([p.position for _, p in places]), dtype=pl.Int32
            ),
            "layer": pl.Series(list(range(layers)) * count, dtype=pl.Int32),
            "arrived": each(arrived),
            "is_own": each(is_own),
            "tokens": lists("tokens", kept.tokens),
            **{
                name: lists(name, kept.attention[..., k]) for k, name in enumerate(BINS)
            },
            **{
                f"dla_{group}": lists(f"dla_{group}", kept.dla[..., k])
                for k, group in enumerate(GROUPS)
            },
        }
    )
    known = {
        name: pl.when("arrived").then(source)
        for name, source in ((ARRIVAL, ARRIVAL), ("arrival_is_own", "is_own"))
    }
    return ATTENTION.check(table.with_columns(**known).select(list(ATTENTION.schema)))
