"""Which words make the model turn back? Attribution patching, checked exactly.

At every selected position (`TURNS`), each cell (layer, token) gets a score. The score
estimates the change of the metric when the residual stream before the layer is
replaced, at the token, by its mean over the thoughts of the calibration problems:
(mean - clean) . gradient (`attribution.gradients`). A negative score: the token
supports turning back. For a seeded sample of cells the model also runs with the real
replacement (`doubletake.model.patching`).

Inputs
    problems: the questions (`PROBLEMS`).
    traces: the thoughts (`TRACES`).
    events: the events whose positions the activation cache holds.
    turns: the positions (`TURNS`).
    words: the tokens of the metric's groups (`TURN_WORDS`).
    cache: shards and index of the activation cache, for the means.
    model: files of the model.

Outputs, of one shard
    scores: one row per position, component and layer (`ATTRIBUTION`).
    tokens: scores over all layers, one row per position (`ATTRIBUTION_TOKENS`).
    prompts: the prompts and the questions in them (`ATTRIBUTION_PROMPTS`).
    cells: estimates and exact values of the sample (`ATTRIBUTION_CELLS`).
    verification: agreement of estimates and exact values (`VERIFICATION`).
    runs: cost of the shard (`RUNS`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from attribution.question_spans import prompt_row, token_spans
from attribution.scoring import STAGE, Attribution, Settings, decisions_of
from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
)
from attribution.verification_cells import cells_to_patch
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.model.turn_metric import Metric
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from problems.tables import PROBLEMS
from traces.tables import TRACES
from turns.reading import target_ids
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_attribution")


def score_and_verify(
    work: Attribution, turns: pl.DataFrame, traces: pl.DataFrame, prompts: pl.DataFrame
) -> Progress:
    """Score all positions of these traces, and verify the sampled ones.

    Args:
        work: collects the rows; still empty.
        turns: the chosen positions of the whole study.
        traces: traces of the shard.
        prompts: `ATTRIBUTION_PROMPTS` of these traces.
    """
    settings = work.settings
    work.samples = cells_to_patch(
        turns,
        work.decoder.n_layers,
        list(work.means),
        settings.costs,
        settings.verification,
        settings.least_problems,
    )
    turns_of_shard = turns.join(traces.select("trace"), on="trace", how="semi")
    prompt_rows = prompts.rows_by_key("trace", named=True, unique=True)
    spans = {
        row["trace"]: token_spans(row, prompt_rows[row["trace"]])
        for row in traces.iter_rows(named=True)
        if row["trace"] in prompt_rows
    }
    columns = {
        (row["trace"], row["event"]): row | spans[row["trace"]]
        for row in turns_of_shard.iter_rows(named=True)
    }
    decisions = decisions_of(turns_of_shard, traces)
    progress = Progress(len(decisions), "positions")
    work.score(decisions, columns, progress)
    progress.close()
    for item in decisions:
        if (item.trace, item.event) in work.samples:
            work.verify(item, columns[item.trace, item.event]["problem"])
    return progress


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    events_path: Path,
    turns_path: Path,
    words_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    scores_path: Path,
    tokens_path: Path,
    prompts_path: Path,
    cells_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
    shard: str,
) -> None:
    """Read the shard's positions, score and verify them, write the six tables."""
    traces = rows_of_shard(TRACES.read(traces_path), shard)
    of_kinds = pl.col("kind").is_in(settings.kinds)
    turns = TURNS.read(turns_path).filter("selected", of_kinds)
    traces_of_turns = traces.join(turns, on="trace", how="semi")
    questions = dict(PROBLEMS.read(problems_path).select("problem", "question").rows())
    tokenizer, decoder = load_tokenizer(model), load_decoder(model)
    groups = target_ids(TURN_WORDS.read(words_path))
    metric = Metric(decoder, settings.metric, groups)
    prompts = ATTRIBUTION_PROMPTS.frame(
        [
            prompt_row(row, questions[row["problem"]], tokenizer)
            for row in traces_of_turns.iter_rows(named=True)
        ]
    )
    means: dict[str, torch.Tensor] = {}
    if not traces_of_turns.is_empty():
        # ASSUME: the mean over calibration thoughts is the neutral state of a cell.
        origin = Origin.of(model, events_path)
        means = ActivationCache(index_path, cache_paths, origin).means()
    work = Attribution(decoder, metric, means, settings)
    progress = score_and_verify(work, turns, traces_of_turns, prompts)
    verification = work.verification()
    for row in verification.iter_rows(named=True):
        logger.info("%(check)s: %(statistic)s %(value)s over %(n)d", row)
    run = run_row(STAGE, shard, progress, decoder, traces_of_turns.height, "")
    order = ["trace", "event"]
    VERIFICATION.write(verification, verification_path)
    RUNS.write(run, runs_path)
    ATTRIBUTION_PROMPTS.write(prompts, prompts_path)
    ATTRIBUTION_CELLS.write(ATTRIBUTION_CELLS.frame(work.cell_rows), cells_path)
    ATTRIBUTION_TOKENS.write(
        ATTRIBUTION_TOKENS.frame(work.token_rows).sort(order), tokens_path
    )
    ATTRIBUTION.write(
        ATTRIBUTION.frame(work.score_rows).sort(order, maintain_order=True), scores_path
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            turns_path=Path(snakemake.input.turns),
            words_path=Path(snakemake.input.words),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.cache],
            scores_path=Path(snakemake.output.scores),
            tokens_path=Path(snakemake.output.tokens),
            prompts_path=Path(snakemake.output.prompts),
            cells_path=Path(snakemake.output.cells),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
            shard=snakemake.wildcards.shard,
        )
