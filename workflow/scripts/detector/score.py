"""How often is each detector right, on traces labelled by a reader?

Inputs
    labels: labelled traces, one JSON object per line: `id`, `question`, `gold`,
        `thought`, `arrivals` (each `end`, `value`), `backtracks` (each `start`) and
        optionally `model`.

Outputs
    scores: precision, recall and F1 with intervals (`DETECTOR_SCORES`).
    mistakes: missed and invented events, in context (`DETECTOR_MISTAKES`).
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.marked_events import MarkedTrace, marks_of, read_marks
from detector.scores import Comparison, compare, mistake_rows, score_rows
from detector.tables import DETECTOR_MISTAKES, DETECTOR_SCORES
from doubletake.detector.causal import detect_causal
from doubletake.detector.detectors import CAUSAL, SCORED, find_events
from doubletake.detector.events import Events
from doubletake.detector.user_thoughts import UserThought, read_thoughts
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("score_detector")


def comparisons_of(
    detector: str, thoughts: Sequence[UserThought], labelled: Sequence[MarkedTrace]
) -> list[Comparison]:
    """Compare the events that a detector finds in the thoughts with the labels."""
    detected = []
    for row, label in zip(thoughts, labelled, strict=True):
        content = row.content
        events = _events_of(row, detector).shifted(content.start)
        detected.append(marks_of(label.trace, label.model, events))
    return compare(detected, labelled)


def _events_of(row: UserThought, detector: str) -> Events:
    thought = row.content.thought
    if detector == CAUSAL:
        return detect_causal(row.question, thought).events
    return find_events(row.question, thought, row.gold, None, detector)


def main(
    *,
    labels_path: Path,
    scores_path: Path,
    mistakes_path: Path,
    settings: IntervalSettings,
) -> None:
    """Read labelled traces, run every detector, write scores and mistakes."""
    labelled = read_marks(labels_path)
    thoughts = read_thoughts(labels_path, gold=True)
    texts = {str(row.id): row.text for row in thoughts}
    scores: list[dict] = []
    mistakes: list[dict] = []
    for detector in SCORED:
        comparisons = comparisons_of(detector, thoughts, labelled)
        rows = score_rows(comparisons, settings)
        scores += [{"detector": detector} | row for row in rows]
        mistakes += [
            {"detector": detector} | row
            for item in comparisons
            for row in mistake_rows(item, texts[item.trace])
        ]
        for row in rows[:2]:
            logger.info("%s, %s: F1 %.3f", detector, row["kind"], row["f1"])
    DETECTOR_SCORES.write(DETECTOR_SCORES.frame(scores), scores_path)
    DETECTOR_MISTAKES.write(DETECTOR_MISTAKES.frame(mistakes), mistakes_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            labels_path=Path(snakemake.input.labels),
            scores_path=Path(snakemake.output.scores),
            mistakes_path=Path(snakemake.output.mistakes),
            settings=IntervalSettings(**snakemake.params.settings),
        )
