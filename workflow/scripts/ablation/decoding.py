"""Decodes continuations after arrivals, and whole thoughts, with every ablation.

All texts of one place share their random numbers, so that they are paired.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ablation.arms import Arm
from ablation.boundaries import Boundary
from ablation.targets import LONG, SHORT
from doubletake.detector.causal import detect_causal
from doubletake.detector.detectors import find_events
from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import check_interventions
from doubletake.model.replayed_logprobs import replayed
from doubletake.model.token_sampling import Sampling
from doubletake.running.errors import InputError
from doubletake.running.logs import Progress
from doubletake.text.coherence import loops, repetition
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_span
from doubletake.text.trace_rows import Completion, trace_row

logger = logging.getLogger("doubletake")


@dataclass(frozen=True)
class Place:
    """Where decoding starts: at a boundary of a thought, or at its prompt."""

    thought: DrawnThought
    boundary: Boundary | None
    number: int
    """Among the places of its length; it picks the random sets."""

    @property
    def name(self) -> str:
        """With the seed it decides the random numbers."""
        end = "" if self.boundary is None else f" after event {self.boundary.event}"
        return f"{self.thought.name}{end}"

    @property
    def given(self) -> int:
        """Number of tokens of the completion that there are already."""
        if self.boundary is None:
            return 0
        return self.boundary.position + 1 - len(self.thought.trace["prompt_ids"])


@dataclass(frozen=True)
class Decoding:
    """How texts are decoded."""

    decoder: Decoder
    tokenizer: TraceTokenizer
    sampling: Sampling
    batch_size: int
    batch_memory: float
    tokens: int
    """Of a continuation."""
    max_new_tokens: int
    """Of a whole thought."""
    detector: str
    """Of backtracks in whole thoughts."""

    def limit(self, place: Place) -> int:
        """Largest number of tokens of the completion, given ones included."""
        most = self.decoder.max_positions
        if place.boundary is None:
            return place.thought.limit(self.max_new_tokens, most)
        return place.thought.limit(place.given + self.tokens, most)


def decoded_rows(
    decoding: Decoding, places: Sequence[Place], arms: Sequence[Arm], progress: Progress
) -> Iterator[dict[str, Any]]:
    """Rows of `ABLATION_DECODED`, in the order of arms and places.

    Args:
        decoding: how.
        places: where; one without room for a token is left out.
        arms: what is taken away.
        progress: counts texts.
    """
    found = [place for place in places if place.given < decoding.limit(place)]
    if len(found) < len(places):
        lacking = len(places) - len(found)
        logger.info("%d of %d places have no room to go on", lacking, len(places))
    pairs = [(arm, place) for arm in arms for place in found]
    progress.expect(len(pairs))
    done = _completions(decoding, pairs, progress)
    texts = [
        (
            place.thought.trace["prompt_ids"] + done[arm.name, place.name].ids[:given],
            done[arm.name, place.name].ids[given:],
        )
        for arm, place in pairs
        for given in (place.given,)
    ]
    logprobs = replayed(decoding.decoder, texts, decoding.batch_memory)
    for (arm, place), (_, ids), values in zip(pairs, texts, logprobs, strict=True):
        taken = arm.set_of(place.number)
        completion = done[arm.name, place.name]
        completion.logprobs = [0.0] * len(completion.ids)  # not read
        yield {
            "length": LONG if place.boundary is None else SHORT,
            "ablation": arm.ablation,
            "null": arm.null,
            "draw": taken.draw if taken else 0,
            "trace": place.thought.name,
            "problem": place.thought.trace["problem"],
            "event": place.boundary.event if place.boundary else None,
            **_read(decoding, place, completion),
            "logprob": float(values.double().mean()) if len(ids) else None,
            "tokens": len(ids),
            "repetition_2": repetition(ids, 2),
            "repetition_3": repetition(ids, 3),
            "loops": loops(ids),
        }


def _completions(
    decoding: Decoding, pairs: Sequence[tuple[Arm, Place]], progress: Progress
) -> dict[tuple[str, str], Completion]:
    """Completions by the names of arm and place."""
    requests = []
    for arm, place in pairs:
        taken = arm.set_of(place.number)
        interventions = taken.interventions if taken else ()
        check_interventions(decoding.decoder, interventions)
        trace, given = place.thought.trace, place.given
        requests.append(
            GenerationRequest(
                place.name,
                trace["prompt_ids"],
                decoding.limit(place),
                trace["completion_ids"][:given],
                [0.0] * given,  # not read
                name=arm.name,
                interventions=interventions,
                stepwise=True,
            )
        )
    done = {}
    stops = decoding.tokenizer.stops_with(decoding.decoder.stop_ids)
    for completion, tokens in generate(
        decoding.decoder.hf,
        requests,
        decoding.sampling,
        stops,
        decoding.batch_size,
        decoder=decoding.decoder,
    ):
        if completion is not None:
            done[completion.name, completion.trace] = completion
        progress.update(completion is not None, tokens)
    return done


def _read(decoding: Decoding, place: Place, completion: Completion) -> dict[str, Any]:
    """What the text says: columns of `ABLATION_DECODED`."""
    one = place.thought
    try:
        row = trace_row(one.prompt, completion, decoding.tokenizer)
    except InputError as error:
        logger.info("%s (%s) is no text: %s", place.name, completion.name, error)
        wrong = False if place.boundary is None else None
        unread = {"readable": False, "backtracks": 0, "closed": False, "text": ""}
        return unread | {"correct": wrong}
    start, stop = thought_span(row)
    thought, offsets = row["text"][start:stop], row["offsets"]
    if place.boundary is None:
        events = find_events(
            one.question, thought, one.gold, row["answer"], decoding.detector
        )
        backtracks, first = len(events.backtracks), 0
    else:
        known = place.given < len(offsets)
        first = offsets[place.given] if known else len(row["text"])
        turns = detect_causal(one.question, thought).backtracks
        backtracks = sum(turn.event.start + start >= first for turn in turns)
    return {
        "readable": True,
        "backtracks": backtracks,
        "closed": row["thought_end"] is not None,
        "correct": row["correct"] if place.boundary is None else None,
        "text": row["text"][first:],
    }
