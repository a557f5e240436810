"""Moves a model's multipliers into its modules, so that parts add up as elsewhere.

Granite multiplies the embeddings, the outputs of attention and MLP, and the logits by
numbers of its configuration. Its code does so between the modules. Here the embedding,
the attention and the MLP multiply their own outputs: the same products in the same
order, so all states keep their bits. The logits' divisor goes into the gain of the
final norm. This is exact where the divisor is a power of two, as in Granite 3;
otherwise it rounds the gain once.
"""

from typing import Any

import torch
from torch import nn

from doubletake.model.architectures import Layout


def write_multiplier(config: Any, layout: Layout) -> float:
    """Factor between a module's sum and what it adds to the residual stream.

    Args:
        config: text configuration.
        layout: of the architecture.
    """
    return float(config.residual_multiplier) if layout.multipliers else 1.0


def without_divisor(gain: torch.Tensor, config: Any, layout: Layout) -> torch.Tensor:
    """Gain of the final norm, divided as the model divides its logits.

    Args:
        gain: [d_model], in the model's dtype.
        config: text configuration, as stored with the model.
        layout: of the architecture.
    """
    return gain / config.logits_scaling if layout.multipliers else gain


def move_into_modules(hf: Any, layout: Layout) -> None:
    """Let the modules multiply their outputs, and set the model's own factors to 1.

    The self-proof fails where the model's code reads a factor from another place.
    """
    if not layout.multipliers:
        return
    config, base = hf.config.get_text_config(), hf.base_model
    _multiply(hf.get_submodule(layout.embed), base.embedding_multiplier)
    base.embedding_multiplier = 1.0
    for layer in hf.get_submodule(layout.layers):
        for path in (layout.attention_write, layout.mlp_write):
            _multiply(layer.get_submodule(path), layer.residual_multiplier)
        layer.residual_multiplier = 1.0
    norm = hf.get_submodule(layout.final_norm)
    norm.weight.data = without_divisor(norm.weight.data, config, layout)
    config.logits_scaling = 1.0


def _multiply(module: nn.Module, factor: float) -> None:
    def multiplied(_: Any, __: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (output[0] * factor, *output[1:])
        return output * factor

    module.register_forward_hook(multiplied)
