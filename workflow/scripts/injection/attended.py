"""How much later tokens attend to a token, with and without an injection there."""

from collections.abc import Sequence
from functools import partial

import torch

from doubletake.model.attention_weights import AttentionRows, reading_rows
from doubletake.model.batch_memory import FLOAT32, Widths, forward_bytes
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import replaced
from injection.contexts import Context
from injection.injections import Injection
from injection.tables import attending_distances


@torch.inference_mode()
def attention_to_token(
    decoder: Decoder,
    context: Context,
    injections: Sequence[Injection | None],
    batch_memory: float,
) -> torch.Tensor:
    """Attention to the context's token from the tokens after it, mean over heads.

    Args:
        decoder: the model.
        context: the token.
        injections: what is added there, once; None: nothing.
        batch_memory: for one batch in addition to the model, in GiB.

    Returns:
        [injection, layer, distance of `attending_distances`], float32.
    """
    distances = attending_distances(context.distance)
    found = torch.empty(len(injections), decoder.n_layers, len(distances))
    widths = Widths.of(decoder)
    batches = in_batches(
        list(enumerate(injections)),
        lambda batch: _read(decoder, context, [one for _, one in batch]),
        length=lambda _: len(context.ids),
        name=lambda _: context.name,
        need=lambda batch: batch_bytes(widths, context, len(batch)),
        batch_memory=batch_memory,
    )
    for batch, values in batches:
        found[[number for number, _ in batch]] = values
    return found


def batch_bytes(w: Widths, context: Context, injections: int) -> float:
    """Peak memory of a batch in addition to the model, in bytes.

    Args:
        w: widths of the model.
        context: the tokens.
        injections: number of rows.
    """
    length = len(context.ids)
    rows = len(attending_distances(context.distance))
    tokens = injections * length
    reading = length * FLOAT32 * (3 * rows * w.heads + w.keys)
    reading += tokens * w.size * (3 * w.d + w.queries + 2 * w.keys)
    return max(forward_bytes(w, injections, length), reading)


def _read(
    decoder: Decoder, context: Context, injections: list[Injection | None]
) -> torch.Tensor:
    """Attention of a batch: [injection, layer, distance]."""
    distances = attending_distances(context.distance)
    positions = [context.token + distance for distance in distances]
    found = torch.empty(len(injections), decoder.n_layers, len(distances))

    def keep(rows: AttentionRows) -> None:
        number, first = divmod(rows.in_batch.start, len(positions))
        to_token = rows.weights[..., context.token].mean(-1).cpu()
        found[number, rows.layer, first : first + len(to_token)] = to_token

    ids = torch.tensor(context.ids, device=decoder.device).expand(len(injections), -1)
    places = {("resid", one.boundary) for one in injections if one is not None}
    with (
        replaced(decoder, partial(_added, injections, context.token), places),
        reading_rows(decoder, [positions] * len(injections), keep),
    ):
        decoder.base(input_ids=ids, use_cache=False)
    return found


def _added(
    injections: list[Injection | None],
    token: int,
    _: str,
    layer: int,
    states: torch.Tensor,
) -> torch.Tensor:
    """States [row, token, d_model] with the vectors of this boundary at the token."""
    states = states.clone()
    for row, one in enumerate(injections):
        if one is not None and one.boundary == layer:
            changed = states[row, token].float() + one.vector.to(states.device)
            states[row, token] = changed.to(states.dtype)
    return states
