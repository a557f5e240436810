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

from doubletake.answers import final_answer
from doubletake.commands import command
from doubletake.detector.detectors import DETECTORS, GOLD_BASED, find_events
from doubletake.detector.own_files import OwnThought, read_thoughts
from doubletake.errors import InputError
from doubletake.json_lines import write_rows


def event_row(row: OwnThought, detector: str) -> dict[str, Any]:
    """The events of one thought."""
    written = row.written
    answer = final_answer(written.answer) if written.answer else None
    events = find_events(row.question, written.thought, row.gold, answer, detector)
    return {"id": row.id} | asdict(events.behind(written.start))


def main(*, thoughts_path: Path, events_path: Path, detector: str) -> None:
    """Read thoughts, find their events, write them.

    Raises:
        InputError: names the line and what is wrong, or that input is output.
    """
    if thoughts_path.resolve() == events_path.resolve():
        raise InputError(f"{events_path} holds the thoughts; name another file")
    rows = tqdm(
        read_thoughts(thoughts_path, gold=detector in GOLD_BASED),
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
    return parser.parse_args(words)


if __name__ == "__main__":
    with command():
        given = arguments()
        main(
            thoughts_path=given.thoughts,
            events_path=given.events,
            detector=given.detector,
        )
