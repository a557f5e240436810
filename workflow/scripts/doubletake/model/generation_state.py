"""A generation under way: what is finished, what the slots hold, and what waits."""

import hashlib
import json
from collections import deque
from dataclasses import dataclass, field, replace

import torch

from doubletake.model.interventions import Intervention, WordChange
from doubletake.text.trace_rows import Completion


@dataclass(frozen=True)
class GenerationRequest:
    """One completion to generate, or to go on with."""

    trace: str
    """Id of the trace; with the seed it decides the random numbers."""
    prompt_ids: list[int]
    max_new_tokens: int
    ids: list[int] = field(default_factory=list)
    """Tokens of the completion that there are already."""
    logprobs: list[float] = field(default_factory=list)
    """Their log-probs, as in `Completion`."""
    name: str = ""
    """Tells several completions of one trace apart; nothing is drawn by it."""
    interventions: tuple[Intervention, ...] = ()
    """Changes of states, from the last given token on. Several in one place of the
    model are made in their order."""
    words: tuple[WordChange, ...] = ()
    """Changes of logits, at every token that is chosen."""
    stepwise: bool = False
    """Whether the last given token is read in a step of its own even without a change:
    the baseline of requests with interventions, which always do so."""

    @property
    def steps(self) -> bool:
        """Whether the last given token is read in a step of its own."""
        return self.stepwise or bool(self.interventions or self.words)

    @property
    def shared_text(self) -> tuple[int, ...]:
        """What a request that steps reads before its steps, without any change."""
        return tuple((self.prompt_ids + self.ids)[:-1])

    @property
    def digest(self) -> str:
        """SHA-256 of what is asked for, without the tokens that there are already."""
        asked: list[object] = [self.trace, self.prompt_ids, self.max_new_tokens]
        if self.steps:
            changes = [one.digest for one in self.interventions]
            words = [[one.ids, one.change] for one in self.words]
            asked += [self.name, changes, words]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def begun(self, ids: list[int], logprobs: list[float]) -> "GenerationRequest":
        """The same request, with the first tokens of its completion."""
        return replace(self, ids=ids, logprobs=logprobs)


@dataclass
class GenerationState:
    """Everything that decides how a generation goes on."""

    finished: list[Completion]
    slots: list[GenerationRequest | None]
    """The completion under way in each slot; None: the slot is free."""
    waiting: deque[GenerationRequest]
    """Requests that have no slot yet, in the order in which they get one."""
    batch_size: int
    """Largest number of slots: as asked for, or less after memory ran out."""
    tensors: dict[str, torch.Tensor]
    """What the slots hold beside tokens (`Slots.tensors`). Without it, the completions
    under way get slots again, and their keys and values are computed again."""

    @classmethod
    def at_start(
        cls, requests: list[GenerationRequest], batch_size: int
    ) -> "GenerationState":
        """Nothing is finished or under way."""
        return cls([], [], deque(requests), batch_size, {})
