"""Self-test at loading: embedding, attention and MLP must add up to the model."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass

import torch
from torch import nn

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import projected, record, registered
from doubletake.model.lens import Lens

# ASSUME: bounds are set by hand, well above the rounding errors of each dtype.
PROOF_BOUND = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}
"""Largest relative error of the self-proof, by dtype; it holds for all errors."""
PROOF_TOKENS = 12


@dataclass(frozen=True)
class Proof:
    """Relative errors of a decoder's self-proof.

    An error is a norm over d_model, divided by the norm of the right value, at the
    worst position.
    """

    residual: float
    """Embedding plus the outputs of all layers, summed in float64, against
    `resid[n_layers]`.

    It is relative to the largest `resid` of the position. Some models build up large
    activations and cancel them later; the 16-bit rounding errors of these remain.
    """
    steps: float
    """`resid[l] + attn_out[l] + mlp_out[l]`, in the model's dtype, against
    `resid[l + 1]`, at the worst layer."""
    logits: float
    """The lens' logits of the normed `resid[n_layers]` against the model's."""
    norm: float
    """The lens' formula `norm_gain * rms_scale(x) * x` against the final norm."""
    hooks: float
    """`resid` as hooks see it, against `output_hidden_states`."""
    heads: float
    """Output projection and norm of the heads' outputs, against `attn_out`."""
    mlp: float
    """MLP and norms of `resid[l] + attn_out[l]`, against `mlp_out`."""
    units: float
    """Down-projection of the MLP's hidden units, against the MLP; 0 for mixtures."""
    causality: float
    """Change of `resid` at a position when later tokens change."""
    bound: float
    """Largest allowed error in the model's dtype."""

    def __str__(self) -> str:
        """All errors and the bound in one line."""
        return ", ".join(f"{name} {value:.2g}" for name, value in asdict(self).items())

    @property
    def errors(self) -> dict[str, float]:
        """The errors by name, without the bound."""
        return {key: value for key, value in asdict(self).items() if key != "bound"}

    @property
    def holds(self) -> bool:
        """Whether no error exceeds the bound; a NaN counts as too large."""
        return all(error <= self.bound for error in self.errors.values())


@torch.no_grad()
def prove(decoder: Decoder) -> Proof:
    """Measure how far the parts of a decoder are from the model itself.

    Two fixed sequences go through the model once. They differ in their last third.

    Returns:
        The errors. The caller decides what to do (`Proof.holds`).
    """
    vocabulary = decoder.embed.weight.shape[0]
    ids = torch.arange(1, PROOF_TOKENS + 1).mul(7919).remainder(vocabulary)
    kept = PROOF_TOKENS * 2 // 3
    changed = torch.cat([ids[:kept], (ids[kept:] + 1).remainder(vocabulary)])
    batch = torch.stack([ids, changed]).to(decoder.device)
    z: list[torch.Tensor] = []
    with record(decoder) as seen, projected(decoder, lambda _, heads: z.append(heads)):
        outputs = decoder.hf(batch, output_hidden_states=True, use_cache=False)
    resid, attn_out, mlp_out = (
        torch.stack(seen[name]) for name in ("resid", "attn_out", "mlp_out")
    )
    states = torch.stack(outputs.hidden_states)
    total = decoder.embed(batch).double() + (attn_out.double() + mlp_out).sum(0)
    size = resid.double().norm(dim=-1).amax(0)
    normed = decoder.final_norm(resid[-1])
    lens = Lens.of(decoder)
    heads, mlp, units = _layers_again(decoder, resid[:-1] + attn_out, z)
    hooked_states = torch.cat([resid[:-1], normed[None]])
    return Proof(
        residual=_relative(total, resid[-1], size),
        steps=_relative(resid[:-1] + attn_out + mlp_out, resid[1:]),
        logits=_relative(lens.model_logits(normed), outputs.logits),
        norm=_relative(lens.normed(resid[-1]), normed),
        hooks=_relative(hooked_states, states),
        heads=_relative(heads, attn_out),
        mlp=_relative(mlp, mlp_out),
        units=0.0 if units is None else _relative(units, mlp),
        causality=_relative(resid[:, 1, :kept], resid[:, 0, :kept]),
        bound=PROOF_BOUND[decoder.settings.dtype],
    )


def _layers_again(
    decoder: Decoder, read: torch.Tensor, z: Sequence[torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """What every layer writes, computed from the parts that the layout names.

    Args:
        decoder: the model.
        read: [layer, sequence, token, d_model], what the MLPs read before their norms.
        z: [sequence, token, head * d_head] by layer, outputs of the heads.

    Returns:
        Writes of the heads, of the MLPs and of the hidden units, each [layer, sequence,
        token, d_model]. The last is None for a mixture of experts.
    """
    heads, mlps, units = [], [], []
    for layer, (state, of_heads) in enumerate(zip(read, z, strict=True)):
        attention, write = decoder.attention(layer), decoder.attention_write(layer)
        summed = decoder.attention_out(layer)(of_heads)
        heads.append(_written(decoder, summed, attention, write))
        mlp, write = decoder.mlp(layer), decoder.mlp_write(layer)
        hidden: list[torch.Tensor] = []
        with _hidden_units(decoder, layer, hidden):
            output = mlp(decoder.mlp_norm(layer)(state))
        output = output[0] if isinstance(output, tuple) else output
        mlps.append(output if write is mlp else write(output))
        units += [
            _written(decoder, decoder.mlp_down(layer)(states), mlp, write)
            for states in hidden
        ]
    stacked = torch.stack(units) if units else None
    return torch.stack(heads), torch.stack(mlps), stacked


def _hidden_units(
    decoder: Decoder, layer: int, seen: list[torch.Tensor]
) -> AbstractContextManager[None]:
    """Keep the input of the down-projection, if the layout names one."""
    if decoder.layout.mlp_down is None:
        return nullcontext()
    down = decoder.mlp_down(layer)
    keep = down.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    return registered([keep])


def _written(
    decoder: Decoder, summed: torch.Tensor, module: nn.Module, write: nn.Module
) -> torch.Tensor:
    """What a module's last projection adds to the residual stream."""
    return summed * decoder.write_multiplier if write is module else write(summed)


def _relative(
    actual: torch.Tensor, expected: torch.Tensor, size: torch.Tensor | None = None
) -> float:
    """Largest relative error over positions, by norms.

    Args:
        actual: [..., position, d].
        expected: the same shape.
        size: [..., position], the divisor instead of the norm of `expected`.
    """
    error = (actual.double() - expected.double()).norm(dim=-1)
    size = expected.double().norm(dim=-1) if size is None else size
    return (error / size.clamp_min(1e-30)).max().item()
