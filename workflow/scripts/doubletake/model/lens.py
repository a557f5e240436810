"""The logit lens: residual states through the final norm and the unembedding.

Logit lens (nostalgebraist 2020): the final norm, with the scale of the state itself,
then the unembedding. Direct logit attribution (Elhage et al. 2021): the share of a part
in a logit is the part, times the final norm's scale of the whole state, times the
norm's gain, times the token's row of the unembedding. The shares add up to the logit.
Any combination of rows can stand in place of the row (`logit_directions`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch.nn.functional import linear

from doubletake.model.checkpoint import Checkpoint
from doubletake.model.decoder import Decoder
from doubletake.model.multipliers import without_divisor
from doubletake.model.norm_and_softcap import (
    norm_eps_of,
    rms_scale,
    soft_capped,
    softcap_of,
)
from doubletake.study.settings import ModelSettings

UNEMBED_ROWS = 128  # states unembedded at a time, over the whole vocabulary

MEAN_ROWS = 4096  # rows of the unembedding that are averaged at a time


@dataclass(frozen=True)
class Lens:
    """Final norm and unembedding of a model, without the model."""

    norm_gain: torch.Tensor
    """[d_model], float32."""
    W_U: torch.Tensor
    """[vocabulary, d_model], in the model's dtype."""
    eps: float
    """Epsilon of the final norm."""
    softcap: float | None
    """Cap c of the logits, c tanh(logits / c); None if the model has no cap."""

    @classmethod
    def load(cls, settings: ModelSettings, device: torch.device | str) -> "Lens":
        """Read the two tensors from the checkpoint.

        Raises:
            InputError: the checkpoint cannot be downloaded or read, or lacks a tensor.
        """
        stored = Checkpoint(settings)
        gain = stored.tensor(f"{stored.layout.final_norm}.weight")
        gain = without_divisor(gain, stored.config, stored.layout).float()
        return cls(
            (gain + stored.layout.norm_offset).to(device),
            stored.unembed.to(device),
            norm_eps_of(stored.config),
            softcap_of(stored.config),
        )

    @classmethod
    def of(cls, decoder: Decoder) -> "Lens":
        """The lens of a loaded model."""
        weight = decoder.unembed.weight
        return cls(decoder.norm_gain, weight, decoder.norm_eps, decoder.softcap)

    @cached_property
    def mean_row(self) -> torch.Tensor:
        """Mean over the vocabulary of the unembedding: [d_model], float32."""
        # In parts: on the CPU, torch copies what it adds up to float32.
        parts = [rows.sum(0, dtype=torch.float32) for rows in self.W_U.split(MEAN_ROWS)]
        return torch.stack(parts).sum(0) / len(self.W_U)

    def scale(self, resid: torch.Tensor) -> torch.Tensor:
        """Factor of the final norm, rsqrt(mean(resid²) + eps): [..., d] to [...]."""
        return rms_scale(resid, self.eps)

    def normed(self, resid: torch.Tensor) -> torch.Tensor:
        """The final norm by its formula, in float32; the shape stays [..., d_model]."""
        return self.norm_gain * (self.scale(resid)[..., None] * resid.float())

    def shares(
        self, part: torch.Tensor, scale: torch.Tensor, directions: torch.Tensor
    ) -> torch.Tensor:
        """Direct logit attribution of parts of a state.

        Args:
            part: [..., part, d_model], outputs of components.
            scale: [...], `scale` of the final residual that holds the parts.
            directions: [..., direction, d_model], rows of the unembedding, or
                combinations of rows.

        Returns:
            [..., part, direction], float32, shares of the logits before the cap.
        """
        normed = self.norm_gain * (scale[..., None, None] * part.float())
        return normed @ directions.mT

    def uncapped(
        self, normed: torch.Tensor, tokens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Logits before the cap, in float32.

        Args:
            normed: [..., d_model], after the final norm.
            tokens: [token], ids. Only their rows of the unembedding are used, in
                float32. Without `tokens` the unembedding works in the model's dtype.

        Returns:
            [..., token], or [..., vocabulary] without `tokens`.
        """
        if tokens is None:
            return (normed.to(self.W_U.dtype) @ self.W_U.T).float()
        rows = self.W_U[tokens.to(self.W_U.device)]
        return normed.float() @ rows.float().T

    def logits(
        self, normed: torch.Tensor, tokens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Like `uncapped`, with the model's cap."""
        return soft_capped(self.uncapped(normed, tokens), self.softcap)

    def model_logits(self, normed: torch.Tensor) -> torch.Tensor:
        """All logits as the model computes them: unembedded and capped in its dtype.

        Args:
            normed: [..., d_model], final hidden states (`last_hidden_state`).

        Returns:
            [..., vocabulary], in the model's dtype.
        """
        return soft_capped(linear(normed, self.W_U), self.softcap)

    def logprobs(self, normed: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Log-probs of tokens by the model, computed for a few states at a time.

        Args:
            normed: [token, d_model], final hidden states.
            targets: [token], id of the token that follows each state.

        Returns:
            [token], float32, nats, at temperature 1.
        """
        parts = [torch.zeros(0, device=normed.device)]
        chunks = zip(
            normed.split(UNEMBED_ROWS), targets.split(UNEMBED_ROWS), strict=True
        )
        for states, ids in chunks:
            logits = self.model_logits(states).float()
            target_logits = logits.gather(1, ids[:, None])[:, 0]
            parts.append(target_logits - logits.logsumexp(1))
        return torch.cat(parts)

    def chunks(self, resid: torch.Tensor) -> Iterator[torch.Tensor]:
        """All logits of residual states, for a few rows at a time.

        Args:
            resid: [row, d_model], on any device.

        Yields:
            [some rows, vocabulary], float32, on the lens' device, in the order of rows.
        """
        for states in resid.split(UNEMBED_ROWS):
            yield self.logits(self.normed(states.to(self.W_U.device)))
