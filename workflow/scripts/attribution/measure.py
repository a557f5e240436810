"""Which words make the model turn back? Attribution patching, checked exactly.

At every position looked into (`schemas.TURNS`), the score of a cell (layer, token) is
the estimated change of the metric when the residual stream before the layer is
replaced, at that token, by its mean over the thoughts of the calibration problems:
(mean - clean) . gradient (`attribution.gradients`). Negative: the token supports
turning back. On a seeded sample of cells the replacement is made for real
(`attribution.patching`).

Inputs
    problems: the questions (`schemas.PROBLEMS`).
    traces: `schemas.TRACES`.
    events: what the activation cache was made at.
    turns: the positions (`schemas.TURNS`).
    words: the tokens of the metric's groups (`schemas.TURN_WORDS`).
    cache: shards and index of the activation cache, for the means.
    the model.

Outputs, of one shard
    scores: one row per decision, part and layer (`schemas.ATTRIBUTION`).
    tokens: over all layers, one row per decision (`schemas.ATTRIBUTION_TOKENS`).
    prompts: where the questions stand (`schemas.ATTRIBUTION_PROMPTS`).
    cells: estimates and exact values of the sample (`schemas.ATTRIBUTION_CELLS`).
    verification: their agreement (`schemas.VERIFICATION`).
    runs: what the shard cost (`schemas.RUNS`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from attribution.cell_samples import cells_to_patch
from attribution.contexts import prompt_row, spans_of
from attribution.gradients import (
    Metric,
)
from attribution.scoring import STAGE, Attribution, Settings, decisions_of
from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
)
from doubletake.model.loading import load_decoder
from doubletake.running.logs import Progress, job
from doubletake.running.run_rows import run_row
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

logger = logging.getLogger("attribution")


def compute(
    work: Attribution, turns: pl.DataFrame, traces: pl.DataFrame, prompts: pl.DataFrame
) -> Progress:
    """All decisions of these traces; `work` keeps what comes out.

    Args:
        work: still empty.
        turns: the chosen decisions of the whole study.
        traces: the shard's.
        prompts: `schemas.ATTRIBUTION_PROMPTS` of these traces.
    """
    settings = work.settings
    work.samples = cells_to_patch(
        turns,
        work.decoder.n_layers,
        list(work.means),
        settings.costs,
        settings.verification,
    )
    mine = turns.join(traces.select("trace"), on="trace", how="semi")
    texts = prompts.rows_by_key("trace", named=True, unique=True)
    spans = {
        row["trace"]: spans_of(row, texts[row["trace"]])
        for row in traces.iter_rows(named=True)
        if row["trace"] in texts
    }
    about = {
        (row["trace"], row["event"]): row | spans[row["trace"]]
        for row in mine.iter_rows(named=True)
    }
    decisions = decisions_of(mine, traces)
    progress = Progress(len(decisions), "decisions")
    work.score(decisions, about, progress)
    progress.close()
    for item in decisions:
        if (item.trace, item.event) in work.samples:
            work.verify(item, about[item.trace, item.event]["problem"])
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
    """Read the shard's decisions, score and verify them, write the six tables."""
    traces = rows_of_shard(TRACES.read(traces_path), shard)
    asked = pl.col("kind").is_in(settings.kinds)
    turns = TURNS.read(turns_path).filter("selected", asked)
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
        origin = Origin.of(model, events_path)
        means = ActivationCache(index_path, cache_paths, origin).means()
    work = Attribution(decoder, metric, means, settings)
    progress = compute(work, turns, traces_of_turns, prompts)
    checks = work.checks()
    for row in checks.iter_rows(named=True):
        logger.info("%(check)s: %(statistic)s %(value)s over %(n)d", row)
    run = run_row(STAGE, shard, progress, decoder, traces_of_turns.height, "")
    order = ["trace", "event"]
    VERIFICATION.write(checks, verification_path)
    RUNS.write(run, runs_path)
    ATTRIBUTION_PROMPTS.write(prompts, prompts_path)
    ATTRIBUTION_CELLS.write(ATTRIBUTION_CELLS.frame(work.cells), cells_path)
    ATTRIBUTION_TOKENS.write(
        ATTRIBUTION_TOKENS.frame(work.tokens).sort(order), tokens_path
    )
    ATTRIBUTION.write(
        ATTRIBUTION.frame(work.rows).sort(order, maintain_order=True), scores_path
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
