"""Passes of a 16-bit model in float32, without a second copy of the model.

The weights of a layer are turned into float32 before it runs and put back afterwards.
So the largest additional memory is that of the largest layer, or of the unembedding.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered


@contextmanager
def in_float32(decoder: Decoder) -> Iterator[None]:
    """Let all layers compute in float32 in the passes inside the block."""
    kept: dict[nn.Parameter, torch.Tensor] = {}

    def widen(module: nn.Module, *_: Any) -> None:
        for weight in module.parameters():
            kept[weight] = weight.data
            weight.data = weight.data.float()

    def restore(module: nn.Module, *_: Any) -> None:
        for weight in module.parameters():
            weight.data = kept.pop(weight)

    modules = [decoder.embed, *decoder.layers, decoder.final_norm, decoder.unembed]
    with registered(
        handle
        for module in modules
        for handle in (
            module.register_forward_pre_hook(widen),
            module.register_forward_hook(restore, always_call=True),
        )
    ):
        yield
