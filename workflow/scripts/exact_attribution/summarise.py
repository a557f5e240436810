"""Do the estimates agree with exact patching, and how strong are the strongest words?

Inputs
    events, words, cells: `exact_attribution.tables`.
    tokens: `attribution.tables.ATTRIBUTION_TOKENS`, for the spread of the metric.
    truth: `truth.tables.TRUTH`, the planted causes.

Outputs
    steps: agreement by step and layer (`EXACT_STEPS`).
    recall: strongest words that the estimates find (`EXACT_RECALL`).
    sizes: sizes of the changes (`EXACT_SIZES`).
    causes: planted causes among the first words (`EXACT_CAUSES`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attribution.tables import ATTRIBUTION_TOKENS
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from exact_attribution.cause_ranks import causes_table
from exact_attribution.claims import corrected
from exact_attribution.recall import recall_table
from exact_attribution.sizes import sizes_table
from exact_attribution.steps import steps_table
from exact_attribution.tables import (
    EXACT_CAUSES,
    EXACT_CELLS,
    EXACT_EVENTS,
    EXACT_RECALL,
    EXACT_SIZES,
    EXACT_STEPS,
    EXACT_WORDS,
)
from truth.tables import TRUTH

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_exact_attribution")


def main(
    *,
    events_path: Path,
    words_path: Path,
    cells_path: Path,
    tokens_path: Path,
    truth_path: Path,
    steps_path: Path,
    recall_path: Path,
    sizes_path: Path,
    causes_path: Path,
    intervals: IntervalSettings,
) -> None:
    """Read the tables, summarise, write."""
    events, words = EXACT_EVENTS.read(events_path), EXACT_WORDS.read(words_path)
    cells, truth = EXACT_CELLS.read(cells_path), TRUTH.read(truth_path)
    tokens = ATTRIBUTION_TOKENS.read(tokens_path)
    logger.info("%d backtracks, %d measured words", events.height, words.height)
    steps = steps_table(cells, intervals)
    recall = recall_table(words, events, intervals)
    sizes = sizes_table(words, events, tokens, intervals)
    causes = causes_table(words, events, truth, intervals)
    steps, recall, causes = corrected(steps, recall, causes)
    EXACT_STEPS.write(steps, steps_path)
    EXACT_RECALL.write(recall, recall_path)
    EXACT_SIZES.write(sizes, sizes_path)
    EXACT_CAUSES.write(causes, causes_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            events_path=Path(snakemake.input.events),
            words_path=Path(snakemake.input.words),
            cells_path=Path(snakemake.input.cells),
            tokens_path=Path(snakemake.input.tokens),
            truth_path=Path(snakemake.input.truth),
            steps_path=Path(snakemake.output.steps),
            recall_path=Path(snakemake.output.recall),
            sizes_path=Path(snakemake.output.sizes),
            causes_path=Path(snakemake.output.causes),
            intervals=IntervalSettings(**snakemake.params.settings),
        )
