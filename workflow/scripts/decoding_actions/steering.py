"""How actions change the logits while a thought runs; its answer stays free."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from decoding_actions.certainty import certainty, trial_answers
from decoding_actions.keywords import PARAGRAPH
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.slots import Slots, Steering
from doubletake.stats.draws import uniforms
from doubletake.text.tokenizer import TraceTokenizer

_ENDS = tuple(mark.encode() for mark in ".!?\u3002\uff01\uff1f\n")


class OpenThoughts:
    """Knows of running completions whether their thought is still open."""

    def __init__(self, tokenizer: TraceTokenizer) -> None:
        """Nothing is closed."""
        self.tokenizer = tokenizer
        self.marker = tokenizer.format.end.encode()
        self.closed: set[str] = set()

    def piece(self, ids: Sequence[int]) -> bytes:
        """The bytes of some tokens."""
        return b"".join(map(self.tokenizer.piece, ids))

    def is_open(self, trace: str, ids: Sequence[int]) -> bool:
        """Whether these tokens of a completion do not hold the end marker.

        Must be asked after every token.
        """
        if trace not in self.closed and self.marker in self.piece(
            ids[-len(self.marker) :]
        ):
            self.closed.add(trace)
        return trace not in self.closed

    def open_rows(self, slots: Slots, rows: Sequence[int]) -> list[tuple[int, str]]:
        """Places in `rows` of slots with an open thought, and their traces."""
        found = []
        for place, row in enumerate(rows):
            state = slots.states[row]
            assert state is not None
            trace = state.request.trace
            if self.is_open(trace, state.ids):
                found.append((place, trace))
        return found


@dataclass(frozen=True)
class Together:
    """Changes the logits of completions by their names; other ones stay as they are."""

    by_name: Mapping[str, Steering]
    """By the name of the request."""

    def __call__(
        self, slots: Slots, rows: list[int], logits: torch.Tensor
    ) -> torch.Tensor:
        """The logits, changed by the steering of each row."""
        places: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            state = slots.states[row]
            assert state is not None
            places.setdefault(state.request.name, []).append(place)
        changed = logits.clone()
        for name, own in places.items():
            if name in self.by_name:
                steering = self.by_name[name]
                changed[own] = steering(slots, [rows[k] for k in own], logits[own])
        return changed


@dataclass
class Forbid:
    """Forbids tokens throughout the thought (NoWait, arXiv 2506.08343)."""

    thoughts: OpenThoughts
    tokens: Mapping[str, Collection[int]]
    """Forbidden token ids by trace."""

    def __call__(
        self, slots: Slots, rows: list[int], logits: torch.Tensor
    ) -> torch.Tensor:
        """The logits with forbidden tokens at minus infinity."""
        places = self.thoughts.open_rows(slots, rows)
        return forbidden(logits, [(place, self.tokens[t]) for place, t in places])


@dataclass
class _Checked:
    """What CGRS knows of a running thought."""

    uniform: np.ndarray
    """One random number per token, in [0, 1)."""
    tokens: int = 0
    """Tokens of the completion at the last checkpoint."""
    certainty: float = 0.0
    trials: int = 0
    trial_tokens: int = 0


@dataclass
class Suppress:
    """Suppresses triggers more often the more certain the thought is (CGRS).

    Huang et al. 2025 (arXiv 2508.05337): before every token, with probability
    p = max(0, (C - delta) / (1 - delta)), the logits of the triggers are set to minus
    infinity. C is the certainty at the last checkpoint (`certainty`). The paper's
    checkpoints are ends of paragraphs; ends of sentences are the house's other choice,
    for thoughts without paragraphs.
    """

    thoughts: OpenThoughts
    triggers: Sequence[int]
    prompt: AnswerPrompt
    threshold: float
    """delta."""
    checkpoints: str
    """`PARAGRAPH` or `SENTENCE`."""
    most_tokens: int
    """Length of the longest trial."""
    seed: int
    max_positions: int
    """Of the model; a trial that does not fit is not made."""
    checked: dict[str, _Checked] = field(default_factory=dict)

    def __call__(
        self, slots: Slots, rows: list[int], logits: torch.Tensor
    ) -> torch.Tensor:
        """The logits, with the triggers at minus infinity where they are suppressed."""
        places = self.thoughts.open_rows(slots, rows)
        self._ask(slots, [rows[place] for place, _ in places], logits.shape[-1])
        suppressed = [
            (place, self.triggers)
            for place, trace in places
            if self._suppresses(slots, rows[place], trace)
        ]
        return forbidden(logits, suppressed)

    def _ask(self, slots: Slots, rows: list[int], vocabulary: int) -> None:
        """Make the trials of all thoughts that stand at a checkpoint."""
        due = [row for row in rows if self._is_due(slots, row)]
        if not due:
            return
        trials = trial_answers(slots, due, self.prompt, self.most_tokens)
        for row, trial in zip(due, trials, strict=True):
            state = slots.states[row]
            assert state is not None
            checked = self.checked[state.request.trace]
            checked.tokens = len(state.ids)
            checked.certainty = certainty(trial, self.prompt, vocabulary)
            checked.trials += 1
            checked.trial_tokens += len(trial.tokens)

    def _is_due(self, slots: Slots, row: int) -> bool:
        state = slots.states[row]
        assert state is not None
        request = state.request
        if request.trace not in self.checked:
            name = f"{request.trace}/cgrs"
            random = uniforms(self.seed, name, request.max_new_tokens)
            self.checked[request.trace] = _Checked(random)
        longest = len(self.prompt.suffix("")) + self.most_tokens
        if len(request.prompt_ids) + len(state.ids) + longest > self.max_positions:
            return False
        since = self.thoughts.piece(state.ids[self.checked[request.trace].tokens :])
        return bool(since.strip(b" \n.!?")) and is_checkpoint(since, self.checkpoints)

    def _suppresses(self, slots: Slots, row: int, trace: str) -> bool:
        state, checked = slots.states[row], self.checked[trace]
        assert state is not None
        over = (checked.certainty - self.threshold) / (1 - self.threshold)
        return bool(checked.uniform[len(state.ids)] < max(0.0, over))


def is_checkpoint(text: bytes, kind: str) -> bool:
    """Whether the text so far ends a paragraph or, as it may seem, a sentence.

    A point that ends a sentence cannot be told from one in a number before the next
    token. So a checkpoint may stand inside a number; it then costs a trial.
    """
    text = text.rstrip(b" ")
    return text.endswith(b"\n\n") if kind == PARAGRAPH else text.endswith(_ENDS)


def forbidden(
    logits: torch.Tensor, rows: Sequence[tuple[int, Collection[int]]]
) -> torch.Tensor:
    """Logits [row, vocabulary] with some tokens of some rows at minus infinity."""
    pairs = [(row, token) for row, tokens in rows for token in tokens]
    if not pairs:
        return logits
    changed = logits.clone()
    index = torch.tensor(pairs, device=logits.device)
    changed[index[:, 0], index[:, 1]] = -torch.inf
    return changed
