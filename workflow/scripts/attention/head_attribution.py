"""Direct logit attribution of attention heads.

It is what a head h of layer l adds, at a position, to the logit of a group of tokens.
The effect on later layers is left out, and the whole residual has one scale:

    dla[h] = final_scale * attn_scale * z[h] · (W_O[:, h]ᵀ v)
    v      = norm_gain * direction of the group at the position

z[h] is the head's output, W_O[:, h] its slice of the output projection. The directions
are those of `doubletake.model.logit_directions`: the mean over the vocabulary is
subtracted, and the last direction is this mean. Some models (Gemma) have a norm between
the projection and the residual stream. For these models, `attn_scale` is the scale of
this norm, computed from the whole attention output, and v contains the gain of this
norm. For other models, `attn_scale` is 1. The logits are those before a cap. The heads
and the projection's bias add up to the direct logit attribution of `attn_out[l]`.
"""

import torch
from torch.nn.functional import linear

from doubletake.model.decoder import Decoder
from doubletake.model.lens import Lens
from doubletake.model.logit_directions import logit_directions
from doubletake.model.norm_and_softcap import rms_scale


class HeadReader:
    """Reads outputs of attention heads as logits of token groups."""

    def __init__(self, decoder: Decoder, groups: list[torch.Tensor]) -> None:
        """Keep the model's lens.

        Args:
            decoder: the model.
            groups: token ids of every group.
        """
        self.decoder, self.groups, self.lens = decoder, groups, Lens.of(decoder)

    def targets(self, final_resid: torch.Tensor) -> torch.Tensor:
        """What reads a write to the residual stream as logits.

        Args:
            final_resid: [position, d_model], residual stream after the last layer.

        Returns:
            [position, group + 1, d_model]: directions of the groups and of the
            vocabulary's mean, times gain and scale of the final norm.
        """
        directions = logit_directions(self.lens, final_resid, self.groups)
        # ASSUME: heads are read with the scales of both norms held fixed.
        scale = self.lens.scale(final_resid)[:, None, None]
        return directions * self.lens.norm_gain * scale

    def head_logits(
        self, layer: int, z: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What each head of a layer adds to the logits.

        Args:
            layer: of the heads.
            z: [position, head * d_head], input of the output projection.
            targets: [position, group + 1, d_model], of `targets`.

        Returns:
            Of the heads: [position, head, group + 1]. Of the projection's bias:
            [position, group + 1]. Both are logits.
        """
        projection = self.decoder.attention_out(layer)
        heads = self.decoder.config.num_attention_heads
        targets = self._before_post_norm(layer, z, targets)
        targets = targets * self.decoder.write_multiplier
        vectors = (targets @ projection.weight.float()).unflatten(-1, (heads, -1))
        by_head = torch.einsum(
            "phe,pghe->phg", z.float().unflatten(-1, (heads, -1)), vectors
        )
        if projection.bias is None:
            return by_head, torch.zeros_like(targets[..., 0])
        return by_head, targets @ projection.bias.float()

    def _before_post_norm(
        self, layer: int, z: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        """The targets in the space of the projection's output, of the same shape."""
        norm = self.decoder.attention_write(layer)
        if norm is self.decoder.attention(layer):  # no norm after attention
            return targets
        projection = self.decoder.attention_out(layer)
        bias = None if projection.bias is None else projection.bias.float()
        output = linear(z.float(), projection.weight.float(), bias)
        gain = norm.get_parameter("weight").float() + self.decoder.layout.norm_offset
        return targets * gain * rms_scale(output, self.decoder.norm_eps)[:, None, None]


def write_logits(write: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Direct logit attribution of a whole write to the residual stream.

    Args:
        write: [position, d_model], for example `attn_out` of a layer.
        targets: [position, group + 1, d_model], of `HeadReader.targets`.

    Returns:
        [position, group + 1], logits.
    """
    return (targets @ write.float()[..., None])[..., 0]
