"""Thoughts that go on freely after an injection, beside unsteered ones.

All runs of a context draw the same random numbers. They are not those of the study's
thought: it was chosen because it goes on after the arrival, so to compare with it would
find that injections shorten thoughts. The unsteered run is decoded anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from doubletake.detector.detectors import find_events
from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import (
    EVERY,
    Intervention,
    InterventionRecord,
    Positions,
    model_name,
)
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress
from doubletake.text.running_text import RunningText
from doubletake.text.sentences import sentences
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import Completion
from injection.contexts import Context
from injection.injections import Injection
from injection.settings import Settings
from injection.tables import ONCE, UNSTEERED

Run = tuple[Context, Injection | None]
"""A context, and what is added there; None: nothing."""


@dataclass
class FreeRuns:
    """Decodes continuations and reads them."""

    decoder: Decoder
    tokenizer: TraceTokenizer
    thoughts: dict[str, dict[str, Any]]
    """Rows of `TRACES` with `question` and `gold`, by trace."""
    settings: Settings
    record: InterventionRecord = field(default_factory=InterventionRecord)
    """Where states were changed."""
    done: dict[tuple[str, str], Completion] = field(default_factory=dict)
    """Completions by the name of what is added, and trace."""

    def rows(self, runs: Sequence[Run], progress: Progress) -> list[dict[str, Any]]:
        """Rows of `INJECTION_FREE_RUNS`.

        Args:
            runs: with the unsteered run of every context.
            progress: counts them.
        """
        self._decode([self._request(*run) for run in runs], progress)
        rows = []
        for context, one in runs:
            given = self.given(context)
            plain = self.done[name_of(None), context.trace]
            own = self.done[name_of(one), context.trace]
            rows.append(
                columns_of(context, one)
                | {"tokens": len(own.ids) - given}
                | {"first_different": first_different(plain, own, given)}
                | {"turned": self._turned(context, own)}
            )
        return rows

    def _request(self, context: Context, one: Injection | None) -> GenerationRequest:
        row, given = self.thoughts[context.trace], self.given(context)
        room = self.decoder.max_positions - len(row["prompt_ids"])
        return GenerationRequest(
            context.trace,
            row["prompt_ids"],
            min(given + self.settings.free_tokens, room),
            row["completion_ids"][:given],
            [0.0] * given,  # log-probs are not read
            name=name_of(one),
            interventions=() if one is None else (self._intervention(one),),
            stepwise=True,
        )

    def given(self, context: Context) -> int:
        """Number of tokens of the completion up to the injected one."""
        return context.token + 1 - len(self.thoughts[context.trace]["prompt_ids"])

    def _intervention(self, one: Injection) -> Intervention:
        return Intervention(
            name_of(one),
            one.boundary,
            "resid",
            Positions("prompt_end") if one.mode == ONCE else EVERY,
            model_name(self.decoder.settings),
            added=one.vector,
        )

    def _decode(self, requests: list[GenerationRequest], progress: Progress) -> None:
        """Decode all requests."""
        s = self.settings
        for completion, tokens in generate(
            self.decoder.hf,
            requests,
            Sampling(s.temperature, s.top_p, s.generation_seed + 1),
            self.tokenizer.stops_with(self.decoder.stop_ids),
            s.batch_size,
            decoder=self.decoder,
            record=self.record,
        ):
            if completion is not None:
                self.done[completion.name, completion.trace] = completion
            progress.update(completion is not None, tokens)

    def _turned(self, context: Context, completion: Completion) -> bool:
        """Whether the detector finds a backtrack in the sentence after the context.

        Bytes that are no text are read as U+FFFD.
        """
        row, running = self.thoughts[context.trace], RunningText(self.tokenizer)
        for token in completion.ids:
            running.add(token)
        text, given = running.text, self.given(context)
        if given >= len(running.offsets):
            return False
        cut = running.offsets[given]
        is_cut_off = completion.finish != "stop"
        edges = self.tokenizer.edges(text, cut_off=is_cut_off)
        thought = text[edges.start : edges.stop]
        ends = [span.end + edges.start for span in sentences(thought)]
        end = next((end for end in ends if end > cut), len(text))
        events = find_events(
            row["question"], thought, row["gold"], row["answer"], self.settings.detector
        )
        starts = [event.start for event in events.shifted(edges.start).backtracks]
        return any(cut <= start < end for start in starts)


def name_of(one: Injection | None) -> str:
    """The name of a run among those of its context."""
    if one is None:
        return UNSTEERED
    return f"{one.direction}/{one.draw}/{one.boundary}/{one.strength}/{one.mode}"


def columns_of(context: Context, one: Injection | None) -> dict[str, Any]:
    """What a row says of the context and of the injection."""
    names = ("boundary", "depth", "strength", "mode", "draw")
    return {name: getattr(context, name) for name in ("trace", "problem", "token")} | {
        "direction": UNSTEERED if one is None else one.direction,
        **{name: None if one is None else getattr(one, name) for name in names},
    }


def first_different(plain: Completion, other: Completion, given: int) -> int | None:
    """The first token after the given ones that differs, from 1; None: no token.

    A run that ends earlier differs at the token after its last.
    """
    first, second = plain.ids[given:], other.ids[given:]
    for number, (one, two) in enumerate(zip(first, second, strict=False), 1):
        if one != two:
            return number
    shorter = min(len(first), len(second))
    return None if len(first) == len(second) else shorter + 1
