"""Where does a thought hold an answer, turn back and wrap up?

Inputs
    problems: one row per problem (`PROBLEMS`).
    traces: one row per thought (`TRACES`).

Outputs
    events: one row per event of a thought (`EVENTS`).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.detector.detectors import check_detector, find_events
from doubletake.detector.events import Arrival, Backtrack, WrapUp
from doubletake.running.errors import InputError
from doubletake.running.logs import Progress, job
from doubletake.text.trace_positions import thought_span, token_at
from events.controls import Control, controls
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("detect_events")

Event = Arrival | Backtrack | WrapUp | Control
KINDS = {
    Arrival: "arrival",
    Backtrack: "backtrack",
    WrapUp: "wrap_up",
    Control: "control",
}


@dataclass(frozen=True)
class Settings:
    """The settings of the config that decide which events are found."""

    detector: str
    """`rules`, `string` or `markers`."""
    words: dict[str, list[str]]
    """Words of turns by group, of the section `turns`. No control begins with one."""

    def __post_init__(self) -> None:
        """Refuse an unknown detector.

        Raises:
            InputError: the detector is unknown.
        """
        check_detector(self.detector, "events.detector")

    @property
    def folded_words(self) -> frozenset[str]:
        """All words, in the form of `str.casefold`."""
        return frozenset(
            word.casefold() for words in self.words.values() for word in words
        )


def event_rows(trace: dict, problem: dict, settings: Settings) -> list[dict]:
    """Rows of the events table for one trace, in the order of its text."""
    text, offsets = trace["text"], trace["offsets"]
    prompt_length = len(trace["prompt_ids"])
    span = thought_span(trace)
    thought = text[span.start : span.end]
    events = find_events(
        problem["question"],
        thought,
        problem["gold"],
        trace["answer"],
        settings.detector,
    )
    going_on = controls(thought, events, settings.folded_words)
    ordered: Sequence[Event] = sorted(
        (*events.arrivals, *events.backtracks, *events.wrap_ups, *going_on),
        key=lambda event: (event.start, event.end),
    )
    return [
        _row(event, number, trace["trace"], span.start, text)
        | {"token": token_of(event, span.start, offsets, prompt_length)}
        for number, event in enumerate(ordered)
    ]


def token_of(
    event: Event, shift: int, offsets: Sequence[int], prompt_length: int
) -> int:
    r"""Token of an event: the last of a number, or the first of a sentence.

    The first token of a sentence holds its first character, markup included (`**`,
    `\boxed{`, `- `, `1.`): before this character the model decides how to go on.

    Args:
        event: of the thought.
        shift: characters of the text before the thought.
        offsets: per token of the completion the character at which it starts.
        prompt_length: in tokens.
    """
    character = event.end - 1 if isinstance(event, Arrival) else event.start
    return token_at(offsets, prompt_length, character + shift)


def _row(event: Event, number: int, trace: str, shift: int, text: str) -> dict:
    """A row of the events table without its token."""
    return {
        "trace": trace,
        "event": number,
        "kind": KINDS[type(event)],
        "ordinal": event.ordinal,
        "start": event.start + shift,
        "end": event.end + shift,
        "value": getattr(event, "value", None),
        "is_gold": getattr(event, "is_gold", None),
        "is_final": getattr(event, "is_final", None),
        "cue": getattr(event, "cue", None),
        "cue_kind": getattr(event, "kind", None),
    }


def main(
    *, problems_path: Path, traces_path: Path, events_path: Path, settings: Settings
) -> None:
    """Read problems and traces, find the events, write the table."""
    problems = {row["problem"]: row for row in PROBLEMS.read(problems_path).to_dicts()}
    columns = [
        "trace",
        "problem",
        "prompt_ids",
        "text",
        "offsets",
        "thought_start",
        "thought_stop",
        "answer",
    ]
    traces = TRACES.read(traces_path).select(columns)
    rows: list[dict] = []
    progress = Progress(traces.height, "traces")
    for trace in traces.iter_rows(named=True):
        if trace["problem"] not in problems:
            raise InputError(
                f"{traces_path}: trace {trace['trace']} is on problem "
                f"{trace['problem']}, which {problems_path} does not hold"
            )
        rows += event_rows(trace, problems[trace["problem"]], settings)
        progress.update(items=1)
    progress.close()
    events = EVENTS.frame(rows)
    counts = dict(events.group_by("kind").len().sort("kind").iter_rows())
    level = logging.INFO if rows or not traces.height else logging.WARNING
    logger.log(level, "%s in %d traces", counts or "no events", traces.height)
    EVENTS.write(events, events_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.output.events),
            settings=Settings(**snakemake.params.settings),
        )
