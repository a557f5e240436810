"""The self-proof: the adapter's parts are the model, or the model is refused."""

from dataclasses import asdict, dataclass

import torch

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import record
from doubletake.model.lens import Lens

PROOF_BOUND = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}
"""Largest relative error of the self-proof by dtype; all figures keep to it."""
PROOF_TOKENS = 12


@dataclass(frozen=True)
class Proof:
    """Errors of a decoder's self-proof, each relative to the size of what it checks.

    Norms are taken over d_model per position; the largest position counts.
    """

    residual: float
    """Embedding plus all writes, summed in float64, against `resid[n_layers]`.

    Relative to the largest `resid` of the position: where layers build up and cancel
    large activations, 16-bit rounding of the large ones stays in the small rest.
    """
    steps: float
    """`resid[l] + attn_out[l] + mlp_out[l]`, in the model's dtype, against
    `resid[l + 1]`, at the worst layer."""
    logits: float
    """The lens' logits of the normed `resid[n_layers]` against the model's."""
    norm: float
    """The lens' formula `norm_gain * rms_scale(x) * x` against the final norm."""
    hooks: float
    """What hooks see of `resid` against `output_hidden_states`."""
    causality: float
    """`resid` of a position after a change of the tokens behind it."""
    bound: float
    """What none of them may exceed in the model's dtype."""

    def __str__(self) -> str:
        """The figures in one line."""
        return ", ".join(f"{name} {value:.2g}" for name, value in asdict(self).items())

    @property
    def errors(self) -> dict[str, float]:
        """The errors by name, without the bound."""
        return {key: value for key, value in asdict(self).items() if key != "bound"}

    @property
    def holds(self) -> bool:
        """Whether every error keeps to the bound; NaN does not."""
        return all(error <= self.bound for error in self.errors.values())


@torch.no_grad()
def prove(decoder: Decoder) -> Proof:
    """Check that the adapter's parts are the model.

    Two fixed sequences that differ in their last third go through the model once.

    Returns:
        The errors; the caller decides (`Proof.holds`).
    """
    vocabulary = decoder.embed.weight.shape[0]
    ids = torch.arange(1, PROOF_TOKENS + 1).mul(7919).remainder(vocabulary)
    kept = PROOF_TOKENS * 2 // 3
    changed = torch.cat([ids[:kept], (ids[kept:] + 1).remainder(vocabulary)])
    batch = torch.stack([ids, changed]).to(decoder.device)
    with record(decoder) as seen:
        outputs = decoder.hf(batch, output_hidden_states=True, use_cache=False)
    resid, attn_out, mlp_out = (
        torch.stack(seen[name]) for name in ("resid", "attn_out", "mlp_out")
    )
    states = torch.stack(outputs.hidden_states)
    total = decoder.embed(batch).double() + (attn_out.double() + mlp_out).sum(0)
    size = resid.double().norm(dim=-1).amax(0)
    normed = decoder.final_norm(resid[-1])
    lens = Lens.of(decoder)
    hooked_states = torch.cat([resid[:-1], normed[None]])
    return Proof(
        residual=_relative(total, resid[-1], size),
        steps=_relative(resid[:-1] + attn_out + mlp_out, resid[1:]),
        logits=_relative(lens.model_logits(normed), outputs.logits),
        norm=_relative(lens.normed(resid[-1]), normed),
        hooks=_relative(hooked_states, states),
        causality=_relative(resid[:, 1, :kept], resid[:, 0, :kept]),
        bound=PROOF_BOUND[decoder.settings.dtype],
    )


def _relative(
    found: torch.Tensor, wanted: torch.Tensor, size: torch.Tensor | None = None
) -> float:
    """Largest norm of the difference over the norm of what is wanted, per position.

    Args:
        found: [..., position, d].
        wanted: the same shape.
        size: [..., position], to divide by instead of the norm of `wanted`.
    """
    error = (found.double() - wanted.double()).norm(dim=-1)
    size = wanted.double().norm(dim=-1) if size is None else size
    return (error / size.clamp_min(1e-30)).max().item()
