"""Two formulas of decoders: the scale of an RMS norm, and the soft cap of logits."""

from typing import Any

import torch


def norm_eps_of(config: Any) -> float:
    """Epsilon of the RMS norms, from a text configuration."""
    return config.rms_norm_eps


def softcap_of(config: Any) -> float | None:
    """Cap c of the final logits, from a text configuration; None if it has no cap."""
    return getattr(config, "final_logit_softcapping", None)


def rms_scale(states: torch.Tensor, eps: float) -> torch.Tensor:
    """Factor of an RMS norm, rsqrt(mean(x²) + eps), in float32: [..., d] to [...]."""
    return torch.rsqrt(states.float().square().mean(-1) + eps)


def soft_capped(scores: torch.Tensor, cap: float | None) -> torch.Tensor:
    """Scores under a soft cap c, c tanh(scores / c), in their dtype; None: no cap."""
    return scores if cap is None else torch.tanh(scores / cap) * cap
