"""What is measured at one backtrack, and the rows of the tables that follow."""

from dataclasses import dataclass, field
from typing import Any

import torch

from doubletake.model.decoder import Decoder
from doubletake.model.patching import Patch, exact_changes, slopes
from doubletake.model.turn_metric import Metric
from doubletake.stats.draws import Name, ranked_by_digest
from exact_attribution.contexts import Context
from exact_attribution.settings import Settings, boundaries_of
from exact_attribution.tables import EXACT


@dataclass(frozen=True)
class Measured:
    """Exact changes at one backtrack."""

    context: Context
    clean: float
    """The metric of the clean run."""
    changes: dict[Patch, float]
    integrated: dict[Patch, float]
    """Of sampled words moved the whole way: gradients averaged along the path."""
    whole: tuple[float, int] | None
    """Change with the whole context replaced, of largest size, and its layer."""

    @property
    def tokens(self) -> int:
        """Tokens that entered the model, or a part of its layers."""
        length = len(self.context.decision.ids)
        return length + sum(length - patch.token for patch in self.changes)


@dataclass(frozen=True)
class Meter:
    """Replaces the words of backtracks exactly."""

    decoder: Decoder
    metric: Metric
    means: torch.Tensor
    """[layer, d_model], the neutral states of the residual stream."""
    settings: Settings
    layers: list[int] = field(init=False)
    """The boundaries at which words are replaced."""

    def __post_init__(self) -> None:
        """Find the boundaries of this model."""
        layers = boundaries_of(self.settings.depths, self.decoder.n_layers)
        object.__setattr__(self, "layers", layers)

    def sampled_words(self, context: Context, place: int) -> list[tuple[int, ...]]:
        """Tokens of the words that also move by smaller steps: a seeded sample."""
        if place > self.settings.sampled_backtracks:
            return []
        words: dict[Name, tuple[int, ...]] = {
            word.tokens: word.tokens for word in context.words
        }
        trace, event = context.key
        seed = f"{self.settings.seed}/steps/{trace}/{event}"
        order = ranked_by_digest(words, seed)
        return [words[name] for name in order[: self.settings.sampled_words]]

    def measure(self, context: Context, place: int) -> Measured:
        """All exact changes at one backtrack.

        Args:
            context: of the backtrack.
            place: its place in the seeded order, from 1: the boundaries of the smaller
                steps follow one another.
        """
        layer = self.layers[(place - 1) % len(self.layers)]
        sampled = self.sampled_words(context, place)
        patches = [Patch(at, w.tokens) for w in context.words for at in self.layers]
        patches += [
            Patch(layer, tokens, step)
            for tokens in sampled
            for step in self.settings.steps
        ]
        whole = [Patch(at, context.whole) for at in self.layers if context.whole]
        wanted = list(dict.fromkeys([*patches, *whole]))
        shared = (self.decoder, self.metric, {"resid": self.means}, context.decision)
        memory = self.settings.batch_memory
        values, clean = exact_changes(*shared, wanted, memory)
        changes = dict(zip(wanted, values, strict=True))
        points = self.settings.path_points
        path = [
            Patch(layer, tokens, (point + 0.5) / points)
            for tokens in sampled
            for point in range(points)
        ]
        speeds = slopes(*shared, path, memory) if path else []
        sums = {Patch(layer, tokens): 0.0 for tokens in sampled}
        for patch, slope in zip(path, speeds, strict=True):
            sums[Patch(layer, patch.tokens)] += slope / points
        largest = max(whole, key=lambda patch: abs(changes[patch]), default=None)
        return Measured(
            context,
            clean,
            {patch: changes[patch] for patch in patches},
            sums if points else {},
            None if largest is None else (changes[largest], largest.layer),
        )


def estimate_of(context: Context, patch: Patch) -> float:
    """The sum of the tokens' scores: the first-order change of the whole patch."""
    return float(context.scores[patch.layer, list(patch.tokens)].sum())


def word_rows(measured: Measured) -> list[dict[str, Any]]:
    """Rows of `EXACT_WORDS`, the strongest word first."""
    context = measured.context
    rows = []
    for word in context.words:
        patches = [
            patch
            for patch in measured.changes
            if patch.tokens == word.tokens and patch.step == 1
        ]
        exact = max(patches, key=lambda patch: abs(measured.changes[patch]))
        estimates = [estimate_of(context, patch) for patch in patches]
        # ASSUME: as published, a word is as important as its best token.
        published = max(context.row["max_abs"][token] for token in word.tokens)
        rows.append(
            context.columns
            | {
                "position": context.row["position"],
                "word": word.name,
                "token": word.tokens[0],
                "source": word.source,
                "is_cause": word.is_cause,
                "is_ranked": word.is_ranked,
                "estimate": max(estimates, key=abs),
                "exact": measured.changes[exact],
                "layer": exact.layer,
                "same_cell": estimate_of(context, exact),
                "published": published,
            }
        )
    for name in ("estimate", "published", EXACT):
        rows.sort(key=lambda row: (-abs(row[name]), row["token"], row["word"]))
        for rank, row in enumerate(rows, start=1):
            row[f"{name}_rank"] = rank
    return rows


def cell_rows(measured: Measured) -> list[dict[str, Any]]:
    """Rows of `EXACT_CELLS`."""
    context = measured.context
    return [
        context.columns
        | {
            "word": word.name,
            "token": word.tokens[0],
            "layer": patch.layer,
            "step": patch.step,
            "exact": change / patch.step,
            "estimate": estimate_of(context, patch),
            "integrated": measured.integrated.get(patch),
        }
        for word in context.words
        for patch, change in measured.changes.items()
        if patch.tokens == word.tokens
    ]


def event_row(
    context: Context, place: int, budget: str, measured: Measured | None
) -> dict[str, Any]:
    """Row of `EXACT_EVENTS`; `measured` is None if the time was over."""
    row: dict[str, Any] = context.columns | {
        "position": context.row["position"],
        "place": place,
        "budget": budget,
        "context_words": context.context_words,
        "all_words": context.all_words,
    }
    values = ("words", "metric_value", "whole", "whole_layer")
    row |= dict.fromkeys(values)
    if measured is not None:
        row |= {"words": len(context.words), "metric_value": measured.clean}
        if measured.whole is not None:
            row["whole"], row["whole_layer"] = measured.whole
    return row
