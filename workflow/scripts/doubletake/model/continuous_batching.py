"""Continuous batching: a slot takes the next prompt as soon as its thought ends.

The model is the plain one of transformers, with the library's cache classes. Rows of
the batch are aligned at their right end. So one write position serves all rows, and a
row needs the usual left-padding mask only. The batch stays full although thoughts
differ in length; a static batch would wait for its longest thought.

The cache has no gaps inside a row. The library's masks for layers with a sliding window
count positions in the cache, so they are right.

A completion with interventions, or its baseline, steps: all tokens that are given but
the last are read without a change, once for all completions that share them. The last
one is read in a step like the tokens after it.

Everything that decides the next tokens can be saved (`GenerationState`). With keys and
values in it, a generation goes on bit by bit as if it had never stopped. Without them,
they are computed again from the tokens, in one pass. Then their last bits differ, as
they do with another batch size. In float32 this hardly ever changes a token that is
chosen later; in bfloat16 it often does.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from transformers import DynamicCache, PreTrainedModel

from doubletake.model.checkpoints import Checkpoint
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest, GenerationState
from doubletake.model.growing_cache import GrowingLayer
from doubletake.model.interventions import InterventionRecord
from doubletake.model.prefill import Prefix, read_left_padded
from doubletake.model.requested_changes import (
    check_requests,
    grouped,
    with_changed_words,
)
from doubletake.model.row_interventions import RowInterventions
from doubletake.model.token_sampling import Sampling, choose_tokens
from doubletake.model.watched_text import TextReader
from doubletake.running.errors import InputError
from doubletake.stats.draws import uniforms
from doubletake.text.trace_rows import Completion

logger = logging.getLogger("doubletake")

PREFILL_TOKENS = 32_768
"""Largest number of positions that free slots take in one pass, with padding."""
SPARE = 8
"""A slot or position without use costs time at every step, dropping it copies all keys
and values once: done when one in this many has no use."""

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

    @property
    def begun(self) -> GenerationRequest:
        """The request to go on with."""
        if self.request.steps:
            return self.request
        return self.request.begun(self.ids, self.logprobs)


class Slots:
    """A batch of at most `size` completions under way."""

    def __init__(
        self,
        model: PreTrainedModel,
        size: int,
        sampling: Sampling,
        stop_ids: set[int],
        steering: Steering | None = None,
        interventions: RowInterventions | None = None,
    ) -> None:
        """Open empty slots; requests with interventions need `interventions`."""
        self.model, self.size, self.sampling = model, size, sampling
        self.stop_ids, self.steering = stop_ids, steering
        self.interventions = interventions
        self._prefix: Prefix | None = None  # of the next request that waits
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
        """Completions under way, as requests to go on with."""
        return [request for request in self.requests if request is not None]

    @property
    def requests(self) -> list[GenerationRequest | None]:
        """The completion under way in each slot, as a request to go on with.

        One that steps begins again: its keys and values follow from changed states.
        """
        return [None if state is None else state.begun for state in self.states]

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
        taken = list(zip(free, self._next_requests(waiting, len(free)), strict=False))
        if not taken:
            return []
        stepping = [(slot, one) for slot, one in taken if one.steps]
        plain = [(slot, one) for slot, one in taken if not one.steps]
        count = max(slot for slot, _ in taken) + 1
        if stepping:
            self._begin_stepping(stepping, count, waiting[0] if waiting else None)
        ended: list[Completion] = []
        if plain:
            slots, requests = [slot for slot, _ in plain], [one for _, one in plain]
            width = max(map(_length, requests))
            self._make_room(count, width)
            for slot, request in plain:
                self.states[slot] = _SlotState.of(request, self.sampling.seed)
            ended = self._add_tokens(slots, self._prefill(slots, requests, width))
        self._place_single_tokens(stepping)
        return ended

    def end(self, slot: int) -> None:
        """Free a slot before its completion ends."""
        self._free(slot)

    def step(self) -> list[Completion]:
        """Generate one token in every active slot; return finished completions."""
        self._shrink()
        position = self.length
        mask = torch.arange(position + 1, device=self.device) >= self.starts[:, None]
        with self._acting():
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

    def _next_requests(
        self, waiting: deque[GenerationRequest], free: int
    ) -> list[GenerationRequest]:
        """The next requests for free slots, as far as one pass can take their texts."""
        requests: list[GenerationRequest] = []
        shared: set[tuple[int, ...]] = set()
        rows = width = 0
        while waiting and len(requests) < free:
            request = waiting[0]
            text = request.shared_text if request.steps else None
            widest = max(width, _length(request))
            new = text is None or text not in shared
            if requests and widest * (rows + new) > PREFILL_TOKENS:
                break
            width, rows = widest, rows + new
            if text is not None:
                shared.add(text)
            requests.append(waiting.popleft())
        return requests

    def _prefill(
        self, slots: list[int], requests: list[GenerationRequest], width: int
    ) -> torch.Tensor:
        """Run the prompts, left-padded; copy their keys and values to the slots.

        The first tokens of a completion, if there are any, are run with its prompt.
        """
        texts = [request.prompt_ids + request.ids for request in requests]
        read = read_left_padded(self.model, texts, width)
        self.tokens_computed += int(read.lengths.sum())
        self._copy(slots, read.layers, range(len(slots)), read.lengths)
        return read.logits

    def _begin_stepping(
        self,
        taken: list[tuple[int, GenerationRequest]],
        count: int,
        following: GenerationRequest | None,
    ) -> None:
        """Let slots begin completions whose last given token is read in a step.

        Args:
            taken: slots and their requests.
            count: number of slots that there will be.
            following: the next request that waits.
        """
        slots_of: dict[tuple[int, ...], list[int]] = {}
        for slot, request in taken:
            slots_of.setdefault(request.shared_text, []).append(slot)
        self._make_room(count, max(map(len, slots_of)))
        for slot, request in taken:
            self.states[slot] = _SlotState.of(request, self.sampling.seed)
            if self.interventions is not None:
                self.interventions.put(slot, request)
        last = [(request.prompt_ids + request.ids)[-1] for _, request in taken]
        index = torch.tensor([slot for slot, _ in taken], device=self.device)
        self.last_tokens[index] = torch.tensor(last, device=self.device)
        prefix, self._prefix = self._prefix, None
        if prefix is not None and prefix.text in slots_of:
            slots = slots_of[prefix.text]
            lengths = torch.tensor([len(prefix.text)])
            self._copy(slots, prefix.layers, [0] * len(slots), lengths)
        else:
            prefix = None
        new = [
            text for text in slots_of if text and not (prefix and prefix.text == text)
        ]
        if new:
            read = read_left_padded(self.model, new, max(map(len, new)))
            self.tokens_computed += int(read.lengths.sum())
            pairs = [
                (slot, row) for row, text in enumerate(new) for slot in slots_of[text]
            ]
            slots, rows = [slot for slot, _ in pairs], [row for _, row in pairs]
            self._copy(slots, read.layers, rows, read.lengths)
        if following is not None and following.steps:
            text = following.shared_text
            if prefix is not None and prefix.text == text:
                self._prefix = prefix
            elif text in new:
                self._prefix = Prefix.of(read, new.index(text), text)

    def _place_single_tokens(self, taken: list[tuple[int, GenerationRequest]]) -> None:
        """Completions whose only given token is read next begin at its position."""
        for slot, request in taken:
            if not request.shared_text:
                self.starts[slot] = self.length

    def _copy(
        self,
        slots: list[int],
        layers: list[tuple[torch.Tensor, torch.Tensor]],
        rows: Sequence[int],
        lengths: torch.Tensor,
    ) -> None:
        """Copy keys and values of texts to slots.

        Args:
            slots: of the batch.
            layers: keys and values [text, head, width, d], aligned at the right.
            rows: the text of each slot.
            lengths: tokens of each text, [text].
        """
        width = layers[0][0].shape[2]
        end = self.length or width
        if not self.length:
            self._open_cache(layers)
        index = torch.tensor(slots, device=self.device)
        own = list(rows)
        whole = own == list(range(len(lengths)))
        for layer, (keys, values) in zip(self.cache.layers, layers, strict=True):
            layer.keys[index, :, end - width : end] = keys if whole else keys[own]
            layer.values[index, :, end - width : end] = values if whole else values[own]
        self.starts[index] = end - lengths[own].to(self.device)

    def _acting(self) -> AbstractContextManager[None]:
        """Lets the interventions act on the forward pass inside the block."""
        if self.interventions is None:
            return nullcontext()
        return self.interventions.acting(
            [
                None if state is None else (state.request, state.ids)
                for state in self.states
            ]
        )

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
        allowed = with_changed_words(allowed, [s.request for s in states if s])
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
        self._free(slot)
        finish = "stop" if stopped else "length"
        request = state.request
        return Completion(
            request.trace, state.ids, state.logprobs, finish, request.name
        )

    def _free(self, slot: int) -> None:
        self.states[slot] = None
        if self.interventions is not None:
            self.interventions.clear(slot)

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

    def _open_cache(self, layers: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Open the cache: zeros [slot, head, width, d] in every layer."""
        for index, both in enumerate(layers):
            keys, values = (
                one.new_zeros((len(self.states), *one.shape[1:])) for one in both
            )
            self.cache.update(keys, values, index)

    def _shrink(self) -> None:
        """Drop empty slots and positions that no row needs, once they are many."""
        active = [k for k, state in enumerate(self.states) if state is not None]
        empty = len(self.states) - len(active)
        if empty and empty * SPARE >= len(self.states):
            index = torch.tensor(active, device=self.device)
            self._reshape(lambda old: old[index])
            self.starts, self.last_tokens = self.starts[index], self.last_tokens[index]
            self.states = [self.states[k] for k in active]
            if self.interventions is not None:
                self.interventions.keep(active)
            active = list(range(len(active)))
        unused = int(self.starts[active].min())
        if unused and unused * SPARE >= self.length:
            self._reshape(lambda old: old[:, :, unused:].clone())
            self.starts = (self.starts - unused).clamp(min=0)

    def _reshape(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Replace the keys and values of every layer."""
        for layer in self.cache.layers:
            layer.replace(change(layer.keys), change(layer.values))


def _length(request: GenerationRequest) -> int:
    """Tokens that are given."""
    return len(request.prompt_ids) + len(request.ids)


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
    *,
    decoder: Decoder | None = None,
    reader: TextReader | None = None,
    record: InterventionRecord | None = None,
) -> Iterator[tuple[Completion | None, int]]:
    """Generate completions; yield (finished completion or None, tokens computed since).

    When a GPU runs out of memory, the batch is halved. The completions under way keep
    their tokens; their keys and values are computed again. Those that step begin again.

    Args:
        model: the plain model of transformers.
        requests: what to generate.
        sampling: how tokens are chosen.
        stop_ids: tokens that end a completion.
        batch_size: largest number of completions under way.
        checkpoint: of these requests. The generation begins where it stands, without
            the completions that are finished there, and writes it from time to time.
        steering: changes the logits before a token is chosen; None: nothing does.
        decoder: `model` with its parts by name; interventions need it.
        reader: reads the text where it decides positions of interventions.
        record: takes the positions at which states are changed.

    Raises:
        InputError: not even one completion fits into the GPU's memory, or
            `check_requests` refuses the changes that are asked for.
    """
    check_requests(requests, decoder, reader)
    state = GenerationState.at_start(grouped(requests), batch_size)
    if checkpoint is not None:
        state = checkpoint.state
    size, rows = state.batch_size, None
    if decoder is not None:
        rows = RowInterventions(decoder, size, reader, record)
    slots = Slots(model, size, sampling, stop_ids, steering, rows)
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
    size, rows = slots.size // 2, slots.interventions
    return Slots(
        slots.model,
        size,
        slots.sampling,
        slots.stop_ids,
        slots.steering,
        None if rows is None else rows.emptied(size),
    )
