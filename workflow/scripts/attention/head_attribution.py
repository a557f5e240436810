"""Direct logit attribution of attention heads.

What a head h of layer l adds to the mean logit of a group of tokens at a position, with
everything that is computed later left out and one scale for the whole residual:

    dla[h] = final_scale * attn_scale * z[h] · (W_O[:, h]ᵀ v)
    v      = norm_gain * mean of the group's rows of W_U

z[h] is the head's output, W_O[:, h] its slice of the output projection. Where a norm
stands between the projection and the residual stream (Gemma), `attn_scale` is that
norm's own scale, of the whole attention output, and its gain is folded into v; else 1.
Logits are meant before a cap. The heads and the projection's bias add up to the direct
logit attribution of `attn_out[l]`.
"""

import torch
from torch.nn.functional import linear

from doubletake.model.decoder import Decoder
from doubletake.model.norm_and_softcap import rms_scale


class HeadReader:
    """Turns the outputs of attention heads into logits of token groups."""

    def __init__(self, decoder: Decoder, groups: list[torch.Tensor]) -> None:
        """Fold gain, unembedding and output projections into one vector per head.

        Args:
            decoder: the model.
            groups: token ids of every group.
        """
        self.decoder = decoder
        rows = [
            decoder.unembed.weight[ids.to(decoder.device)].float().mean(0)
            for ids in groups
        ]
        self.targets = torch.stack(rows) * decoder.norm_gain  # [group, d_model]
        self.vectors = [self._through(layer) for layer in range(decoder.n_layers)]

    def of_heads(
        self, layer: int, z: torch.Tensor, scale: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What each head of a layer writes.

        Args:
            layer: of the heads.
            z: [position, head * d_head], input of the output projection.
            scale: [position], of the final norm.

        Returns:
            [position, head, group] of the heads, [position, group] of the bias; logits.
        """
        vectors = self.vectors[layer]  # [group, head, d_head]
        split = z.float().view(len(z), *vectors.shape[1:])
        found = torch.einsum("phe,ghe->phg", split, vectors)
        bias = self.decoder.attention_out(layer).bias
        rest = torch.zeros_like(self.targets[:, 0])
        if bias is not None:
            rest = self._written(layer) @ bias.float()
        factor = (scale * self._own_scale(layer, z))[:, None]
        return found * factor[..., None], rest * factor

    def of_writes(self, write: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """Direct logit attribution of whole writes to the residual stream.

        Args:
            write: [position, d_model], e.g. `attn_out` of a layer.
            scale: [position], of the final norm.

        Returns:
            [position, group], logits.
        """
        return write.float() @ self.targets.T * scale[:, None]

    def _through(self, layer: int) -> torch.Tensor:
        """The targets as the layer's heads see them: [group, head, d_head]."""
        projection = self.decoder.attention_out(layer).weight.float()
        heads = self.decoder.config.num_attention_heads
        return (self._written(layer) @ projection).view(len(self.targets), heads, -1)

    def _written(self, layer: int) -> torch.Tensor:
        """The targets before the norm behind attention: [group, d_model]."""
        if self._is_plain(layer):
            return self.targets
        norm = self.decoder.attention_write(layer)
        gain = norm.get_parameter("weight").float() + self.decoder.layout.norm_offset
        return self.targets * gain

    def _own_scale(self, layer: int, z: torch.Tensor) -> torch.Tensor:
        """Scale of the norm behind attention, of the whole output: [position]."""
        if self._is_plain(layer):
            return torch.ones(len(z), device=z.device)
        projection = self.decoder.attention_out(layer)
        bias = None if projection.bias is None else projection.bias.float()
        output = linear(z.float(), projection.weight.float(), bias)
        return rms_scale(output, self.decoder.norm_eps)

    def _is_plain(self, layer: int) -> bool:
        """Whether attention writes to the residual stream without a norm between."""
        write = self.decoder.attention_write(layer)
        return write is self.decoder.attention(layer)
