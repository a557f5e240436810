"""Where do the thoughts of a file hold an answer, turn back and wrap up?

Use: `detect_file.py thoughts.jsonl events.jsonl`, without a model and without a config.

Inputs
    thoughts: rows in a form that `doubletake.user_files` knows, as for an import:
        `question`, `thought` (or `response`), optionally `id`, `gold` (the reference
        answer) and `answer` (the text after the thought). The last two decide the flags
        `is_gold` and `is_final`, which are null without them.

Outputs
    events: one JSON object per line: `id`, `arrivals`, `backtracks`, `wrap_ups`. Their
        `start` and `end` are characters of the row's `thought` (or `response`). A row
        without an id has its number, from 1.
    standard output: the share of thoughts in which the detector can read no sentence.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from doubletake.detector.detectors import DETECTORS, GOLD_BASED, find_events
from doubletake.detector.user_thoughts import UserThought, read_thoughts
from doubletake.running.commands import command
from doubletake.running.errors import InputError
from doubletake.running.json_lines import write_rows
from doubletake.text.final_answers import final_answer
from doubletake.text.grading import Task, judged
from doubletake.text.known_formats import format_of_model
from doubletake.user_files.column_options import named_columns
from events.languages import reading_report


def event_row(row: UserThought, detector: str) -> dict[str, Any]:
    """The events of one thought."""
    content = row.content
    answer = _answer(row)
    events = find_events(row.question, content.thought, row.gold, answer, detector)
    return {"id": row.id} | asdict(events.shifted(content.start))


def _answer(row: UserThought) -> str | None:
    """The final answer of a row in canonical form."""
    text, thought = row.content.answer, row.content.thought
    if not text or row.gold is None:
        return final_answer(text, row.question, thought) if text else None
    return judged(text, Task(row.gold, row.question, thought)).answer


def main(
    *,
    thoughts_path: Path,
    events_path: Path,
    detector: str,
    markers: tuple[str | None, str | None] = (None, None),
    columns: Mapping[str, str | None] | None = None,
    problems: str | None = None,
) -> str:
    """Read thoughts, find their events, write them; return a line on their language.

    Args:
        thoughts_path: rows of thoughts.
        events_path: where the events go.
        detector: one of `DETECTORS`.
        markers: start and end marker of the thoughts, if their format is unknown.
        columns: columns that the user names, by role (`user_files.columns.ROLES`).
        problems: a file with questions and golds, if the thoughts lack them.

    Raises:
        InputError: a row cannot be used (the message names its line), or both files are
            the same file.
    """
    if thoughts_path.resolve() == events_path.resolve():
        raise InputError(
            f"{events_path} holds the thoughts; name another file for the events"
        )
    start, end = markers
    formats = [] if start is end is None else [format_of_model(start, end, "", ())]
    thoughts = read_thoughts(
        thoughts_path,
        gold=detector in GOLD_BASED,
        formats=formats,
        columns=columns,
        problems=problems,
    )
    rows = tqdm(thoughts, unit=" traces", disable=None)
    write_rows((event_row(row, detector) for row in rows), events_path)
    return reading_report([row.content.thought for row in thoughts])


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(description="Find answers and turns in thoughts.")
    parser.add_argument("thoughts", type=Path, help="rows of question, thought")
    parser.add_argument("events", type=Path, help="where the events go")
    parser.add_argument("--detector", choices=DETECTORS, default="rules")
    parser.add_argument(
        "--start-of-thought", help="like the key of a model in the config"
    )
    parser.add_argument(
        "--end-of-thought", help="like the key of a model in the config"
    )
    parser.add_argument(
        "--columns", default="", help="columns by role: question=prompt,gold=answer"
    )
    parser.add_argument("--problems", help="file with questions and golds")
    return parser.parse_args(words)


if __name__ == "__main__":
    with command():
        given = arguments()
        print(
            main(
                thoughts_path=given.thoughts,
                events_path=given.events,
                detector=given.detector,
                markers=(given.start_of_thought, given.end_of_thought),
                columns=named_columns(given.columns),
                problems=given.problems or None,
            )
        )
