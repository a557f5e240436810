"""Continuous batching: a slot takes the next prompt as soon as its thought ends.

The model is the plain one of transformers, with the library's cache classes. Rows of
the batch are aligned at their right end. So one write position serves all rows, and a
row needs the usual left-padding mask only. The batch stays full although thoughts
differ in length; a static batch would wait for its longest thought.

The cache has no gaps inside a row. The library's masks for layers with a sliding window
count positions in the cache, so they are right.

Everything that decides the next tokens can be saved (`GenerationState`). With keys and
values in it, a generation goes on bit by bit as if it had never stopped. Without them,
they are computed again from the tokens, in one pass. Then their last bits differ, as
they do with another batch size. In float32 this hardly ever changes a token that is
chosen later; in bfloat16 it often does.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from transformers import DynamicCache, PreTrainedModel

from doubletake.model.captured_step import StepRunner
from doubletake.model.checkpoints import Checkpoint
from doubletake.model.generation_state import GenerationRequest, GenerationState
from doubletake.model.growing_cache import GrowingLayer
from doubletake.model.token_sampling import Sampling, choose_tokens
from doubletake.running.errors import InputError
from doubletake.stats.draws import uniforms
from doubletake.text.trace_rows import Completion

logger = logging.getLogger("doubletake")

PREFILL_TOKENS = 32_768
"""Largest number of positions that free slots take in one pass, with padding."""
SPARE, CAPTURED_SPARE = 8, 4
"""A slot or position without use costs time at every step, dropping it copies all keys
and values once: done when one in this many has no use. A captured step must then also
be captured again."""
FREE = 8
"""With captured steps, reading prompts takes as long as many steps: prompts are read
when one slot in this many is free."""

Steering = Callable[["Slots", list[int], torch.Tensor], torch.Tensor]
"""Given the slots, the numbers of some of them and their logits [slot, vocabulary], of
which the next tokens are chosen: the changed logits. The cache then holds all tokens of
these slots. Random numbers stay those of the trace and the place. The log-prob that is
kept is that of the logits before the change."""


@dataclass
class _SlotState:
    """The completion under way in one slot."""

    request: GenerationRequest
    uniform: np.ndarray
    """One random number per token, in [0, 1)."""
    ids: list[int]
    logprobs: list[float]

    @classmethod
    def of(cls, request: GenerationRequest, seed: int) -> "_SlotState":
        """The completion from its first tokens on, if there are any."""
        random = uniforms(seed, request.trace, request.max_new_tokens)
        return cls(request, random, list(request.ids), list(request.logprobs))


class Slots:
    """A batch of at most `size` completions under way."""

    def __init__(
        self,
        model: PreTrainedModel,
        size: int,
        sampling: Sampling,
        stop_ids: set[int],
        steering: Steering | None = None,
    ) -> None:
        """Open empty slots."""
        self.model, self.size, self.sampling = model, size, sampling
        self.stop_ids, self.steering = stop_ids, steering
        self.device = model.device
        self.states: list[_SlotState | None] = []
        # No config here: with it, layers with a sliding window would drop keys, and
        # positions in the cache would differ from layer to layer.
        self.cache = DynamicCache()
        self.cache.layer_class_to_replicate = GrowingLayer
        self.starts = torch.zeros(0, dtype=torch.long, device=self.device)
        self.last_tokens = torch.zeros(0, dtype=torch.long, device=self.device)
        self.tokens_computed = 0
        self.runner = StepRunner(model)

    @property
    def active(self) -> int:
        """Number of slots with a completion under way."""
        return sum(state is not None for state in self.states)

    @property
    def unfinished(self) -> list[GenerationRequest]:
        """Completions under way, as requests to go on with."""
        return [request for request in self.requests if request is not None]

    @property
    def requests(self) -> list[GenerationRequest | None]:
        """The completion under way in each slot, as a request to go on with."""
        return [
            state.request.begun(state.ids, state.logprobs) if state else None
            for state in self.states
        ]

    @property
    def length(self) -> int:
        """Number of positions in the cache."""
        return self.cache.get_seq_length()

    def tensors(self) -> dict[str, torch.Tensor]:
        """What the slots hold beside tokens, by name.

        `starts` and `last_tokens` are [slot], `keys.LAYER` and `values.LAYER` are
        [slot, head, position, d].
        """
        tensors = {"starts": self.starts, "last_tokens": self.last_tokens}
        for index, layer in enumerate(self.cache.layers):
            tensors |= {f"keys.{index}": layer.keys, f"values.{index}": layer.values}
        return tensors

    def restore(self, state: GenerationState) -> None:
        """Let these empty slots hold what the slots of `state` held.

        The buffers get the sizes that they had, so all later sums are the same.
        """
        tensors = {k: v.to(self.device) for k, v in state.tensors.items()}
        for index in range(len(tensors) // 2 - 1):
            keys, values = tensors[f"keys.{index}"], tensors[f"values.{index}"]
            self.cache.update(keys, values, index)
        self.starts = tensors["starts"].clone()
        self.last_tokens = tensors["last_tokens"].clone()
        seed = self.sampling.seed
        self.states = [
            _SlotState.of(item, seed) if item else None for item in state.slots
        ]

    def fill(self, waiting: deque[GenerationRequest]) -> list[Completion]:
        """Give free slots the next requests; return completions that end at once.

        Some slots stay free until the next call if one pass cannot take all prompts.
        """
        free = [k for k, state in enumerate(self.states) if state is None]
        free += range(len(self.states), self.size)
        if self.runner.captures and len(free) * FREE < self.size:
            return []
        requests: list[GenerationRequest] = []
        width = 0
        while waiting and len(requests) < len(free):
            widest = max(width, len(waiting[0].prompt_ids) + len(waiting[0].ids))
            if requests and widest * (len(requests) + 1) > PREFILL_TOKENS:
                break
            width = widest
            requests.append(waiting.popleft())
        if not requests:
            return []
        slots = free[: len(requests)]
        self._make_room(max(slots) + 1, width)
        for slot, request in zip(slots, requests, strict=True):
            self.states[slot] = _SlotState.of(request, self.sampling.seed)
        return self._add_tokens(slots, self._prefill(slots, requests, width))

    def end(self, slot: int) -> None:
        """Free a slot before its completion ends."""
        self.states[slot] = None

    def step(self) -> list[Completion]:
        """Generate one token in every active slot; return finished completions."""
        self._shrink()
        logits = self._step_logits()
        slots = [k for k, state in enumerate(self.states) if state is not None]
        self.tokens_computed += len(slots)
        return self._add_tokens(slots, logits[slots, -1])

    def _step_logits(self) -> torch.Tensor:
        """Read the last token of every slot: logits [slot, 1, vocabulary]."""
        position, runner = self.length, self.runner
        if runner.captures and runner.proven:
            return self._captured_logits(position)
        mask = torch.arange(position + 1, device=self.device) >= self.starts[:, None]
        output = self.model(
            input_ids=self.last_tokens[:, None],
            attention_mask=mask.long(),
            position_ids=(position - self.starts)[:, None],
            past_key_values=self.cache,
            use_cache=True,
        )
        if runner.captures:  # the first step: the captured one does the same once more
            rows = [k for k, state in enumerate(self.states) if state is not None]
            captured = self._captured_logits(position)
            runner.prove(captured[rows], output.logits[rows])
        return output.logits

    def _captured_logits(self, position: int) -> torch.Tensor:
        """The same from a CUDA graph."""
        buffers = [
            layer.reserved(position + 1, layer.keys, layer.values)
            for layer in self.cache.layers
        ]
        logits = self.runner.logits(buffers, self.last_tokens, self.starts, position)
        for layer in self.cache.layers:
            layer.use(position + 1)
        return logits

    def _prefill(
        self, slots: list[int], requests: list[GenerationRequest], width: int
    ) -> torch.Tensor:
        """Run the prompts, left-padded; copy their keys and values to the slots.

        The first tokens of a completion, if there are any, are run with its prompt.
        """
        ids = torch.zeros((len(slots), width), dtype=torch.long)
        texts = [request.prompt_ids + request.ids for request in requests]
        lengths = torch.tensor([len(text) for text in texts])
        for row, text in enumerate(texts):
            ids[row, width - len(text) :] = torch.tensor(text)
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
        allowed = self.steering(self, slots, logits) if self.steering else logits
        tokens = choose_tokens(allowed, uniform.to(self.device), self.sampling)
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
        request = state.request
        return Completion(
            request.trace, state.ids, state.logprobs, finish, request.name
        )

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
        """Drop empty slots and positions that no row needs, once they are many."""
        active = [k for k, state in enumerate(self.states) if state is not None]
        empty = len(self.states) - len(active)
        spare = CAPTURED_SPARE if self.runner.captures else SPARE
        if empty and empty * spare >= len(self.states):
            index = torch.tensor(active, device=self.device)
            self._reshape(lambda old: old[index])
            self.starts, self.last_tokens = self.starts[index], self.last_tokens[index]
            self.states = [self.states[k] for k in active]
            active = list(range(len(active)))
        unused = int(self.starts[active].min())
        if unused and unused * spare >= self.length:
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
    checkpoint: Checkpoint | None = None,
    steering: Steering | None = None,
) -> Iterator[tuple[Completion | None, int]]:
    """Generate completions; yield (finished completion or None, tokens computed since).

    When a GPU runs out of memory, the batch is halved. The completions under way keep
    their tokens; their keys and values are computed again.

    Args:
        model: the plain model of transformers.
        requests: what to generate.
        sampling: how tokens are chosen.
        stop_ids: tokens that end a completion.
        batch_size: largest number of completions under way.
        checkpoint: of these requests. The generation begins where it stands, without
            the completions that are finished there, and writes it from time to time.
        steering: changes the logits before a token is chosen; None: nothing does.

    Raises:
        InputError: not even one completion fits into the GPU's memory.
    """
    state = GenerationState.at_start(requests, batch_size)
    if checkpoint is not None:
        state = checkpoint.state
    slots = Slots(model, state.batch_size, sampling, stop_ids, steering)
    if state.tensors:
        slots.restore(state)
        state.tensors = {}
    waiting = state.waiting
    while waiting or slots.active:
        before = slots.tokens_computed
        ended: list[Completion] = []
        try:
            ended += slots.fill(waiting)
            if slots.active:
                ended += slots.step()
            yield None, slots.tokens_computed - before
        except torch.cuda.OutOfMemoryError as error:
            slots = _halved(slots, waiting, error)
            torch.cuda.empty_cache()
        for completion in ended:
            yield completion, 0
        state.finished += ended
        if checkpoint is not None and checkpoint.is_due:
            now = slots.requests, waiting, slots.size, slots.tensors()
            checkpoint.write(GenerationState(state.finished, *now))


def _halved(
    slots: Slots,
    waiting: deque[GenerationRequest],
    error: torch.cuda.OutOfMemoryError,
) -> Slots:
    """Empty slots, half as many; the completions under way wait before all others.

    Raises:
        InputError: there is one slot only.
    """
    if slots.size == 1:
        names = ", ".join(request.trace for request in slots.unfinished)
        raise InputError(
            f"out of GPU memory for one completion alone: trace {names}"
        ) from error
    logger.warning("out of GPU memory: batch size is now %d", slots.size // 2)
    waiting.extendleft(reversed(slots.unfinished))
    size = slots.size // 2
    return Slots(slots.model, size, slots.sampling, slots.stop_ids, slots.steering)
