"""What each unit and head adds to the log-odds of turning back, to first order.

With f the log-odds of the backtrack words and a the states of a unit or head at the
boundary, setting a to 0 changes f by about -a . df/da (attribution patching, Nanda
2023). So a . df/da estimates how much f owes to the unit or head there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from transformers import DynamicCache

from doubletake.model.batch_memory import Widths, cache_bytes, forward_bytes
from doubletake.model.batches import run_alone
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered
from doubletake.running.logs import Progress

Parts = dict[tuple[str, int], torch.Tensor]
"""By part (`units` or `heads`) and layer."""


def mean_support(
    decoder: Decoder,
    prefixes: Sequence[list[int]],
    words: torch.Tensor,
    white_space: torch.Tensor,
    batch_memory: float,
    progress: Progress,
) -> Parts:
    """Mean of a . df/da over some boundaries: [unit] and [head], float64, nats.

    Args:
        decoder: the model.
        prefixes: tokens up to each boundary.
        words: [token], the backtrack words.
        white_space: [token], tokens that do not count.
        batch_memory: memory for a batch in addition to the model, in GiB.
        progress: counts boundaries.
    """
    total: Parts = {}
    w = Widths.of(decoder)
    for ids in prefixes:
        size = len(ids)
        found = run_alone(
            partial(support, decoder, ids, words, white_space),
            name="a fit thought",
            tokens=size,
            need=2 * cache_bytes(w, size) + forward_bytes(w, 1, size),
            batch_memory=batch_memory,
        )
        for place, values in found.items():
            total[place] = total.get(place, 0) + values / len(prefixes)
        progress.update(1, size)
    return total


def support(
    decoder: Decoder, ids: list[int], words: torch.Tensor, white_space: torch.Tensor
) -> Parts:
    """A . df/da at the last token: [unit] and [head] of every layer, float64, nats.

    Only the last token is read with gradients.
    """
    prefix = DynamicCache()
    with torch.no_grad():
        if len(ids) > 1:
            before = torch.tensor([ids[:-1]], device=decoder.device)
            decoder.base(input_ids=before, past_key_values=prefix, use_cache=True)
    last = torch.tensor([ids[-1:]], device=decoder.device)
    with torch.enable_grad(), _watched(decoder) as seen:
        places = torch.full_like(last, len(ids) - 1)
        output = decoder.hf(
            input_ids=last,
            position_ids=places,
            past_key_values=prefix,
            use_cache=True,
        )
        logits = output.logits[0, -1].float()
        counted = torch.ones_like(logits, dtype=torch.bool)
        counted[white_space.to(logits.device)] = False
        counted[words.to(logits.device)] = False
        log_odds = logits[words.to(logits.device)].logsumexp(-1)
        log_odds = log_odds - logits[counted].logsumexp(-1)
        gradients = torch.autograd.grad(log_odds, [added for _, added in seen.values()])
    heads = decoder.config.num_attention_heads
    found: Parts = {}
    for (place, (states, _)), gradient in zip(seen.items(), gradients, strict=True):
        product = (states.double() * gradient.double()).cpu()[0, -1]
        if place[0] == "heads":
            product = product.unflatten(0, (heads, -1)).sum(-1)
        found[place] = product
    return found


@contextmanager
def _watched(decoder: Decoder) -> Iterator[dict[tuple[str, int], Any]]:
    """Inside it, states of units and heads get a zero whose gradient is theirs.

    Yields:
        The states and the zeros, [1, token, width] each, by place.
    """
    seen: dict[tuple[str, int], Any] = {}

    def before(place: tuple[str, int]) -> Any:
        def hook(_: Any, inputs: tuple[torch.Tensor, ...]) -> Any:
            added = torch.zeros_like(inputs[0], requires_grad=True)
            seen[place] = (inputs[0].detach(), added)
            return (inputs[0] + added, *inputs[1:])

        return hook

    places = [("heads", layer) for layer in range(decoder.n_layers)]
    if decoder.layout.mlp_down is not None:
        places += [("units", layer) for layer in range(decoder.n_layers)]
    modules = {"heads": decoder.attention_out, "units": decoder.mlp_down}
    with registered(
        modules[place[0]](place[1]).register_forward_pre_hook(before(place))
        for place in places
    ):
        yield seen
