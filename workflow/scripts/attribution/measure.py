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
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from attribution.agreement import figures_of
from attribution.cell_samples import Costs, Sample, cells_to_patch
from attribution.contexts import prompt_row, spans_of
from attribution.gradients import (
    Decision,
    Estimate,
    Metric,
    attribute,
    attribute_along_path,
)
from attribution.patching import patched, patched_plainly
from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
)
from doubletake.model.budgets import backward_tokens, forward_tokens
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.passes import in_batches
from doubletake.running.logs import Progress, job
from doubletake.running.runs import run_of
from doubletake.stats.verification import Largest, Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, Figure, verification_of
from doubletake.text.tokenizer import load_tokenizer
from problems.tables import PROBLEMS
from traces.tables import TRACES
from turns.reading import target_ids
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("attribution")

STAGE = "attribution"
PARTS = ("resid", "attn_out", "mlp_out")
METHODS = ("gradient", "integrated")
VALUE_BOUND = 1e-3  # nats or logits in float32: rounding of another batch
BACKWARD = 1  # cost of a backward pass in forward passes: parameters are frozen


@dataclass(frozen=True)
class Settings:
    """What the computation reads of the `attribution` section, and the memory."""

    batch_memory: float
    """Memory that one batch may take beyond the model, GiB."""
    kinds: list[str]
    """Kinds of positions: `backtrack`, `control`, `wrap_up`."""
    metric: str
    """`difference` (log-prob of backtrack minus wrap-up words) or `target` (raw logit
    of the most likely next token)."""
    method: str
    """`gradient` (at the clean run) or `integrated` (averaged along a path)."""
    steps: int
    """Points on the path of integrated gradients."""
    components: bool
    """Whether the attention and MLP outputs are scored too."""
    verification: Verification
    """How many cells of the study are patched exactly."""

    @property
    def costs(self) -> Costs:
        """Passes per decision: of the method in use, and of the other one."""
        gradient = 1 + BACKWARD
        integrated = 1 + self.steps * (1 + BACKWARD)
        if self.method == "gradient":
            return Costs(gradient, integrated)
        return Costs(integrated, gradient)


def decisions_of(turns: pl.DataFrame, traces: pl.DataFrame) -> list[Decision]:
    """What goes through the model, in the order of `turns`."""
    ids = {
        row["trace"]: row["prompt_ids"] + row["completion_ids"]
        for row in traces.iter_rows(named=True)
    }
    return [
        Decision(
            row["trace"],
            row["event"],
            ids[row["trace"]][: row["position"] + 1],
            row["predicted"],
        )
        for row in turns.iter_rows(named=True)
    ]


class Attribution:
    """Computes decisions and keeps what the tables need."""

    def __init__(
        self,
        decoder: Decoder,
        metric: Metric,
        means: dict[str, torch.Tensor],
        settings: Settings,
    ) -> None:
        """Start with empty tables; `means` by part, [layer, d_model]."""
        self.decoder, self.metric, self.settings = decoder, metric, settings
        wanted = PARTS if settings.components else PARTS[:1]
        self.means = {
            name: means[name].to(decoder.device, torch.float32)
            for name in wanted
            if name in means
        }
        self.passes = 1 if settings.method == "gradient" else settings.steps
        self.samples: dict[tuple[str, int], Sample] = {}
        self.scores: dict[tuple[str, int], dict[str, torch.Tensor]] = {}
        self.rows: list[dict[str, Any]] = []
        self.tokens: list[dict[str, Any]] = []
        self.cells: list[dict[str, Any]] = []
        self.values: dict[tuple[str, int], float] = {}
        self.value_error, self.patching_error = Largest(), Largest()

    def estimate(self, method: str, batch: list[Decision]) -> Estimate:
        """Scores of a batch by one of the `METHODS`."""
        common = (self.decoder, self.metric, self.means, batch)
        if method == "gradient":
            return attribute(*common)
        return attribute_along_path(*common, steps=self.settings.steps)

    def score(
        self, decisions: list[Decision], about: dict[Any, Any], progress: Progress
    ) -> None:
        """Scores of all decisions; `about` holds further columns by trace and event."""
        done = in_batches(
            decisions,
            partial(self.estimate, self.settings.method),
            length=lambda item: len(item.ids),
            name=lambda item: f"trace {item.trace}, event {item.event}",
            batch_tokens=backward_tokens(self.decoder, self.settings.batch_memory),
        )
        for batch, found in done:
            for place, item in enumerate(batch):
                self._keep(item, found, place, about[item.trace, item.event])
            length = sum(len(item.ids) for item in batch)
            progress.update(len(batch), self.passes * length)

    def _keep(
        self, item: Decision, found: Estimate, place: int, about: dict[str, Any]
    ) -> None:
        own = len(item.ids) - 1
        head: dict[str, Any] = {"trace": item.trace, "event": item.event}
        head |= {name: about[name] for name in ("problem", "kind", "position")}
        head["value"] = found.values[place].item()
        self.values[item.trace, item.event] = head["value"]
        if (item.trace, item.event) in self.samples:
            own_scores = {part: rows[place] for part, rows in found.scores.items()}
            self.scores[item.trace, item.event] = own_scores
        for part, scores in found.scores.items():
            for layer, row in enumerate(scores[place]):
                self.rows.append(
                    head
                    | {"part": part, "layer": layer, "own": row[own].item()}
                    | {"scores": row[:own].tolist()}
                )
        names = ("question_start", "question_end", "thought_start")
        spans = {name: about[name] for name in names}
        over = over_layers(found.scores["resid"][place, :, : own + 1])
        self.tokens.append(head | spans | over)

    def verify(self, item: Decision, problem: str) -> None:
        """Patch the decision's sampled cells exactly, beside their estimates."""
        name = (item.trace, item.event)
        sample, used = self.samples[name], self.settings.method
        budget = forward_tokens(self.decoder, self.settings.batch_memory)
        common = (self.decoder, self.metric, self.means, item)
        exact, clean = patched(*common, sample.cells, budget)
        self.value_error.add(abs(self.values[name] - clean))
        estimates = {used: self.scores[name]}
        if sample.other:
            (other,) = set(METHODS) - {used}
            found = self.estimate(other, [item]).scores
            estimates[other] = {part: scores[0] for part, scores in found.items()}
        for cell, change in zip(sample.cells, exact, strict=True):
            row: dict[str, Any] = {"trace": item.trace, "event": item.event}
            row["problem"] = problem
            row |= cell._asdict()
            row["exact"] = change
            row |= dict.fromkeys(METHODS)
            for method, scores in estimates.items():
                row |= {method: scores[cell.part][cell.layer, cell.token].item()}
            self.cells.append(row)
            if cell in sample.plain:
                whole = patched_plainly(*common, cell)
                self.patching_error.add(abs(clean + change - whole))

    def checks(self) -> pl.DataFrame:
        """`schemas.VERIFICATION` of the sampled cells."""
        cells = ATTRIBUTION_CELLS.frame(self.cells)
        alone = "the metric in its batch against a pass of the decision alone"
        whole = "exact patching from its layer and token on against a full pass"
        figures = [
            _error_of(check, error, self.decoder.dtype)
            for check, error in (
                (alone, self.value_error),
                (whole, self.patching_error),
            )
        ]
        for method in METHODS:
            layered = method == self.settings.method
            figures += figures_of(cells, method, layered)
        return verification_of(STAGE, figures)


def over_layers(scores: torch.Tensor) -> dict[str, Any]:
    """Token scores from those of all layers.

    Args:
        scores: [layer, token], the deciding position last.
    """
    sizes = scores.abs()
    largest, layer = sizes.max(0)
    mean = sizes.mean(0)
    strongest = scores.gather(0, layer[None])[0]
    return {
        "max_abs": largest[:-1].tolist(),
        "mean_abs": mean[:-1].tolist(),
        "strongest": strongest[:-1].tolist(),
        "own_max_abs": largest[-1].item(),
        "own_mean_abs": mean[-1].item(),
    }


def _error_of(check: str, error: Largest, dtype: torch.dtype) -> Figure:
    return Figure(
        check=check,
        statistic="largest difference",
        value=error.value,
        unit="nat or logit",
        n=error.n,
        bound=VALUE_BOUND if dtype == torch.float32 else None,
        merge="max",
    )


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
    run = run_of(STAGE, shard, progress, decoder, traces_of_turns.height, "")
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
