"""Does the model turn back because of the planted cause?

For contexts with one planted cause there is a twin: the same context without the cause
(`twins.pairs`). One forward pass of each context gives the probability of turning at
the position that predicts the first word of the next sentence. Its difference between
context and twin is the causal effect of the cause on this model.

Inputs
    problems: `problems.tables.PROBLEMS`.
    traces: `traces.tables.TRACES`.
    truth: `truth.tables.TRUTH`, the boundaries and their causes.

Outputs
    twins: `twins.tables.TWINS`.
    verification: batched against plain forward passes, and the log-prob of the sampled
        first word against that of the generation
        (`doubletake.tables.verification.VERIFICATION`).
    runs: `doubletake.tables.runs.RUNS`; empty where no model was loaded, because there
        is no boundary to measure.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from pocket.reading import NoTwinError
from problems.tables import PROBLEMS
from traces.tables import TRACES
from truth.tables import TRUTH
from twins.forward_pass import Measured, measured_contexts
from twins.pairs import Pair, draw_boundaries, pair_of
from twins.tables import TWINS
from twins.turn_probability import first_words
from twins.verification_figures import Differences

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_twins")

STAGE = "twins"
NO_WORD = "top-p leaves no first word of a boundary"


@dataclass(frozen=True)
class Settings:
    """The `twins` section of the config, and what it shares with others."""

    pairs: int
    """Largest number of contexts per cause."""
    seed: int
    """Seed of the draw of contexts."""
    batch_memory: float
    """GiB of memory that one batch may take in addition to the model."""
    verification: Verification
    """How many contexts are computed again, one by one."""


def built_pairs(
    boundaries: Sequence[dict[str, Any]],
    traces: pl.DataFrame,
    problems: pl.DataFrame,
    tokenizer: TraceTokenizer,
    longest: int,
) -> tuple[list[Pair], list[dict[str, Any]]]:
    """The pairs of boundaries, and the rows of `TWINS` of those without a pair.

    Args:
        boundaries: rows of `TRUTH`.
        traces: `TRACES`.
        problems: `PROBLEMS`.
        tokenizer: of the study's model.
        longest: number of tokens that the model attends to.
    """
    questions = {row["problem"]: row for row in problems.to_dicts()}
    names = {row["trace"] for row in boundaries}
    texts = traces.filter(pl.col("trace").is_in(names)).to_dicts()
    by_name = {trace["trace"]: trace for trace in texts}
    pairs: list[Pair] = []
    refused: list[dict[str, Any]] = []
    for row in boundaries:
        trace, problem = by_name[row["trace"]], questions[row["problem"]]
        try:
            pair = pair_of(row, trace, problem, tokenizer)
            if len(pair.without_cause) > longest:
                raise NoTwinError("the twin is too long for the model")
        except NoTwinError as error:
            name = f"trace {row['trace']}, boundary {row['boundary']}"
            logger.info("%s: no twin of the %s: %s", name, row["cause"], error)
            refused.append(table_row(row, refused=str(error)))
        else:
            pairs.append(pair)
    return pairs, refused


def table_row(row: dict[str, Any], **columns: Any) -> dict[str, Any]:
    """A row of `TWINS`; columns that are not given are null."""
    named = {name: row[name] for name in ("trace", "problem", "boundary", "cause")}
    return dict.fromkeys(TWINS.schema) | named | columns


def pair_row(pair: Pair, one: Measured, other: Measured) -> dict[str, Any]:
    """The row of `TWINS` of a pair, from its context and its twin."""
    is_measured = not (math.isnan(one.turn) or math.isnan(other.turn))
    return table_row(
        pair.row,
        refused=None if is_measured else NO_WORD,
        aligned=pair.aligned,
        changed=pair.changed,
        planted_with=pair.row["probability"],
        planted_without=pair.planted_without,
        turn_with=one.turn if is_measured else None,
        turn_without=other.turn if is_measured else None,
        raw_with=one.raw,
        raw_without=other.raw,
    )


def measure(
    decoder: Decoder,
    tokenizer: TraceTokenizer,
    pairs: Sequence[Pair],
    settings: Settings,
) -> tuple[list[dict[str, Any]], Differences, Progress]:
    """Rows of `TWINS` of the pairs, and the errors of the batched passes."""
    words = first_words(tokenizer)
    differences = Differences()
    progress = Progress(2 * len(pairs), "contexts")
    gib = settings.batch_memory
    measured = measured_contexts(decoder, pairs, words, gib, progress)
    differences.replay(decoder, pairs, measured, words, settings.verification)
    progress.close()
    rows = [
        pair_row(pair, measured[2 * k], measured[2 * k + 1])
        for k, pair in enumerate(pairs)
    ]
    return rows, differences, progress


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    truth_path: Path,
    twins_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, build the pairs, measure them, write the tables."""
    truth = TRUTH.read(truth_path)
    boundaries = draw_boundaries(truth, settings.pairs, settings.seed)
    rows: list[dict[str, Any]] = []
    checks, runs = VERIFICATION.frame([]), RUNS.frame([])
    if boundaries:
        traces, problems = TRACES.read(traces_path), PROBLEMS.read(problems_path)
        tokenizer, decoder = load_tokenizer(model), load_decoder(model)
        pairs, rows = built_pairs(
            boundaries, traces, problems, tokenizer, decoder.max_positions
        )
        made, differences, progress = measure(decoder, tokenizer, pairs, settings)
        rows += made
        figures = differences.figures(model.dtype)
        for item in figures:
            logger.info("verification: %s %s of %d", item.check, item.value, item.n)
        checks = verification_of(STAGE, figures)
        runs = run_row(STAGE, ONE_SHARD, progress, decoder, len(boundaries), "")
    else:
        logger.info("nothing to measure: no boundary with one cause before a turn")
    VERIFICATION.write(checks, verification_path)
    RUNS.write(runs, runs_path)
    TWINS.write(TWINS.frame(rows).sort("trace", "boundary"), twins_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            truth_path=Path(snakemake.input.truth),
            twins_path=Path(snakemake.output.twins),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
