"""Continues cases with every action, then resamples at the cost of the dearest one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import Intervention, InterventionRecord
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import Completion
from wrong_samples.cases import Case
from wrong_samples.forced_tokens import kept_tokens, with_end, with_word
from wrong_samples.names import (
    AFRESH,
    END,
    LAST,
    RANDOM,
    RESAMPLE,
    STEER,
    STEER_WAIT,
    WAIT,
    WRAP_UP,
)
from wrong_samples.pushes import Pushes

ZERO = "zero"
"""Name of continuations with a direction of strength 0."""
DEAREST = (WAIT, STEER, STEER_WAIT)
"""Actions whose tokens a vote may spend."""


@dataclass(frozen=True)
class Continuation:
    """One continuation of a case."""

    case: Case
    place: str
    action: str
    """Of `ACTIONS`, or `ZERO`."""
    draw: int
    vote: int = 0
    """Number of a further draw with nothing but other random numbers, from 1."""

    @property
    def name(self) -> str:
        """Tells the continuations with equal random numbers apart."""
        return f"{self.place}/{self.action}"

    @property
    def key(self) -> str:
        """What random numbers depend on beside the seed."""
        return f"{self.case.name}#{self.draw}.{self.vote}"

    @property
    def kept(self) -> int:
        """Tokens of the whole completion that are kept."""
        if self.action == AFRESH:
            return 0
        return self.case.last if self.place == LAST else self.case.first


@dataclass(frozen=True)
class Strengths:
    """What is added where, in residual norms."""

    direction: str
    """Toward turning back."""
    strength: float
    wrap_up_strength: float


@dataclass
class Continuing:
    """Decodes continuations; fields as in the config."""

    decoder: Decoder
    tokenizer: TraceTokenizer
    pushes: Pushes
    strengths: Strengths
    word: str
    sampling: Sampling
    max_new_tokens: int
    batch_size: int
    progress: Progress
    record: InterventionRecord = field(default_factory=InterventionRecord)
    requests: dict[Continuation, GenerationRequest] = field(default_factory=dict)
    """All that was continued."""

    def has(self, place: str, action: str) -> bool:
        """Whether the study has the direction that an action needs."""
        if action in (STEER, STEER_WAIT, RANDOM, ZERO) and place == LAST:
            return self.pushes.along(self.strengths.direction, 1) is not None
        if action in (WRAP_UP, RANDOM):
            return self.pushes.along(WRAP_UP, 1) is not None
        return True

    def run(self, wanted: Sequence[Continuation]) -> dict[Continuation, Completion]:
        """Decode; a continuation without room for a token is left out."""
        by_name, requests = {}, []
        for one in wanted:
            request = self._request(one)
            if request is not None:
                self.requests[one] = request
                by_name[one.name, one.key] = one
                requests.append(request)
        return {by_name[done.name, done.trace]: done for done in self.decode(requests)}

    def changed_at(self, one: Continuation) -> list[int]:
        """Positions after the cut at which states were changed."""
        return self.record.positions.get((one.name, one.key), [])

    def decode(self, requests: list[GenerationRequest]) -> Iterable[Completion]:
        """Finished completions, as they end."""
        self.progress.total += len(requests)
        stops = self.tokenizer.stops_with(self.decoder.stop_ids)
        for done, tokens in generate(
            self.decoder.hf,
            requests,
            self.sampling,
            stops,
            self.batch_size,
            decoder=self.decoder,
            record=self.record,
        ):
            self.progress.update(done is not None, tokens)
            if done is not None:
                yield done

    def request_of(
        self, key: str, prompt: list[int], ids: list[int], name: str = ""
    ) -> GenerationRequest:
        """A request without a change of states.

        Args:
            key: what random numbers depend on beside the seed.
            prompt: the tokens of the prompt.
            ids: the first tokens of the completion.
            name: tells requests with equal random numbers apart.
        """
        room = self.decoder.max_positions - len(prompt)
        limit = min(self.max_new_tokens, room)
        zeros = [0.0] * len(ids)  # log-probs are not read
        return GenerationRequest(
            key, prompt, limit, ids, zeros, name=name, stepwise=bool(name)
        )

    def _request(self, one: Continuation) -> GenerationRequest | None:
        ids = self._ids(one)
        prompt = one.case.thought.trace["prompt_ids"]
        request = self.request_of(one.key, prompt, ids, one.name)
        if len(ids) >= request.max_new_tokens:
            return None
        push = self._push(one)
        return replace(request, interventions=() if push is None else (push,))

    def _ids(self, one: Continuation) -> list[int]:
        if one.action in (WAIT, STEER_WAIT):
            return with_word(one.case, one.kept, self.word, self.tokenizer)
        if one.action == END:
            return with_end(one.case, one.kept, self.tokenizer)
        return kept_tokens(one.case, one.kept)

    def _push(self, one: Continuation) -> Intervention | None:
        """What is added to the states; None: nothing."""
        s = self.strengths
        if one.action in (STEER, STEER_WAIT):
            return self.pushes.along(s.direction, s.strength)
        if one.action == WRAP_UP:
            return self.pushes.along(WRAP_UP, s.wrap_up_strength)
        if one.action == RANDOM:
            strength = s.strength if one.place == LAST else s.wrap_up_strength
            name = f"{one.case.name}/{one.place}"
            return self.pushes.random(name, one.draw, strength)
        if one.action == ZERO:
            return self.pushes.along(s.direction, 0)
        return None


def continuations(
    cases: Iterable[Case], place: str, actions: Sequence[str], draws: int
) -> list[Continuation]:
    """All draws of all actions, and those of `resample`."""
    return [
        Continuation(case, place, action, draw)
        for case in cases
        for draw in range(draws)
        for action in (RESAMPLE, *actions)
    ]


def spent(one: Continuation, done: Completion | None) -> int:
    """Tokens after the cut, forced ones included."""
    return 0 if done is None else len(done.ids) - one.kept


def further_votes(
    done: dict[Continuation, Completion], cases: Iterable[Case], draws: int, most: int
) -> list[Continuation]:
    """Further resampled draws, until a vote has the tokens of the dearest action.

    The resampled draw that is there already is the first vote. What a further one costs
    is estimated by the mean over the draws of the case. The number is rounded up, so
    that an action that beats the vote does not do so by more tokens.

    Args:
        done: what was continued from the last arrival.
        cases: the cases.
        draws: of every action.
        most: largest number of draws in one vote.
    """
    found = []
    for case in cases:
        own = [Continuation(case, LAST, RESAMPLE, draw) for draw in range(draws)]
        price = sum(spent(one, done.get(one)) for one in own) / draws
        for one in own:
            budget = max(
                spent(other, done.get(other))
                for other in (
                    Continuation(case, LAST, action, one.draw) for action in DEAREST
                )
            )
            votes = min(most, ceil(budget / price)) if price else 1
            found += [
                Continuation(case, LAST, RESAMPLE, one.draw, vote)
                for vote in range(1, votes)
            ]
    return found
