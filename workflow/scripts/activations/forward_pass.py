"""One forward pass over a batch of traces: keeps the activations of its events."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from activations.shard_format import ShardSizes
from activations.trace_inputs import TraceInput
from activations.verification_figures import logprob_differences
from doubletake.model.batch_memory import (
    FLOAT32,
    Widths,
    forward_bytes,
    unembedding_bytes,
)
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked
from doubletake.model.lens import Lens
from doubletake.model.loading import refuse_bad_weights
from doubletake.running.errors import InputError


@dataclass(frozen=True)
class BatchActivations:
    """What one batch leaves; all tensors are on the CPU."""

    rows: dict[str, torch.Tensor]
    """Tensors of `shard_format.PER_ROW`; rows in the order of the batch's traces."""
    sums: dict[str, torch.Tensor]
    """`resid` [n_layers + 1, d_model] and `attn_out` [n_layers, d_model], float64, over
    the calibration thoughts."""
    count: int
    """Tokens in the sums."""
    differences: torch.Tensor
    """[token], |replayed - generated| log-prob of every replayed token, nats."""


def batch_bytes(decoder: Decoder, batch: Sequence[TraceInput]) -> float:
    """Peak memory of `batch_activations` in addition to the model, in bytes.

    The kept states stay; the forward pass comes before the replay of log-probs.
    """
    w = Widths.of(decoder)
    length = len(batch[0].ids)
    rows = sum(len(item.positions) for item in batch)
    kept = rows * (3 * w.layers + 1) * w.d * w.size
    sums = (2 * w.layers + 1) * w.d * 2 * FLOAT32  # float64
    replay = max(len(item.logprobs or []) for item in batch)
    after = len(batch) * length * w.d * w.size + unembedding_bytes(
        replay, w.vocabulary, w.size
    )
    return kept + sums + max(forward_bytes(w, len(batch), length), after)


@torch.inference_mode()
def batch_activations(decoder: Decoder, batch: list[TraceInput]) -> BatchActivations:
    """Run one forward pass; hooks keep the wanted positions of every part."""
    ids = padded([item.ids for item in batch]).to(decoder.device)
    cached = [(k, t) for k, item in enumerate(batch) for t in item.positions]
    indices = torch.tensor(cached, dtype=torch.long).reshape(-1, 2)
    traces, tokens = indices.to(decoder.device).unbind(1)
    thoughts = [(k, *item.thought) for k, item in enumerate(batch) if item.thought]
    sizes = ShardSizes(len(cached), decoder.n_layers, decoder.d_model)
    kept = {
        name: torch.empty(shape, dtype=dtype, device=decoder.device)
        for name, (dtype, shape) in sizes.tensors(decoder.dtype).items()
        if name in ("resid", "attn_out", "mlp_out")
    }
    sums = zero_sums(decoder)

    def keep(name: str, layer: int, states: torch.Tensor) -> None:
        kept[name][:, layer] = states[traces, tokens]
        if name in sums:
            for k, start, stop in thoughts:
                sums[name][layer] += states[k, start:stop].sum(0, dtype=torch.float64)

    with hooked(decoder, keep):
        normed = decoder.base(input_ids=ids, use_cache=False).last_hidden_state
    check_finite(decoder, normed, batch)
    lens = Lens.of(decoder)
    kept["final_scale"] = lens.scale(kept["resid"][:, -1])
    return BatchActivations(
        rows={name: values.cpu() for name, values in kept.items()},
        sums={name: total.cpu() for name, total in sums.items()},
        count=sum(stop - start for _, start, stop in thoughts),
        differences=torch.cat(
            [
                torch.zeros(0),
                *(
                    logprob_differences(lens, states, item.ids, item.logprobs)
                    for states, item in zip(normed, batch, strict=True)
                    if item.logprobs is not None
                ),
            ]
        ),
    )


def zero_sums(decoder: Decoder) -> dict[str, torch.Tensor]:
    """Zeros, to which calibration thoughts are added; see `BatchActivations.sums`."""
    layers = {"resid": decoder.n_layers + 1, "attn_out": decoder.n_layers}
    return {
        name: torch.zeros(
            count, decoder.d_model, dtype=torch.float64, device=decoder.device
        )
        for name, count in layers.items()
    }


def check_finite(
    decoder: Decoder, normed: torch.Tensor, batch: list[TraceInput]
) -> None:
    """Refuse states that are not finite, e.g. after an overflow of float16.

    A weight may be the cause, because its file may change after the self-proof.

    Raises:
        InputError: a state is not finite. The message names the bad weight, or
            the trace if all weights are finite.
    """
    finite = normed.sum(-1, dtype=torch.float32).isfinite().cpu()
    for item, tokens in zip(batch, finite, strict=True):
        if not tokens[: len(item.ids)].all():
            refuse_bad_weights(decoder)
            raise InputError(
                f"trace {item.trace}: the model's states are not finite in "
                f"{str(normed.dtype).removeprefix('torch.')}"
            )
