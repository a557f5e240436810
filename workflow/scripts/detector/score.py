"""How often are the detectors right? All of them against traces labelled by a reader.

Inputs
    labels: labelled traces, one JSON object per line: `id`, `question`, `gold`,
        `thought`, `arrivals` (each `end`, `value`), `backtracks` (each `start`) and
        optionally `model`.

Outputs
    scores: precision, recall and F1 with intervals (`schemas.DETECTOR_SCORES`).
    mistakes: what was missed or invented, in context (`schemas.DETECTOR_MISTAKES`).
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.scores import (
    Comparison,
    compare,
    marked,
    mistake_rows,
    score_rows,
)
from detector.tables import DETECTOR_MISTAKES, DETECTOR_SCORES
from doubletake.detector.detectors import DETECTORS, find_events
from doubletake.detector.thought_files import (
    MarkedTrace,
    OwnThought,
    read_marked,
    read_thoughts,
)
from doubletake.running.logs import job
from doubletake.stats.intervals import Resampling

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("score_detector")


def found_by(
    detector: str, thoughts: Sequence[OwnThought], labelled: Sequence[MarkedTrace]
) -> list[Comparison]:
    """Compare what a detector finds in the thoughts with their labels."""
    found = []
    for row, label in zip(thoughts, labelled, strict=True):
        thought = row.written
        events = find_events(row.question, thought.thought, row.gold, None, detector)
        events = events.behind(thought.start)
        found.append(marked(label.trace, label.model, events))
    return compare(found, labelled)


def main(
    *, labels_path: Path, scores_path: Path, mistakes_path: Path, settings: Resampling
) -> None:
    """Read labelled traces, run every detector, write scores and mistakes."""
    labelled = read_marked(labels_path)
    thoughts = read_thoughts(labels_path, gold=True)
    texts = {str(row.id): row.text for row in thoughts}
    scores: list[dict] = []
    mistakes: list[dict] = []
    for detector in DETECTORS:
        comparisons = found_by(detector, thoughts, labelled)
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
            settings=Resampling(**snakemake.params.settings),
        )
