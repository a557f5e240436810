"""Slots: a batch of completions under way, of which each step adds one token.

Rows of the batch are aligned at their right end. So one write position serves all rows,
and a row needs the usual left-padding mask only. The cache has no gaps inside a row.
The library's masks for layers with a sliding window count positions in the cache, so
they are right.

A completion with interventions, or its baseline, steps: all tokens that are given but
the last are read without a change, once for all completions that share them. The last
one is read in a step like the tokens after it.
"""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from doubletake.model.aligned_cache import SPARE, AlignedCache
from doubletake.model.captured_step import Hooks, StepRunner
from doubletake.model.generation_state import GenerationRequest, GenerationState
from doubletake.model.prefill import SharedTexts, read_left_padded
from doubletake.model.requested_changes import with_changed_words
from doubletake.model.row_interventions import RowInterventions
from doubletake.model.token_sampling import Sampling, choose_tokens
from doubletake.stats.draws import uniforms
from doubletake.text.trace_rows import Completion

PREFILL_TOKENS = 32_768
"""Largest number of positions that free slots take in one pass, with padding."""
CAPTURED_SPARE = 4
"""As `SPARE`, where dropping makes a step be captured again."""
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
        self.shared_texts = SharedTexts(model)
        self.device = model.device
        self.states: list[_SlotState | None] = []
        self.runner = StepRunner(model)
        self.cache = AlignedCache(self.device, self.runner.release)
        self.last_tokens = torch.zeros(0, dtype=torch.long, device=self.device)
        self.tokens_computed = 0
        self.spare = CAPTURED_SPARE if self.runner.captures else SPARE

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
        return self.cache.length

    def tensors(self) -> dict[str, torch.Tensor]:
        """What the slots hold beside tokens, by name.

        `starts` and `last_tokens` are [slot], `keys.LAYER` and `values.LAYER` are
        [slot, head, position, d].
        """
        return self.cache.tensors() | {"last_tokens": self.last_tokens}

    def restore(self, state: GenerationState) -> None:
        """Let these empty slots hold what the slots of `state` held.

        The buffers get the sizes that they had, so all later sums are the same.
        """
        tensors = {k: v.to(self.device) for k, v in state.tensors.items()}
        self.cache.restore(tensors)
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
        taken = list(zip(free, self._next_requests(waiting, len(free)), strict=False))
        if not taken:
            return []
        count = max(slot for slot, _ in taken) + 1
        self.states += [None] * (count - len(self.states))
        for slot, request in taken:
            self.states[slot] = _SlotState.of(request, self.sampling.seed)
        missing = len(self.states) - len(self.last_tokens)
        self.last_tokens = torch.nn.functional.pad(self.last_tokens, (0, missing))
        self._begin_stepping([(slot, one) for slot, one in taken if one.steps], waiting)
        plain = [(slot, one) for slot, one in taken if not one.steps]
        return self._begin_plain(plain) if plain else []

    def end(self, slot: int) -> None:
        """Free a slot before its completion ends."""
        self._free(slot)

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
        starts = self.cache.starts[:, None]
        with self._acting() as hooks:
            if runner.captures and runner.proven:
                return self._captured_logits(position, hooks)
            mask = torch.arange(position + 1, device=self.device) >= starts
            output = self.model(
                input_ids=self.last_tokens[:, None],
                attention_mask=mask.long(),
                position_ids=position - starts,
                past_key_values=self.cache,
                use_cache=True,
            )
            if runner.captures:  # the first step: a captured one does the same again
                rows = [k for k, state in enumerate(self.states) if state is not None]
                captured = self._captured_logits(position, hooks)
                runner.prove(captured[rows], output.logits[rows])
        return output.logits

    def _captured_logits(self, position: int, hooks: Hooks) -> torch.Tensor:
        """The same from a CUDA graph."""
        step = self.runner.step(self.cache.reserved(position + 1), hooks)
        logits = step(self.last_tokens, self.cache.starts, position)
        self.cache.use(position + 1)
        return logits

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

    def _begin_plain(
        self, taken: list[tuple[int, GenerationRequest]]
    ) -> list[Completion]:
        """Read prompts in one pass, and choose their next tokens.

        The first tokens of a completion, if there are any, are read with its prompt.

        Returns:
            The completions that end at once.
        """
        slots = [slot for slot, _ in taken]
        texts = [request.prompt_ids + request.ids for _, request in taken]
        self.cache.make_room(len(self.states), max(map(len, texts)))
        read = read_left_padded(self.model, texts)
        self.tokens_computed += int(read.lengths.sum())
        self.cache.copy(slots, read.layers, range(len(slots)), read.lengths)
        return self._add_tokens(slots, read.logits)

    def _begin_stepping(
        self,
        taken: list[tuple[int, GenerationRequest]],
        waiting: deque[GenerationRequest],
    ) -> None:
        """Let slots begin completions whose last given token is read in a step."""
        if not taken:
            return
        texts = {slot: request.shared_text for slot, request in taken}
        self.cache.make_room(len(self.states), max(map(len, texts.values())))
        following = waiting[0].shared_text if waiting and waiting[0].steps else None
        self.tokens_computed += self.shared_texts.fill(self.cache, texts, following)
        last = [(request.prompt_ids + request.ids)[-1] for _, request in taken]
        index = torch.tensor(list(texts), device=self.device)
        self.last_tokens[index] = torch.tensor(last, device=self.device)
        if self.interventions is not None:
            for slot, request in taken:
                self.interventions.put(slot, request)

    def _acting(self) -> AbstractContextManager[Hooks]:
        """Lets the interventions act on the forward pass inside the block."""
        if self.interventions is None:
            return nullcontext(())
        return self.interventions.acting(
            [
                None if state is None else (state.request, state.ids)
                for state in self.states
            ],
            always=self.runner.captures,
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

    def _shrink(self) -> None:
        """Drop empty slots and positions that no row needs, once they are many."""
        active = [k for k, state in enumerate(self.states) if state is not None]
        empty = len(self.states) - len(active)
        if empty and empty * self.spare >= len(self.states):
            index = torch.tensor(active, device=self.device)
            self.cache.keep_slots(index)
            self.last_tokens = self.last_tokens[index]
            self.states = [self.states[k] for k in active]
            if self.interventions is not None:
                self.interventions.keep(active)
            active = list(range(len(active)))
        self.cache.drop_positions(active, self.spare)


def _length(request: GenerationRequest) -> int:
    """Tokens that are given."""
    return len(request.prompt_ids) + len(request.ids)
