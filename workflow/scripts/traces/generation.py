"""Sampling thoughts: a batch of slots that are refilled as soon as a thought ends.

The model is the plain Hugging Face one with its own cache classes. Rows of the batch
are aligned at their right end, so one write position serves all of them and a row needs
only the usual left-padding mask; a slot whose thought has ended takes the next prompt
at once, so the batch stays full whatever the lengths (static batches wait for their
longest row). Two tokens of a row are as far apart in the cache as in the row, so the
library's masks of layers with a sliding window, which count in the cache, are right.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from doubletake.running.errors import InputError
from doubletake.stats.draws import uniforms
from traces.rows import Completion
from traces.sampling import Sampling, choose

logger = logging.getLogger("doubletake")
BLOCK = 256  # positions by which the cache grows


@dataclass(frozen=True)
class Request:
    """One completion to generate."""

    key: str
    """Id; the row's random numbers depend on it and the seed alone."""
    prompt_ids: list[int]
    max_new_tokens: int


class _Layer(DynamicLayer):
    """Keys and values [slot, head, position, d] in a buffer that grows by blocks."""

    keys: torch.Tensor
    values: torch.Tensor
    buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        *args: object,
        **kwargs: object,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append in place (the base class copies the whole cache every step)."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        used = self.get_seq_length()
        total = used + key_states.shape[-2]
        if self.buffers is None or total > self.buffers[0].shape[-2]:
            room = -(-total // BLOCK) * BLOCK
            self.buffers = (
                _grown(self.keys, key_states, used, room),
                _grown(self.values, value_states, used, room),
            )
        keys, values = self.buffers
        keys[..., used:total, :] = key_states
        values[..., used:total, :] = value_states
        self.keys, self.values = keys[..., :total, :], values[..., :total, :]
        return self.keys, self.values

    def replace(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Put other keys and values in place of all that is stored."""
        self.keys, self.values, self.buffers = keys, values, None


def _grown(old: torch.Tensor, new: torch.Tensor, used: int, room: int) -> torch.Tensor:
    buffer = new.new_zeros((*new.shape[:-2], room, new.shape[-1]))
    if used:
        buffer[..., :used, :] = old
    return buffer


@dataclass
class _Row:
    """State of one slot."""

    request: Request
    uniform: np.ndarray
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
        self.rows: list[_Row | None] = []
        # Built without the config: layers with a sliding window must not drop keys, or
        # their positions would no longer be those of the other layers.
        self.cache = DynamicCache()
        self.cache.layer_class_to_replicate = _Layer
        self.start = torch.zeros(0, dtype=torch.long, device=self.device)
        self.last = torch.zeros(0, dtype=torch.long, device=self.device)
        self.computed = 0

    @property
    def active(self) -> int:
        """Slots at work."""
        return sum(row is not None for row in self.rows)

    @property
    def unfinished(self) -> list[Request]:
        """Requests that are under way."""
        return [row.request for row in self.rows if row is not None]

    @property
    def length(self) -> int:
        """Positions in the cache."""
        return self.cache.get_seq_length()

    def fill(self, waiting: deque[Request]) -> list[Completion]:
        """Give free slots the next requests; return those that end at once."""
        free = [k for k, row in enumerate(self.rows) if row is None]
        free += range(len(self.rows), self.size)
        slots = free[: len(waiting)]
        if not slots:
            return []
        requests = [waiting.popleft() for _ in slots]
        width = max(len(request.prompt_ids) for request in requests)
        self._widen(max(slots) + 1, width)
        for slot, request in zip(slots, requests, strict=True):
            count = request.max_new_tokens
            random = uniforms(self.sampling.seed, request.key, count)
            self.rows[slot] = _Row(request, random)
        return self._append(slots, self._prefill(slots, requests, width))

    def step(self) -> list[Completion]:
        """Generate one token in every slot at work; return what has ended."""
        self._tidy()
        position = self.length
        mask = torch.arange(position + 1, device=self.device) >= self.start[:, None]
        output = self.model(
            input_ids=self.last[:, None],
            attention_mask=mask.long(),
            position_ids=(position - self.start)[:, None],
            past_key_values=self.cache,
            use_cache=True,
        )
        slots = [k for k, row in enumerate(self.rows) if row is not None]
        self.computed += len(slots)
        return self._append(slots, output.logits[slots, -1])

    def _prefill(
        self, slots: list[int], requests: list[Request], width: int
    ) -> torch.Tensor:
        """Run the prompts, left-padded; copy their keys and values to the slots."""
        ids = torch.zeros((len(slots), width), dtype=torch.long)
        lengths = torch.tensor([len(request.prompt_ids) for request in requests])
        for row, request in enumerate(requests):
            ids[row, width - len(request.prompt_ids) :] = torch.tensor(
                request.prompt_ids
            )
        places = torch.arange(width) - (width - lengths)[:, None]
        prompt = DynamicCache()
        output = self.model(
            input_ids=ids.to(self.device),
            attention_mask=(places >= 0).long().to(self.device),
            position_ids=places.clamp(min=0).to(self.device),
            past_key_values=prompt,
            use_cache=True,
            logits_to_keep=1,
        )
        self.computed += int(lengths.sum())
        end = self.length or width
        if not self.length:
            self._allocate(prompt, width)
        index = torch.tensor(slots, device=self.device)
        for ours, theirs in zip(self.cache.layers, prompt.layers, strict=True):
            ours.keys[index, :, end - width : end] = theirs.keys
            ours.values[index, :, end - width : end] = theirs.values
        self.start[index] = end - lengths.to(self.device)
        return output.logits[:, -1]

    def _append(self, slots: list[int], logits: torch.Tensor) -> list[Completion]:
        """Choose each slot's next token from its logits [slot, vocabulary]."""
        rows = [self.rows[slot] for slot in slots]
        uniform = torch.tensor([row.uniform[len(row.ids)] for row in rows if row])
        logits = logits.float()
        tokens = choose(logits, uniform.to(self.device), self.sampling)
        chosen = logits.gather(-1, tokens[:, None])[:, 0] - logits.logsumexp(-1)
        self.last[torch.tensor(slots, device=self.device)] = tokens
        ended = []
        for slot, token, logprob in zip(
            slots, tokens.tolist(), chosen.tolist(), strict=True
        ):
            done = self._take(slot, token, logprob)
            if done:
                ended.append(done)
        return ended

    def _take(self, slot: int, token: int, logprob: float) -> Completion | None:
        row = self.rows[slot]
        assert row is not None
        stopped = token in self.stop_ids
        if not stopped:
            row.ids.append(token)
            row.logprobs.append(logprob)
        if not stopped and len(row.ids) < row.request.max_new_tokens:
            return None
        self.rows[slot] = None
        finish = "stop" if stopped else "length"
        return Completion(row.request.key, row.ids, row.logprobs, finish)

    def _widen(self, count: int, width: int) -> None:
        """Make room for `count` slots and for prompts of `width` positions."""
        missing = max(0, count - len(self.rows))
        self.rows += [None] * missing
        self.start = torch.nn.functional.pad(self.start, (0, missing))
        self.last = torch.nn.functional.pad(self.last, (0, missing))
        left = max(0, width - self.length) if self.length else 0
        if self.length and (missing or left):
            self._reshape(lambda old: _padded(old, missing, left))
            self.start += left

    def _allocate(self, prompt: DynamicCache, width: int) -> None:
        """Open the cache: zeros [slot, head, width, d] in every layer."""
        for index, layer in enumerate(prompt.layers):
            shape = (len(self.rows), *layer.keys.shape[1:])
            values = (len(self.rows), *layer.values.shape[1:])
            self.cache.update(
                layer.keys.new_zeros(shape), layer.values.new_zeros(values), index
            )

    def _tidy(self) -> None:
        """Drop positions that no row needs and, near the end, slots without a row."""
        working = [k for k, row in enumerate(self.rows) if row is not None]
        if len(working) <= len(self.rows) // 2:
            index = torch.tensor(working, device=self.device)
            self._reshape(lambda old: old[index])
            self.start, self.last = self.start[index], self.last[index]
            self.rows = [self.rows[k] for k in working]
            working = list(range(len(working)))
        dead = int(self.start[working].min())
        if dead >= max(BLOCK, self.length // 2):
            self._reshape(lambda old: old[:, :, dead:].clone())
            self.start = (self.start - dead).clamp(min=0)

    def _reshape(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        for layer in self.cache.layers:
            layer.replace(change(layer.keys), change(layer.values))


def _padded(old: torch.Tensor, slots: int, left: int) -> torch.Tensor:
    return torch.nn.functional.pad(old, (0, 0, left, 0, 0, 0, 0, slots))


@torch.inference_mode()
def generate(
    model: PreTrainedModel,
    requests: list[Request],
    sampling: Sampling,
    stop_ids: set[int],
    batch_size: int,
) -> Iterator[tuple[Completion | None, int]]:
    """Generate completions; yield (what has ended or None, tokens computed since).

    When a GPU runs out of memory the batch is halved and the completions under way
    start again; their random numbers are the same.

    Raises:
        InputError: not even one completion fits into the GPU's memory.
    """
    waiting = deque(requests)
    slots = Slots(model, batch_size, sampling, stop_ids)
    while waiting or slots.active:
        before = slots.computed
        ended: list[Completion] = []
        try:
            ended += slots.fill(waiting)
            if slots.active:
                ended += slots.step()
            yield None, slots.computed - before
        except torch.cuda.OutOfMemoryError as error:
            if batch_size == 1:
                names = ", ".join(request.key for request in slots.unfinished)
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
