"""What does exact patching say of the words that the estimate puts first?

Attribution ranks the words before a backtrack by an estimate (attribution patching). At
seeded backtracks the first words of that ranking, other words of the same context, and
the words of the planted cause are replaced for real: the residual stream of all tokens
of the word's occurrence is set to its mean at one boundary, and the model runs again.
The change of the metric is the word's exact value there; of all boundaries the largest
one counts. A seeded sample of words also moves only a part of the way, and gradients
are averaged along the word's own path.

Inputs
    problems: `problems.tables.PROBLEMS`, the questions.
    traces: `traces.tables.TRACES`.
    events: the events whose positions the activation cache holds.
    turns: `turns.tables.TURNS`.
    turn_words: `turns.tables.TURN_WORDS`, the tokens of the metric's groups.
    truth: `truth.tables.TRUTH`, the planted causes.
    scores, tokens, prompts, words: `attribution.tables`.
    index, cache: shards and index of the activation cache, for the means.
    model: files of the model.

Outputs, of one shard
    events: `exact_attribution.tables.EXACT_EVENTS`.
    words: `exact_attribution.tables.EXACT_WORDS`.
    cells: `exact_attribution.tables.EXACT_CELLS`.
    verification: `doubletake.tables.verification.VERIFICATION`.
    runs: `doubletake.tables.runs.RUNS`; empty if no model was loaded, because the shard
        has no drawn backtrack.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.model.turn_metric import Metric
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.table import Table
from doubletake.tables.verification import VERIFICATION, verification_of
from exact_attribution.budget import Budget
from exact_attribution.contexts import StudyTables, contexts_of
from exact_attribution.event_rows import Meter, cell_rows, event_row, word_rows
from exact_attribution.settings import Settings
from exact_attribution.tables import EXACT_CELLS, EXACT_EVENTS, EXACT_WORDS, LATE
from exact_attribution.verification_figures import Differences, checked_events
from problems.tables import PROBLEMS
from traces.tables import TRACES
from truth.tables import TRUTH
from turns.reading import drawn_backtracks, target_ids
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_exact_attribution")

STAGE = "exact_attribution"
TABLES = (EXACT_EVENTS, EXACT_WORDS, EXACT_CELLS)
STUDY_TABLES = {
    "problems": PROBLEMS,
    "truth": TRUTH,
    "prompts": ATTRIBUTION_PROMPTS,
    "scores": ATTRIBUTION,
    "tokens": ATTRIBUTION_TOKENS,
    "words": ATTRIBUTION_WORDS,
}
"""Tables of `StudyTables` that are read from their files as they are."""


class Shard:
    """Measures the drawn backtracks of one shard, as long as there is time."""

    def __init__(self, drawn: pl.DataFrame, meter: Meter, budget: Budget) -> None:
        """Start with empty tables.

        Args:
            drawn: the drawn backtracks of the whole study, with their `place`.
            meter: replaces words.
            budget: the time of the shard.
        """
        self.meter, self.budget = meter, budget
        self.places = {
            (trace, event): place
            for trace, event, place in drawn.select("trace", "event", "place").rows()
        }
        settings = meter.settings
        lengths = drawn.select("trace", "event", pl.col("position") + 1).iter_rows()
        self.checked = checked_events(
            {(trace, event): tokens for trace, event, tokens in lengths},
            settings.top + settings.random,
            len(meter.layers),
            settings.verification,
        )
        self.differences = Differences()
        self.rows: dict[str, list[dict[str, Any]]] = {one.key: [] for one in TABLES}

    def measure(self, ours: pl.DataFrame, tables: StudyTables) -> Progress:
        """Measure the shard's backtracks in their seeded order."""
        contexts = contexts_of(ours, tables, self.meter.settings)
        progress = Progress(len(contexts), "backtracks")
        for context in contexts:
            place = self.places[context.key]
            verdict, measured = self.budget.verdict(place), None
            if verdict != LATE:
                measured = self.meter.measure(context, place)
                self.rows["words"] += word_rows(measured)
                self.rows["cells"] += cell_rows(measured)
                self.differences.compare_clean(measured)
                if context.key in self.checked:
                    seed = self.meter.settings.seed
                    self.differences.replay(self.meter, measured, seed)
                progress.update(1, measured.tokens)
            row = event_row(context, place, verdict, measured)
            self.rows["events"].append(row)
        progress.close()
        return progress


def written(table: Table, rows: list[dict[str, Any]], path: Path) -> None:
    """Write the rows of a shard, sorted; equal keys stay in their order."""
    frame = table.frame(rows)
    table.write(frame.sort(table.sort, maintain_order=True), path)


def main(
    *,
    traces_path: Path,
    events_path: Path,
    turns_path: Path,
    turn_words_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    table_paths: dict[str, Path],
    output_paths: dict[str, Path],
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
    shard: str,
) -> None:
    """Read the tables, measure the shard's backtracks, write five tables.

    `table_paths` and `output_paths` are by the names of `STUDY_TABLES` and `TABLES`.
    """
    turns = TURNS.read(turns_path)
    drawn = drawn_backtracks(turns, settings.backtracks, settings.seed)
    drawn = drawn.with_row_index("place", offset=1)
    traces = rows_of_shard(TRACES.read(traces_path), shard)
    ours = drawn.join(traces, on="trace", how="semi", maintain_order="left")
    logger.info("%d of %d drawn backtracks", ours.height, drawn.height)
    work = None
    runs = RUNS.frame([])
    if not ours.is_empty():
        decoder = load_decoder(model)
        metric = Metric(
            decoder, settings.metric, target_ids(TURN_WORDS.read(turn_words_path))
        )
        # ASSUME: the mean over calibration thoughts is the neutral state of a cell.
        origin = Origin.of(model, events_path)
        means = ActivationCache(index_path, cache_paths, origin).means()["resid"]
        means = means.to(decoder.device, torch.float32)
        study = {
            name: table.read(table_paths[name]) for name, table in STUDY_TABLES.items()
        }
        budget = Budget(settings.minutes, ours.height / drawn.height, settings.least)
        work = Shard(drawn, Meter(decoder, metric, means, settings), budget)
        progress = work.measure(ours, StudyTables(traces=traces, **study))
        note = ""
        runs = run_row(STAGE, shard, progress, decoder, ours["trace"].n_unique(), note)
    for table in TABLES:
        rows = [] if work is None else work.rows[table.key]
        written(table, rows, output_paths[table.key])
    differences = Differences() if work is None else work.differences
    figures = differences.figures(getattr(torch, model.dtype))
    VERIFICATION.write(verification_of(STAGE, figures), verification_path)
    RUNS.write(runs, runs_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            turns_path=Path(snakemake.input.turns),
            turn_words_path=Path(snakemake.input.turn_words),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.cache],
            table_paths={name: Path(snakemake.input[name]) for name in STUDY_TABLES},
            output_paths={
                table.key: Path(snakemake.output[table.key]) for table in TABLES
            },
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
            shard=snakemake.wildcards.shard,
        )
