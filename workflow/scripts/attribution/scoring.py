"""Decisions scored batch by batch, and some of their cells patched exactly."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import torch

from attribution.agreement import figures_of
from attribution.cell_samples import Costs, Sample
from attribution.gradients import (
    Decision,
    Estimate,
    Metric,
    attribute,
    attribute_along_path,
)
from attribution.patching import patched, patched_plainly
from attribution.tables import (
    ATTRIBUTION_CELLS,
)
from doubletake.model.batch_memory import backward_tokens, forward_tokens
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.running.logs import Progress
from doubletake.stats.verification import Largest, Verification
from doubletake.tables.verification import VerificationRow, verification_of

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


def _error_of(check: str, error: Largest, dtype: torch.dtype) -> VerificationRow:
    return VerificationRow(
        check=check,
        statistic="largest difference",
        value=error.value,
        unit="nat or logit",
        n=error.n,
        bound=VALUE_BOUND if dtype == torch.float32 else None,
        merge="max",
    )
