"""Thoughts that go on from given tokens: every stem is continued several times.

A stem is a prompt with the first tokens of a completion: a thought that was cut, and
maybe changed or prolonged. The draws of all stems are decoded together (`generate`),
and the text that the draws of a stem share is read once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from doubletake.detector.detectors import find_events
from doubletake.detector.events import Events
from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import Intervention
from doubletake.model.token_sampling import Sampling
from doubletake.running.errors import InputError
from doubletake.running.logs import Progress
from doubletake.text.coherence import loops
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_span
from doubletake.text.trace_rows import Completion, trace_row


@dataclass(frozen=True, eq=False)
class Stem:
    """What continuations go on from."""

    thought: DrawnThought
    """The thought of the study that it comes from, with its problem."""
    name: str
    """Tells the stems of a thought apart."""
    ids: tuple[int, ...]
    """The given first tokens of the completion."""
    draws: int = 1
    """Number of continuations."""
    key: str = ""
    """Stems of one thought and key draw equal random numbers, draw by draw."""
    max_tokens: int | None = None
    """Most tokens after the given ones; None: as many as a thought may have."""
    interventions: tuple[Intervention, ...] = ()
    """Changes of states from the last given token on."""

    def requests(self, limit: int) -> list[GenerationRequest]:
        """What is to be generated; empty if there is no room for a token.

        Args:
            limit: largest length of a completion, given tokens included.
        """
        given = len(self.ids)
        if self.max_tokens is not None:
            limit = min(limit, given + self.max_tokens)
        if given >= limit:
            return []
        ids, prompt = list(self.ids), self.thought.trace["prompt_ids"]
        zeros = [0.0] * given  # log-probs of given tokens are not read
        return [
            GenerationRequest(
                f"{self.thought.name}#{self.key}.{draw}",
                prompt,
                limit,
                ids,
                zeros,
                name=self.name,
                interventions=self.interventions,
                stepwise=True,
            )
            for draw in range(self.draws)
        ]


@dataclass(frozen=True, eq=False)
class Continued:
    """One continuation of a stem."""

    stem: Stem
    draw: int
    """Number of the draw, from 0."""
    completion: Completion
    """Given tokens included."""
    row: dict[str, Any]
    """The completion as a row of `TRACES`, judged by the problem's answer."""

    @property
    def ids(self) -> list[int]:
        """The new tokens."""
        return self.completion.ids[len(self.stem.ids) :]

    @property
    def limited(self) -> bool:
        """Whether it was cut off at the limit of tokens."""
        return self.completion.finish == "length"

    @property
    def closed(self) -> bool:
        """Whether the thought has an end."""
        return self.row["thought_end"] is not None

    @property
    def looped(self) -> bool:
        """Whether the new tokens end in a block that repeats."""
        return loops(self.ids)

    @cached_property
    def cut(self) -> int:
        """Character of the completion's text at which the new tokens start."""
        offsets, given = self.row["offsets"], len(self.stem.ids)
        return int(offsets[given]) if given < len(offsets) else len(self.row["text"])

    @property
    def text(self) -> str:
        """Text of the new tokens."""
        return str(self.row["text"][self.cut :])

    def events(self, detector: str) -> Events:
        """Events of the whole new thought; characters are those of the row's text.

        Args:
            detector: name of the study's detector.
        """
        start, stop = thought_span(self.row)
        thought = self.row["text"][start:stop]
        one = self.stem.thought
        events = find_events(
            one.question, thought, one.gold, self.row["answer"], detector
        )
        return events.shifted(start)


def continued(
    decoder: Decoder,
    tokenizer: TraceTokenizer,
    stems: Sequence[Stem],
    sampling: Sampling,
    max_new_tokens: int,
    batch_size: int,
    progress: Progress,
) -> tuple[list[Continued], list[str]]:
    """Continue stems, each as often as it says.

    Tokens do not depend on the batch size, nor on which stems are decoded together, as
    far as the model's arithmetic does not. The last bits of log-probs do.

    Args:
        decoder: the model.
        tokenizer: of the model.
        stems: what to continue; a thought's stems have different names.
        sampling: how tokens are chosen, with the seed.
        max_new_tokens: largest length of a completion, given tokens included.
        batch_size: largest number of completions under way.
        progress: counts the continuations; its total grows by theirs.

    Returns:
        The continuations, by stem and draw, and what was left out and why: stems
        without room for a token, completions whose tokens are no text.

    Raises:
        ValueError: two stems of a thought have one name.
    """
    by_key: dict[tuple[str, str], tuple[int, int]] = {}
    requests: list[GenerationRequest] = []
    notes: list[str] = []
    for number, stem in enumerate(stems):
        limit = stem.thought.limit(max_new_tokens, decoder.max_positions)
        asked = stem.requests(limit)
        if not asked:
            notes.append(f"{stem.thought.name} ({stem.name}): no room for a token")
        for draw, one in enumerate(asked):
            if (one.name, one.trace) in by_key:
                raise ValueError(f"two stems {stem.name} of trace {stem.thought.name}")
            by_key[one.name, one.trace] = number, draw
        requests += asked
    progress.total += len(requests)
    done: dict[tuple[int, int], Continued] = {}
    for completion in _decoded(
        decoder, tokenizer, requests, sampling, batch_size, progress
    ):
        number, draw = by_key[completion.name, completion.trace]
        stem = stems[number]
        try:
            row = trace_row(stem.thought.prompt, completion, tokenizer)
        except InputError as error:
            notes.append(f"{stem.thought.name} ({stem.name}, draw {draw}): {error}")
            continue
        done[number, draw] = Continued(stem, draw, completion, row)
    return [done[key] for key in sorted(done)], sorted(notes)


def _decoded(
    decoder: Decoder,
    tokenizer: TraceTokenizer,
    requests: list[GenerationRequest],
    sampling: Sampling,
    batch_size: int,
    progress: Progress,
) -> Iterable[Completion]:
    """Finished completions, as they end."""
    stops = tokenizer.stops_with(decoder.stop_ids)
    for done, tokens in generate(
        decoder.hf, requests, sampling, stops, batch_size, decoder=decoder
    ):
        progress.update(done is not None, tokens)
        if done is not None:
            yield done
