"""A Hugging Face decoder whose parts have the same names in every architecture.

The residual stream at boundary l, `resid[l]`, is the input of layer l.
`resid[n_layers]` is the input of the final norm. Layer l adds two outputs to the
stream: `attn_out[l]` and `mlp_out[l]`. Where a model has norms after attention and MLP,
these outputs are taken after the norms.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn

from doubletake.model.architectures import Layout, max_positions
from doubletake.model.multipliers import write_multiplier
from doubletake.model.norm_and_softcap import norm_eps_of, softcap_of
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings


@dataclass(frozen=True)
class Decoder:
    """A frozen causal language model and its parts.

    Generation and plain forward passes use `hf`. Code that hooks into the model gets
    the modules from the methods below.
    """

    hf: Any
    """The Hugging Face model: evaluation mode, no parameter requires a gradient."""
    config: Any
    """Its text configuration (of a composite model: that of the decoder)."""
    layout: Layout
    settings: ModelSettings

    @property
    def device(self) -> torch.device:
        """The device that holds the weights."""
        return self.embed.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights and of all activations."""
        return self.embed.weight.dtype

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return self.config.hidden_size

    @property
    def max_positions(self) -> int:
        """Longest sequence that the model supports, in tokens."""
        return max_positions(self.config)

    @property
    def stop_ids(self) -> set[int]:
        """Ids of tokens that end a completion, from the model's generation config."""
        stops = self.hf.generation_config.eos_token_id
        return set(stops if isinstance(stops, list) else [stops]) - {None}

    @property
    def base(self) -> nn.Module:
        """The model without unembedding; last_hidden_state is after the final norm."""
        return self.hf.base_model

    @cached_property
    def embed(self) -> nn.Embedding:
        """Token embedding; its output is `resid[0]`, with the model's scale if any."""
        return self.hf.get_submodule(self.layout.embed)

    @cached_property
    def layers(self) -> nn.ModuleList:
        """The decoder layers."""
        return self.hf.get_submodule(self.layout.layers)

    @cached_property
    def final_norm(self) -> nn.Module:
        """The norm before the unembedding."""
        return self.hf.get_submodule(self.layout.final_norm)

    @cached_property
    def unembed(self) -> nn.Linear:
        """The unembedding; `W_U` is its weight, [vocabulary, d_model]."""
        return self.hf.get_submodule(self.layout.unembed)

    @property
    def norm_eps(self) -> float:
        """Epsilon of the RMS norms."""
        return norm_eps_of(self.config)

    @property
    def norm_gain(self) -> torch.Tensor:
        """Gain of the final norm, [d_model], float32.

        The final norm equals `norm_gain * rms_scale(x) * x`, up to rounding.
        """
        return self.final_norm.get_parameter("weight").float() + self.layout.norm_offset

    @property
    def softcap(self) -> float | None:
        """Cap c of the final logits, c tanh(logits / c); None: no cap."""
        return softcap_of(self.config)

    @property
    def write_multiplier(self) -> float:
        """What a layer multiplies the outputs of attention and MLP by; mostly 1."""
        return write_multiplier(self.config, self.layout)

    def attention(self, layer: int) -> nn.Module:
        """Attention module of a layer."""
        return self._part(layer, self.layout.attention)

    def attention_out(self, layer: int) -> nn.Linear:
        """Output projection of a layer's attention; its input joins all heads."""
        return self._part(layer, self.layout.attention_out)

    def attention_write(self, layer: int) -> nn.Module:
        """The module whose output attention adds to the residual stream."""
        return self._part(layer, self.layout.attention_write)

    def mlp(self, layer: int) -> nn.Module:
        """MLP module of a layer."""
        return self._part(layer, self.layout.mlp)

    def mlp_norm(self, layer: int) -> nn.Module:
        """What a layer's MLP reads the residual stream through: a norm, or nothing."""
        path = self.layout.mlp_norm
        return nn.Identity() if path is None else self._part(layer, path)

    def mlp_down(self, layer: int) -> nn.Linear:
        """Down-projection of a layer's MLP; its columns are the value vectors.

        Raises:
            InputError: the model is a mixture of experts, which has one for each
                expert.
        """
        path = self.layout.mlp_down
        if path is None:
            raise InputError(
                f"{self.settings.source}: {self.config.model_type} is a mixture of "
                "experts, whose MLPs have no single down-projection"
            )
        return self._part(layer, path)

    def mlp_write(self, layer: int) -> nn.Module:
        """The module whose output the MLP adds to the residual stream."""
        return self._part(layer, self.layout.mlp_write)

    def _part(self, layer: int, path: str) -> Any:
        return self.layers[layer].get_submodule(path)
