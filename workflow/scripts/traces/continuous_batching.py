"""Continuous batching: a slot takes the next prompt as soon as its thought ends.

The model is the plain one of transformers, with the library's cache classes. Rows of
the batch are aligned at their right end. So one write position serves all rows, and a
row needs the usual left-padding mask only. The batch stays full although thoughts
differ in length; a static batch would wait for its longest thought.

The cache has no gaps inside a row. The library's masks for layers with a sliding window
count positions in the cache, so they are right.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from transformers import DynamicCache, PreTrainedModel

from doubletake.model import growing_cache
from doubletake.model.growing_cache import GrowingLayer
from doubletake.model.token_sampling import Sampling, choose_tokens
from doubletake.running.errors import InputError
from doubletake.stats.draws import uniforms
from traces.trace_rows import Completion

logger = logging.getLogger("doubletake")


@dataclass(frozen=True)
class GenerationRequest:
    """One completion to generate."""

    trace: str
    """Id of the trace; with the seed it decides the random numbers."""
    prompt_ids: list[int]
    max_new_tokens: int


@dataclass
class _SlotState:
    """The completion under way in one slot."""

    request: GenerationRequest
    uniform: np.ndarray
    """One random number per token, in [0, 1)."""
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


class Slots:
    """A batch of at most `size` completions under way."""

    def __init__(
        self, model: PreTrainedModel, size: int, sampling: Sampling, stop_ids: set[int]
    ) -> None:
        """Open empty slots."""
        self.model, self.size, self.sampling = model, size, sampling
        self.stop_ids = stop_ids
        self.device = model.device
        self.states: list[_SlotState | None] = []
        # No config here: with it, layers with a sliding window would drop keys, and
        # positions in the cache would differ from layer to layer.
        self.cache = DynamicCache()
        self.cache.layer_class_to_replicate = GrowingLayer
        self.starts = torch.zeros(0, dtype=torch.long, device=self.device)
        self.last_tokens = torch.zeros(0, dtype=torch.long, device=self.device)
        self.tokens_computed = 0

    @property
    def active(self) -> int:
        """Number of slots with a completion under way."""
        return sum(state is not None for state in self.states)

    @property
    def unfinished(self) -> list[GenerationRequest]:
        """Requests whose completions are under way."""
        return [state.request for state in self.states if state is not None]

    @property
    def length(self) -> int:
        """Number of positions in the cache."""
        return self.cache.get_seq_length()

    def fill(self, waiting: deque[GenerationRequest]) -> list[Completion]:
        """Give free slots the next requests; return completions that end at once."""
        free = [k for k, state in enumerate(self.states) if state is None]
        free += range(len(self.states), self.size)
        slots = free[: len(waiting)]
        if not slots:
            return []
        requests = [waiting.popleft() for _ in slots]
        width = max(len(request.prompt_ids) for request in requests)
        self._make_room(max(slots) + 1, width)
        for slot, request in zip(slots, requests, strict=True):
            count = request.max_new_tokens
            random = uniforms(self.sampling.seed, request.trace, count)
            self.states[slot] = _SlotState(request, random)
        return self._add_tokens(slots, self._prefill(slots, requests, width))

    def step(self) -> list[Completion]:
        """Generate one token in every active slot; return finished completions."""
        self._shrink()
        position = self.length
        mask = torch.arange(position + 1, device=self.device) >= self.starts[:, None]
        output = self.model(
            input_ids=self.last_tokens[:, None],
            attention_mask=mask.long(),
            position_ids=(position - self.starts)[:, None],
            past_key_values=self.cache,
            use_cache=True,
        )
        slots = [k for k, state in enumerate(self.states) if state is not None]
        self.tokens_computed += len(slots)
        return self._add_tokens(slots, output.logits[slots, -1])

    def _prefill(
        self, slots: list[int], requests: list[GenerationRequest], width: int
    ) -> torch.Tensor:
        """Run the prompts, left-padded; copy their keys and values to the slots."""
        ids = torch.zeros((len(slots), width), dtype=torch.long)
        lengths = torch.tensor([len(request.prompt_ids) for request in requests])
        for row, request in enumerate(requests):
            ids[row, width - len(request.prompt_ids) :] = torch.tensor(
                request.prompt_ids
            )
        positions = torch.arange(width) - (width - lengths)[:, None]
        prompt = DynamicCache()
        output = self.model(
            input_ids=ids.to(self.device),
            attention_mask=(positions >= 0).long().to(self.device),
            position_ids=positions.clamp(min=0).to(self.device),
            past_key_values=prompt,
            use_cache=True,
            logits_to_keep=1,
        )
        self.tokens_computed += int(lengths.sum())
        end = self.length or width
        if not self.length:
            self._open_cache(prompt, width)
        index = torch.tensor(slots, device=self.device)
        for layer, prefilled in zip(self.cache.layers, prompt.layers, strict=True):
            layer.keys[index, :, end - width : end] = prefilled.keys
            layer.values[index, :, end - width : end] = prefilled.values
        self.starts[index] = end - lengths.to(self.device)
        return output.logits[:, -1]

    def _add_tokens(self, slots: list[int], logits: torch.Tensor) -> list[Completion]:
        """Choose each slot's next token from its logits [slot, vocabulary].

        Returns:
            The completions that end with this token.
        """
        states = [self.states[slot] for slot in slots]
        numbers = [state.uniform[len(state.ids)] for state in states if state]
        uniform = torch.tensor(numbers)
        logits = logits.float()
        tokens = choose_tokens(logits, uniform.to(self.device), self.sampling)
        chosen = logits.gather(-1, tokens[:, None])[:, 0] - logits.logsumexp(-1)
        self.last_tokens[torch.tensor(slots, device=self.device)] = tokens
        ended = []
        for slot, token, logprob in zip(
            slots, tokens.tolist(), chosen.tolist(), strict=True
        ):
            completion = self._record(slot, token, logprob)
            if completion:
                ended.append(completion)
        return ended

    def _record(self, slot: int, token: int, logprob: float) -> Completion | None:
        """Add a token to a slot's completion; return the completion if it ends."""
        state = self.states[slot]
        assert state is not None
        stopped = token in self.stop_ids
        if not stopped:
            state.ids.append(token)
            state.logprobs.append(logprob)
        if not stopped and len(state.ids) < state.request.max_new_tokens:
            return None
        self.states[slot] = None
        finish = "stop" if stopped else "length"
        return Completion(state.request.trace, state.ids, state.logprobs, finish)

    def _make_room(self, count: int, width: int) -> None:
        """Make room for `count` slots and for prompts of `width` positions."""
        missing = max(0, count - len(self.states))
        self.states += [None] * missing
        self.starts = torch.nn.functional.pad(self.starts, (0, missing))
        self.last_tokens = torch.nn.functional.pad(self.last_tokens, (0, missing))
        left = max(0, width - self.length) if self.length else 0
        if self.length and (missing or left):
            self._reshape(lambda old: _padded(old, missing, left))
            self.starts += left

    def _open_cache(self, prompt: DynamicCache, width: int) -> None:
        """Open the cache: zeros [slot, head, width, d] in every layer."""
        for index, layer in enumerate(prompt.layers):
            shape = (len(self.states), *layer.keys.shape[1:])
            values = (len(self.states), *layer.values.shape[1:])
            self.cache.update(
                layer.keys.new_zeros(shape), layer.values.new_zeros(values), index
            )

    def _shrink(self) -> None:
        """Drop positions that no row needs and, near the end, empty slots."""
        active = [k for k, state in enumerate(self.states) if state is not None]
        if len(active) <= len(self.states) // 2:
            index = torch.tensor(active, device=self.device)
            self._reshape(lambda old: old[index])
            self.starts, self.last_tokens = self.starts[index], self.last_tokens[index]
            self.states = [self.states[k] for k in active]
            active = list(range(len(active)))
        unused = int(self.starts[active].min())
        if unused >= max(growing_cache.BLOCK, self.length // 2):
            self._reshape(lambda old: old[:, :, unused:].clone())
            self.starts = (self.starts - unused).clamp(min=0)

    def _reshape(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Replace the keys and values of every layer."""
        for layer in self.cache.layers:
            layer.replace(change(layer.keys), change(layer.values))


def _padded(old: torch.Tensor, slots: int, left: int) -> torch.Tensor:
    return torch.nn.functional.pad(old, (0, 0, left, 0, 0, 0, 0, slots))


@torch.inference_mode()
def generate(
    model: PreTrainedModel,
    requests: list[GenerationRequest],
    sampling: Sampling,
    stop_ids: set[int],
    batch_size: int,
) -> Iterator[tuple[Completion | None, int]]:
    """Generate completions; yield (finished completion or None, tokens computed since).

    When a GPU runs out of memory, the batch is halved. The completions under way start
    again with the same random numbers.

    Raises:
        InputError: not even one completion fits into the GPU's memory.
    """
    waiting = deque(requests)
    slots = Slots(model, batch_size, sampling, stop_ids)
    while waiting or slots.active:
        before = slots.tokens_computed
        ended: list[Completion] = []
        try:
            ended += slots.fill(waiting)
            if slots.active:
                ended += slots.step()
            yield None, slots.tokens_computed - before
        except torch.cuda.OutOfMemoryError as error:
            if batch_size == 1:
                names = ", ".join(request.trace for request in slots.unfinished)
                raise InputError(
                    f"out of GPU memory for one completion alone: trace {names}"
                ) from error
            batch_size //= 2
            logger.warning("out of GPU memory: batch size is now %d", batch_size)
            waiting.extendleft(reversed(slots.unfinished))
            slots = Slots(model, batch_size, sampling, stop_ids)
            torch.cuda.empty_cache()
        for completion in ended:
            yield completion, 0
