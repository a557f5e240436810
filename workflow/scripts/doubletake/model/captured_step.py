"""One decoding step as a CUDA graph: a GPU repeats it without waiting for Python.

A step of a model of 8 billion parameters launches more than a thousand small kernels,
and launching them one by one takes several times as long as computing them. A CUDA
graph launches all of them at once. It needs tensors at fixed addresses: the keys and
values stay in the buffers of the cache, attention sees a whole buffer, and a mask hides
what is not there yet. The graph is captured again when the buffers change.

The same code without a graph (`FixedStep.run`) is what the tests compare with the plain
step on the CPU.
"""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from transformers import PreTrainedModel

from doubletake.model.architectures import LAYOUTS, attention_windows
from doubletake.model.growing_cache import Buffers

logger = logging.getLogger("doubletake")

ROPE_TYPES = ("default", "linear", "llama3", "yarn")
"""Rotary positions whose frequencies do not depend on the length of the sequence."""
BOUNDS = {
    torch.float64: 1e-6,
    torch.float32: 1e-3,
    torch.float16: 2e-2,
    torch.bfloat16: 5e-2,
}
"""Largest relative difference of the logits from those of the plain step."""

Hooks = tuple[tuple[str, torch.Tensor], ...]
"""All tensors that hooks of a step read, each with a name that tells what a hook does
with it and where."""


def can_be_captured(model: PreTrainedModel) -> bool:
    """Whether a step of this model is the same sequence of kernels every time."""
    config = model.config.get_text_config()
    layout = LAYOUTS.get(config.model_type)
    if layout is None or layout.mlp_down is None:  # experts are chosen by the tokens
        return False
    if any(attention_windows(model.config).values()):
        return False
    rope = getattr(config, "rope_parameters", None) or {}
    return (
        config._attn_implementation == "sdpa"
        and rope.get("rope_type", "default") in ROPE_TYPES
    )


class _FixedCache:
    """Keys and values in buffers of one size; a step writes at one position."""

    def __init__(self, buffers: Sequence[Buffers], position: torch.Tensor) -> None:
        """Of the layers, in their order; `position` is [1]."""
        self.buffers, self.position = buffers, position

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: Any, **__: Any
    ) -> Buffers:
        """Write one position [slot, head, 1, d]; return the whole buffers."""
        for buffer, new in zip(self.buffers[layer], (keys, values), strict=True):
            buffer.index_copy_(2, self.position, new)
        return self.buffers[layer]

    def get_seq_length(self, *_: Any) -> int:
        """Of no meaning here: positions and mask are given."""
        return 0


class FixedStep:
    """A step on buffers of one size, with all its inputs at fixed addresses."""

    def __init__(self, model: PreTrainedModel, buffers: Sequence[Buffers]) -> None:
        """A step on these buffers [slot, head, room, d], one pair a layer."""
        self.model = model
        slots, _, room, _ = buffers[0][0].shape
        device = buffers[0][0].device
        self.starts = torch.zeros(slots, dtype=torch.long, device=device)
        self.tokens = torch.zeros(slots, dtype=torch.long, device=device)
        self.position = torch.zeros(1, dtype=torch.long, device=device)
        self.places = torch.arange(room, device=device)
        self.cache = _FixedCache(buffers, self.position)

    def set(self, tokens: torch.Tensor, starts: torch.Tensor, position: int) -> None:
        """Say which tokens [slot] are read, where rows start, and where to write."""
        self.tokens.copy_(tokens)
        self.starts.copy_(starts)
        self.position.fill_(position)

    def run(self) -> torch.Tensor:
        """Logits [slot, 1, vocabulary]; keys and values are written."""
        seen = (self.places >= self.starts[:, None]) & (self.places <= self.position)
        output = self.model(
            input_ids=self.tokens[:, None],
            attention_mask=seen[:, None, None],
            position_ids=self.position - self.starts[:, None],
            past_key_values=self.cache,
            use_cache=True,
        )
        return output.logits


class CapturedStep:
    """A captured step, for as long as the buffers and the hooks stay the same."""

    def __init__(
        self, model: PreTrainedModel, buffers: Sequence[Buffers], hooks: Hooks
    ) -> None:
        """Nothing is captured before the first call."""
        self.addresses, self.hooks = _addresses(buffers), hooks
        self.step = FixedStep(model, buffers)
        self.graph: torch.cuda.CUDAGraph | None = None
        self.logits: torch.Tensor

    def fits(self, buffers: Sequence[Buffers], hooks: Hooks) -> bool:
        """Whether this graph reads and writes these tensors."""
        # The hooks' tensors are kept, so no other tensor can have their addresses.
        return self.addresses == _addresses(buffers) and _same(self.hooks, hooks)

    def __call__(
        self, tokens: torch.Tensor, starts: torch.Tensor, position: int
    ) -> torch.Tensor:
        """Logits [slot, 1, vocabulary], valid until the next call."""
        self.step.set(tokens, starts, position)
        if self.graph is None:
            self._capture()
        assert self.graph is not None
        self.graph.replay()
        return self.logits

    def _capture(self) -> None:
        """Capture the step; it runs once before, as CUDA wants, with equal results."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self.step.run()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.logits = self.step.run()
        self.graph = graph


class StepRunner:
    """Runs the steps of a model: captured where that is possible and proven, or not."""

    def __init__(self, model: PreTrainedModel) -> None:
        """Decide by the device and the model; the first step proves it."""
        self.model = model
        self.captures = model.device.type == "cuda" and can_be_captured(model)
        self.proven = False
        self.captured: CapturedStep | None = None

    def step(self, buffers: Sequence[Buffers], hooks: Hooks) -> CapturedStep:
        """A captured step on these buffers, with the hooks that are registered now."""
        if self.captured is None or not self.captured.fits(buffers, hooks):
            self.captured = None  # frees the memory of the old graph first
            self.captured = CapturedStep(self.model, buffers, hooks)
        return self.captured

    def release(self) -> None:
        """Forget the captured step, and with it its memory and the buffers it holds."""
        self.captured = None

    def prove(self, captured: torch.Tensor, plain: torch.Tensor) -> None:
        """Compare the logits of a captured step with those of the plain step.

        Beyond the bound, no further step is captured, and a warning says so.
        """
        exact = plain.float()
        difference = float((captured.float() - exact).norm() / exact.norm())
        bound, self.proven = BOUNDS[plain.dtype], True
        text = f"logits differ from the plain step by {difference:.2g}, bound {bound:g}"
        if difference <= bound:
            logger.info("decoding with CUDA graphs: %s", text)
        else:  # also if it is not a number
            self.captures, self.captured = False, None
            logger.warning("decoding without CUDA graphs: %s", text)


def _addresses(buffers: Sequence[Buffers]) -> list[int]:
    return [tensor.data_ptr() for pair in buffers for tensor in pair]


def _same(one: Hooks, other: Hooks) -> bool:
    return len(one) == len(other) and all(
        a[0] == b[0] and a[1] is b[1] for a, b in zip(one, other, strict=True)
    )
