"""How far an injection moves the next tokens, in passes over the unsteered tokens.

The tokens before the injected one are read once. Then the injected token and those that
follow are read in rows that differ in what is added. The first rows of every batch are
without a vector, one for each factor of attention. An injection of strength 0 makes a
row equal to them, bit by bit, so its divergence is 0.
"""

from collections.abc import Sequence
from functools import partial

import torch
from transformers import DynamicCache

from doubletake.model.architectures import attention_windows
from doubletake.model.batch_memory import Widths, cache_bytes, reading_bytes
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import replaced
from doubletake.model.lens import Lens
from injection.contexts import Context
from injection.injections import Injection
from injection.tables import ALWAYS

FLOAT64 = 8  # bytes


@torch.inference_mode()
def divergences(
    decoder: Decoder,
    context: Context,
    injections: Sequence[Injection],
    batch_memory: float,
) -> torch.Tensor:
    """KL(unsteered || injected) of the next token's distribution.

    Args:
        decoder: the model.
        context: where the vectors are added.
        injections: what is added.
        batch_memory: for one batch in addition to the model, in GiB.

    Returns:
        [injection, distance], float64, nats; distance 0 is the injected token.
    """
    prefix = DynamicCache()
    ids = torch.tensor([context.ids[: context.token]], device=decoder.device)
    decoder.base(input_ids=ids, past_key_values=prefix, use_cache=True)
    found = torch.empty(len(injections), context.distance + 1, dtype=torch.float64)
    widths, factors = Widths.of(decoder), len({one.factor for one in injections})
    batches = in_batches(
        list(enumerate(injections)),
        lambda batch: _read(decoder, context, prefix, [one for _, one in batch]),
        length=lambda _: len(context.ids),
        name=lambda _: context.name,
        need=lambda batch: batch_bytes(widths, context, len(batch), factors),
        batch_memory=batch_memory,
    )
    for batch, values in batches:
        found[[number for number, _ in batch]] = values
    return found


def batch_bytes(w: Widths, context: Context, injections: int, factors: int) -> float:
    """Peak memory of a batch in addition to the model, in bytes.

    Keys and values of the prefix are copied for each row, and those of a layer once
    more while new ones are appended. Log-probs of a row are computed in float64; those
    of the unsteered rows stay.

    Args:
        w: widths of the model.
        context: the tokens.
        injections: number of rows with a vector.
        factors: number of rows without one.
    """
    rows, new, keys = injections + factors, context.distance + 1, len(context.ids)
    cached = cache_bytes(w, rows * keys)
    appended = cached / w.layers
    masks = rows * new * keys * w.size
    reading = masks + appended + reading_bytes(w, rows, new, keys)
    states = rows * new * w.d * w.size
    logits = states + (factors + 4) * new * w.vocabulary * FLOAT64
    return cached + max(reading, logits)


def _read(
    decoder: Decoder,
    context: Context,
    prefix: DynamicCache,
    injections: list[Injection],
) -> torch.Tensor:
    """Divergences of a batch: [injection, distance]."""
    factors = sorted({one.factor for one in injections})
    row_factors = [*factors, *(one.factor for one in injections)]
    rows, new = len(row_factors), context.distance + 1
    device = decoder.device
    ids = torch.tensor(context.ids[context.token :], device=device).expand(rows, -1)
    positions = torch.arange(context.token, len(context.ids), device=device)
    with replaced(
        decoder,
        partial(_added, injections, len(factors)),
        {("resid", one.boundary) for one in injections},
    ):
        output = decoder.base(
            input_ids=ids,
            position_ids=positions.expand(rows, -1),
            attention_mask=_masks(decoder, positions, row_factors),
            past_key_values=_copies(prefix, rows),
            use_cache=True,
        )
    states = output.last_hidden_state
    unsteered = {f: _logprobs(decoder, states[k]) for k, f in enumerate(factors)}
    found = torch.empty(len(injections), new, dtype=torch.float64)
    for number, one in enumerate(injections):
        injected = _logprobs(decoder, states[len(factors) + number])
        found[number] = divergence(unsteered[one.factor], injected).cpu()
    return found


def divergence(unsteered: torch.Tensor, injected: torch.Tensor) -> torch.Tensor:
    """KL(unsteered || injected) from log-probs [..., vocabulary], nats: [...]."""
    return (unsteered.exp() * (unsteered - injected)).sum(-1)


def _logprobs(decoder: Decoder, states: torch.Tensor) -> torch.Tensor:
    logits = Lens.of(decoder).model_logits(states)
    return logits.double().log_softmax(-1)


def _added(
    injections: list[Injection],
    unsteered: int,
    _: str,
    layer: int,
    states: torch.Tensor,
) -> torch.Tensor:
    """States [row, token, d_model] with the vectors of this boundary.

    The first rows, `unsteered` of them, stay as they are.
    """
    states = states.clone()
    for row, one in enumerate(injections, unsteered):
        if one.boundary == layer:
            tokens = slice(None) if one.mode == ALWAYS else slice(0, 1)
            vector = one.vector.to(states.device)
            changed = states[row, tokens].float() + vector
            states[row, tokens] = changed.to(states.dtype)
    return states


def _copies(prefix: DynamicCache, rows: int) -> DynamicCache:
    """A cache with the keys and values of the prefix in every row."""
    # No config here: with it, layers with a sliding window would drop keys.
    cache = DynamicCache()
    for number, layer in enumerate(prefix.layers):
        keys, values = (
            part.expand(rows, -1, -1, -1) for part in (layer.keys, layer.values)
        )
        cache.update(keys, values, number)
    return cache


def _masks(
    decoder: Decoder, positions: torch.Tensor, factors: Sequence[float]
) -> torch.Tensor | dict[str, torch.Tensor]:
    """Additive masks [row, 1, query, key]: one, or one for each type of layer.

    Adding log(factor) to a score multiplies the odds of the attention to its key by the
    factor. This holds for the injected token as a key, and for the tokens after it.

    Args:
        decoder: the model.
        positions: [query], the injected token's position comes first.
        factors: of each row.
    """
    keys = torch.arange(int(positions[-1]) + 1, device=positions.device)
    least = torch.finfo(decoder.dtype).min
    logs = torch.tensor(factors, device=positions.device).log()

    def mask(window: int | None) -> torch.Tensor:
        hidden = keys > positions[:, None]
        if window is not None:
            hidden = hidden | (keys <= positions[:, None] - window)
        added = torch.zeros(len(factors), *hidden.shape, device=positions.device)
        added[:, 1:, positions[0]] = logs[:, None]
        added.masked_fill_(hidden, least)
        return added.to(decoder.dtype)[:, None]

    windows = attention_windows(decoder.hf.config)
    if len(set(windows.values())) == 1:
        return mask(*set(windows.values()))
    return {kind: mask(window) for kind, window in windows.items()}
