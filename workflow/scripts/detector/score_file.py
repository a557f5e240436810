"""How well do the events of a file agree with labels?

Use: `score_file.py labels.jsonl events.jsonl`, without a model and without a config.

Inputs
    labels: labelled traces, one JSON object per line: `id`, `arrivals` (each `end`,
        `value`), `backtracks` (each `start`) and optionally `model`.
    events: rows of the same form, as `detect_file.py` writes them.

Outputs
    standard output: precision, recall and F1 with 95% intervals over traces.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from detector.marked_events import read_marks
from detector.scores import METRICS, compare, score_rows
from doubletake.running.commands import command
from doubletake.stats.intervals import IntervalSettings

HEAD = ("", "model", "traces", "labelled", "found", *METRICS)


def report(rows: Sequence[dict[str, Any]]) -> str:
    """The scores as a table for a terminal, all models together first.

    Where there is only one model, its rows are enough.
    """
    if len(rows) == 4:
        rows = rows[2:]
    cells = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    counts = (str(row[name]) for name in ("traces", "labelled", "found"))
    metrics = (_metric(row, name) for name in METRICS)
    return (f"{row['kind']}s", row["model"] or "all", *counts, *metrics)


def _metric(row: dict[str, Any], name: str) -> str:
    """A metric with its interval; not checked on too few traces."""
    value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return "-"
    ends = "not checked" if low is None else f"{low:.3f}-{high:.3f}"
    return f"{value:.3f} ({ends})"


def main(*, labels_path: Path, events_path: Path, settings: IntervalSettings) -> str:
    """Read both files, return the table of scores."""
    labelled, found = read_marks(labels_path), read_marks(events_path)
    return report(score_rows(compare(found, labelled), settings))


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Score events against labels.")
    parser.add_argument("labels", type=Path, help="labelled traces")
    parser.add_argument("events", type=Path, help="events found in the same traces")
    return parser.parse_args(words)


if __name__ == "__main__":
    with command():
        given = arguments()
        print(
            main(
                labels_path=given.labels,
                events_path=given.events,
                settings=IntervalSettings(),
            )
        )
