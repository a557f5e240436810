"""Random groups of tokens: what the parts add to words that nobody chose.

A group that is weighted by the model's own probabilities lies above the mean of the
vocabulary, whatever its tokens are: the weights favour its largest logits. Random
groups with as many tokens, weighted alike, show how much this alone gives.
"""

import polars as pl
import torch

from doubletake.model.lens import Lens
from doubletake.model.logit_directions import logit_directions
from doubletake.stats.draws import array_generator
from logit_lens.cached_states import CachedStates
from logit_lens.tables import LOGIT_LENS_RANDOM


class RandomGroups:
    """Draws the groups, and collects their mean logits over positions."""

    def __init__(self, words: torch.Tensor, vocabulary: int, count: int, seed: int):
        """Draw the groups.

        Args:
            words: token ids that are not drawn; each group has as many tokens.
            vocabulary: number of tokens of the model.
            count: number of groups.
            seed: of the draws.
        """
        free = torch.ones(vocabulary, dtype=torch.bool)
        free[words] = False
        ids = free.nonzero()[:, 0].numpy()
        size = min(len(words), len(ids))
        # ASSUME: all tokens of the model's vocabulary are drawn alike.
        self.groups = [
            torch.from_numpy(
                array_generator(seed, draw).choice(ids, size, replace=False)
            )
            for draw in range(count)
        ]
        self.sums: dict[tuple[str, str], torch.Tensor] = {}
        self.positions: dict[str, int] = {}

    @torch.inference_mode()
    def add(self, lens: Lens, kinds: pl.Series, states: CachedStates) -> None:
        """Add some positions.

        Args:
            lens: final norm and unembedding.
            kinds: kind of every position.
            states: of these positions.
        """
        directions = logit_directions(lens, states.resid[:, -1], self.groups)[:, :-1]
        readings = states.read(lens, directions)
        for kind in kinds.unique():
            is_kind = (kinds == kind).to_torch()
            self.positions[kind] = self.positions.get(kind, 0) + int(is_kind.sum())
            for component, values in readings.items():
                total = values[is_kind.to(values.device)].double().sum(0).cpu()
                before = self.sums.get((kind, component), 0)
                self.sums[kind, component] = before + total

    def table(self) -> pl.DataFrame:
        """`logit_lens.tables.LOGIT_LENS_RANDOM`."""
        rows = [
            {"kind": kind, "component": component, "layer": layer, "draw": draw}
            | {"mean": value}
            for (kind, component), sums in sorted(self.sums.items())
            for layer, values in enumerate((sums / self.positions[kind]).tolist())
            for draw, value in enumerate(values)
        ]
        return LOGIT_LENS_RANDOM.frame(rows)
