"""Where do the thoughts of a file hold an answer, turn back, and wrap up?

Needs no model and no config: `detect_file.py thoughts.jsonl events.jsonl`.

Inputs
    thoughts: one JSON object per line: `id`, `question`, `thought`, optionally `gold`
        (the reference answer) and `answer` (the text after the thought), which set the
        flags `is_gold` and `is_final` (null without them).

Outputs
    events: one JSON object per line: `id`, `arrivals`, `backtracks`, `wrap_ups`; places
        are characters of the row's `thought`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from doubletake.detector.detectors import DETECTORS, GOLD_BASED, find_events
from doubletake.detector.thought_files import OwnThought, read_thoughts
from doubletake.running.commands import command
from doubletake.running.errors import InputError
from doubletake.running.json_lines import write_rows
from doubletake.text.answers import final_answer
from doubletake.text.thought_format import of_model


def event_row(row: OwnThought, detector: str) -> dict[str, Any]:
    """The events of one thought."""
    written = row.written
    answer = final_answer(written.answer) if written.answer else None
    events = find_events(row.question, written.thought, row.gold, answer, detector)
    return {"id": row.id} | asdict(events.behind(written.start))


def main(
    *,
    thoughts_path: Path,
    events_path: Path,
    detector: str,
    markers: tuple[str | None, str | None] = (None, None),
) -> None:
    """Read thoughts, find their events, write them.

    Args:
        thoughts_path: rows of thoughts.
        events_path: where the events go.
        detector: one of `DETECTORS`.
        markers: that open and close the thoughts, if they are of no known format.

    Raises:
        InputError: names the line and what is wrong, or that input is output.
    """
    if thoughts_path.resolve() == events_path.resolve():
        raise InputError(f"{events_path} holds the thoughts; name another file")
    start, end = markers
    own = [] if start is end is None else [of_model(start, end, "", ())]
    rows = tqdm(
        read_thoughts(thoughts_path, gold=detector in GOLD_BASED, own=own),
        unit=" traces",
        disable=None,
    )
    write_rows((event_row(row, detector) for row in rows), events_path)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Find answers and turns in thoughts.")
    parser.add_argument("thoughts", type=Path, help="rows of id, question, thought")
    parser.add_argument("events", type=Path, help="where the events go")
    parser.add_argument("--detector", choices=DETECTORS, default="rules")
    parser.add_argument("--start-of-thought", help="as the config's key of a model")
    parser.add_argument("--end-of-thought", help="as the config's key of a model")
    return parser.parse_args(words)


if __name__ == "__main__":
    with command():
        given = arguments()
        main(
            thoughts_path=given.thoughts,
            events_path=given.events,
            detector=given.detector,
            markers=(given.start_of_thought, given.end_of_thought),
        )
