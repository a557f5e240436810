"""Direct logit attribution of attention heads.

It is what a head h of layer l adds, at a position, to the mean logit of a group of
tokens. The effect on later layers is left out, and the whole residual has one scale:

    dla[h] = final_scale * attn_scale * z[h] · (W_O[:, h]ᵀ v)
    v      = norm_gain * mean of the group's rows of W_U

z[h] is the head's output, W_O[:, h] its slice of the output projection. Some models
(Gemma) have a norm between the projection and the residual stream. For these models,
`attn_scale` is the scale of this norm, computed from the whole attention output, and v
contains the gain of this norm. For other models, `attn_scale` is 1. The logits are
those before a cap. The heads and the projection's bias add up to the direct logit
attribution of `attn_out[l]`.
"""

import torch
from torch.nn.functional import linear

from doubletake.model.decoder import Decoder
from doubletake.model.norm_and_softcap import rms_scale


class HeadReader:
    """Reads outputs of attention heads as logits of token groups."""

    def __init__(self, decoder: Decoder, groups: list[torch.Tensor]) -> None:
        """Fold gains, unembedding and output projection into one vector per head.

        Args:
            decoder: the model.
            groups: token ids of every group.
        """
        self.decoder = decoder
        # ASSUME: all single-token variants of a group's words weigh the same.
        rows = [
            decoder.unembed.weight[ids.to(decoder.device)].float().mean(0)
            for ids in groups
        ]
        self.targets = torch.stack(rows) * decoder.norm_gain  # [group, d_model]
        self.vectors = [self._head_targets(layer) for layer in range(decoder.n_layers)]

    def head_logits(
        self, layer: int, z: torch.Tensor, scale: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What each head of a layer adds to the logits.

        Args:
            layer: of the heads.
            z: [position, head * d_head], input of the output projection.
            scale: [position], of the final norm.

        Returns:
            Of the heads: [position, head, group]. Of the projection's bias:
            [position, group]. Both are logits.
        """
        vectors = self.vectors[layer]  # [group, head, d_head]
        split = z.float().view(len(z), *vectors.shape[1:])
        heads = torch.einsum("phe,ghe->phg", split, vectors)
        bias = self.decoder.attention_out(layer).bias
        from_bias = torch.zeros_like(self.targets[:, 0])
        if bias is not None:
            from_bias = self._output_targets(layer) @ bias.float()
        # ASSUME: heads are read with the scales of both norms held fixed.
        factor = (scale * self._post_norm_scale(layer, z))[:, None]
        return heads * factor[..., None], from_bias * factor

    def write_logits(self, write: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """Direct logit attribution of a whole write to the residual stream.

        Args:
            write: [position, d_model], for example `attn_out` of a layer.
            scale: [position], of the final norm.

        Returns:
            [position, group], logits.
        """
        return write.float() @ self.targets.T * scale[:, None]

    def _head_targets(self, layer: int) -> torch.Tensor:
        """The targets in the space of each head's output: [group, head, d_head]."""
        projection = self.decoder.attention_out(layer).weight.float()
        heads = self.decoder.config.num_attention_heads
        return (self._output_targets(layer) @ projection).view(
            len(self.targets), heads, -1
        )

    def _output_targets(self, layer: int) -> torch.Tensor:
        """The targets in the space of the output projection: [group, d_model]."""
        if not self._has_post_norm(layer):
            return self.targets
        norm = self.decoder.attention_write(layer)
        gain = norm.get_parameter("weight").float() + self.decoder.layout.norm_offset
        return self.targets * gain

    def _post_norm_scale(self, layer: int, z: torch.Tensor) -> torch.Tensor:
        """Scale of the norm after attention, 1 without one: [position]."""
        if not self._has_post_norm(layer):
            return torch.ones(len(z), device=z.device)
        projection = self.decoder.attention_out(layer)
        bias = None if projection.bias is None else projection.bias.float()
        output = linear(z.float(), projection.weight.float(), bias)
        return rms_scale(output, self.decoder.norm_eps)

    def _has_post_norm(self, layer: int) -> bool:
        """Whether a norm stands between attention and the residual stream."""
        write = self.decoder.attention_write(layer)
        return write is not self.decoder.attention(layer)
