"""The scores of all positions, batch by batch, and exact values of some cells."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import torch

from attribution.agreement import verification_figures
from attribution.gradients import (
    Estimate,
    attribute,
    attribute_along_path,
    batch_bytes,
)
from attribution.tables import ATTRIBUTION_CELLS
from attribution.verification_cells import CellSample, Costs
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.patching import exact_changes, metric_by_full_pass
from doubletake.model.turn_metric import Decision, Metric
from doubletake.running.logs import Progress
from doubletake.stats.draws import Name
from doubletake.stats.verification import Largest, Verification
from doubletake.tables.verification import VerificationRow, verification_of

STAGE = "attribution"
COMPONENTS = ("resid", "attn_out", "mlp_out")
METHODS = ("gradient", "integrated")
# ASSUME: rounding in float32 changes the metric by less than this (chosen by hand).
METRIC_BOUND = 1e-3  # nats or logits
# ASSUME: with frozen parameters, a backward pass costs as much as a forward pass.
BACKWARD_COST = 1


@dataclass(frozen=True)
class Settings:
    """Settings of the section `attribution` for the scores, and the memory."""

    batch_memory: float
    """Memory for one batch in addition to the model, in GiB."""
    kinds: list[str]
    """Kinds of positions: `backtrack`, `control`, `wrap_up`."""
    metric: str
    """What is attributed, one of `doubletake.model.turn_metric.METRICS`."""
    method: str
    """`gradient` (at the clean run) or `integrated` (averaged along a path)."""
    steps: int
    """Points on the path of integrated gradients."""
    components: bool
    """Whether the outputs of attention and MLP are scored too."""
    verification: Verification
    """How many cells of the study are patched exactly."""
    least_problems: int
    """Fewest problems with an interval: the cells are of as many, if there are."""

    @property
    def costs(self) -> Costs:
        """Passes per position, by the method in use and by the other method."""
        gradient = 1 + BACKWARD_COST
        integrated = 1 + self.steps * (1 + BACKWARD_COST)
        if self.method == "gradient":
            return Costs(gradient, integrated)
        return Costs(integrated, gradient)


def decisions_of(turns: pl.DataFrame, traces: pl.DataFrame) -> list[Decision]:
    """The positions with their token ids, in the order of `turns`."""
    ids = {
        row["trace"]: row["prompt_ids"] + row["completion_ids"]
        for row in traces.iter_rows(named=True)
    }
    return [
        Decision(
            row["trace"],
            row["event"],
            ids[row["trace"]][: row["position"] + 1],
            row["predicted_id"],
        )
        for row in turns.iter_rows(named=True)
    ]


class Attribution:
    """Scores positions, patches sampled cells, and collects the rows of the tables."""

    def __init__(
        self,
        decoder: Decoder,
        metric: Metric,
        means: dict[str, torch.Tensor],
        settings: Settings,
    ) -> None:
        """Start with empty tables; `means` by component, [layer, d_model]."""
        self.decoder, self.metric, self.settings = decoder, metric, settings
        wanted = COMPONENTS if settings.components else COMPONENTS[:1]
        self.means = {
            name: means[name].to(decoder.device, torch.float32)
            for name in wanted
            if name in means
        }
        self.path_points = 1 if settings.method == "gradient" else settings.steps
        self.samples: dict[Name, CellSample] = {}
        self.sampled_scores: dict[tuple[str, int], dict[str, torch.Tensor]] = {}
        self.score_rows: list[dict[str, Any]] = []
        self.token_rows: list[dict[str, Any]] = []
        self.cell_rows: list[dict[str, Any]] = []
        self.metric_values: dict[tuple[str, int], float] = {}
        self.metric_error, self.patching_error = Largest(), Largest()

    def estimate(self, method: str, batch: list[Decision]) -> Estimate:
        """Scores of a batch by one of the `METHODS`."""
        common = (self.decoder, self.metric, self.means, batch)
        if method == "gradient":
            return attribute(*common)
        return attribute_along_path(*common, steps=self.settings.steps)

    def score(
        self,
        decisions: list[Decision],
        columns: dict[tuple[str, int], dict[str, Any]],
        progress: Progress,
    ) -> None:
        """Scores of all positions.

        Args:
            decisions: the positions of the shard.
            columns: further columns of each position, by trace and event.
            progress: counts positions and tokens.
        """
        done = in_batches(
            decisions,
            partial(self.estimate, self.settings.method),
            length=lambda item: len(item.ids),
            name=lambda item: f"trace {item.trace}, event {item.event}",
            need=partial(batch_bytes, self.decoder, self.settings.method, self.means),
            batch_memory=self.settings.batch_memory,
        )
        for batch, estimate in done:
            for index, item in enumerate(batch):
                self._add_rows(item, estimate, index, columns[item.trace, item.event])
            length = sum(len(item.ids) for item in batch)
            progress.update(len(batch), self.path_points * length)

    def _add_rows(
        self, item: Decision, estimate: Estimate, index: int, columns: dict[str, Any]
    ) -> None:
        """Add the rows of one position, which has this index in its batch."""
        position = len(item.ids) - 1
        key = (item.trace, item.event)
        head: dict[str, Any] = {"trace": item.trace, "event": item.event}
        head |= {name: columns[name] for name in ("problem", "kind", "position")}
        head["metric_value"] = estimate.metric_values[index].item()
        self.metric_values[key] = head["metric_value"]
        if key in self.samples:
            self.sampled_scores[key] = {
                component: scores[index]
                for component, scores in estimate.scores.items()
            }
        for component, scores in estimate.scores.items():
            for layer, row in enumerate(scores[index]):
                self.score_rows.append(
                    head
                    | {"component": component, "layer": layer}
                    | {"position_score": row[position].item()}
                    | {"scores": row[:position].tolist()}
                )
        names = ("question_start", "question_end", "thought_start")
        spans = {name: columns[name] for name in names}
        token_scores = over_layers(estimate.scores["resid"][index, :, : position + 1])
        self.token_rows.append(head | spans | token_scores)

    def verify(self, item: Decision, problem: str) -> None:
        """Patch the position's sampled cells exactly, and keep both values of each."""
        key = (item.trace, item.event)
        sample, used = self.samples[key], self.settings.method
        common = (self.decoder, self.metric, self.means, item)
        exact, clean = exact_changes(*common, sample.cells, self.settings.batch_memory)
        self.metric_error.add(abs(self.metric_values[key] - clean))
        estimates = {used: self.sampled_scores[key]}
        if sample.other_method:
            (other,) = set(METHODS) - {used}
            batch_scores = self.estimate(other, [item]).scores
            estimates[other] = {name: rows[0] for name, rows in batch_scores.items()}
        for cell, change in zip(sample.cells, exact, strict=True):
            row: dict[str, Any] = {"trace": item.trace, "event": item.event}
            row["problem"] = problem
            row |= cell._asdict()
            row["exact"] = change
            row |= dict.fromkeys(METHODS)
            for method, scores in estimates.items():
                row[method] = scores[cell.component][cell.layer, cell.token].item()
            self.cell_rows.append(row)
            if cell in sample.full_pass:
                patched_metric = metric_by_full_pass(*common, cell)
                self.patching_error.add(abs(clean + change - patched_metric))

    def verification(self) -> pl.DataFrame:
        """`VERIFICATION` of the sampled cells."""
        cells = ATTRIBUTION_CELLS.frame(self.cell_rows)
        alone = "the metric in its batch against a pass of the position alone"
        whole = "exact patching from its layer and token on against a full pass"
        figures = [
            _error_of(check, error, self.decoder.dtype)
            for check, error in (
                (alone, self.metric_error),
                (whole, self.patching_error),
            )
        ]
        for method in METHODS:
            by_layer = method == self.settings.method
            figures += verification_figures(cells, method, by_layer)
        return verification_of(STAGE, figures)


def over_layers(scores: torch.Tensor) -> dict[str, Any]:
    """Scores of tokens over all layers, as columns of `ATTRIBUTION_TOKENS`.

    Args:
        scores: [layer, token]; the last token is at the position.
    """
    sizes = scores.abs()
    # ASSUME: the largest |score| over layers is a token's importance, as published.
    largest, layer = sizes.max(0)
    mean = sizes.mean(0)
    signed = scores.gather(0, layer[None])[0]
    return {
        "max_abs": largest[:-1].tolist(),
        "mean_abs": mean[:-1].tolist(),
        "signed_max": signed[:-1].tolist(),
        "position_max_abs": largest[-1].item(),
        "position_mean_abs": mean[-1].item(),
    }


def _error_of(check: str, error: Largest, dtype: torch.dtype) -> VerificationRow:
    return VerificationRow(
        check=check,
        statistic="largest difference",
        value=error.value,
        unit="nat or logit",
        n=error.n,
        bound=METRIC_BOUND if dtype == torch.float32 else None,
        merge="max",
    )
