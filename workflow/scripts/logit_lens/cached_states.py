"""Cached states of positions, and their readings along directions of logits."""

import logging
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import torch

from activations.reading import ActivationCache
from doubletake.model.batch_memory import FLOAT32, GIB, unembedding_bytes
from doubletake.model.lens import Lens

logger = logging.getLogger("measure_logit_lens")

RESID, EMBED, ATTN_OUT, MLP_OUT = "resid", "embed", "attn_out", "mlp_out"


@dataclass(frozen=True)
class CachedStates:
    """Cached states of some positions, on the device of the lens, float32."""

    resid: torch.Tensor
    """[position, n_layers + 1, d_model]."""
    attn_out: torch.Tensor
    """[position, n_layers, d_model]."""
    mlp_out: torch.Tensor
    """[position, n_layers, d_model]."""

    def read(self, lens: Lens, directions: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits before a cap along directions, by component.

        Of `resid`: the logits at every boundary, with the norm's statistics computed
        there. Of the parts: their shares in the final logit.

        Args:
            lens: final norm and unembedding.
            directions: [position, direction, d_model], of `logit_directions`.

        Returns:
            [position, layer, direction] of every component.
        """
        # ASSUME: a part's share is read with the final norm's scale held fixed.
        scale = lens.scale(self.resid[:, -1])
        return {
            # ASSUME: final norm and unembedding can read the stream at any boundary.
            RESID: lens.normed(self.resid) @ directions.mT,
            EMBED: lens.shares(self.resid[:, :1], scale, directions),
            ATTN_OUT: lens.shares(self.attn_out, scale, directions),
            MLP_OUT: lens.shares(self.mlp_out, scale, directions),
        }


def states_bytes(
    lens: Lens, n_layers: int, d_model: int, positions: int, directions: int
) -> float:
    """Peak memory of reading the states of positions, in bytes, without the lens.

    Args:
        lens: final norm and unembedding.
        n_layers: of the cache.
        d_model: of the cache.
        positions: number of positions.
        directions: number of random groups along which each position is read.
    """
    vocabulary, size = len(lens.W_U), lens.W_U.element_size()
    boundaries, states = n_layers + 1, 3 * n_layers + 1
    along = directions * (2 * d_model + states)
    normed = 2 * boundaries * d_model + 4 * d_model
    logits = unembedding_bytes(positions * boundaries, vocabulary, size)
    kept = positions * states * d_model * FLOAT32
    return kept + max(positions * FLOAT32 * max(along, normed), logits)


def batches_of_states(
    cache: ActivationCache,
    turns: pl.DataFrame,
    directions: int,
    gib: float,
    lens: Lens,
) -> Iterator[tuple[pl.DataFrame, CachedStates]]:
    """Positions and their states, as many at a time as the memory budget allows.

    Args:
        cache: holds the states.
        turns: the positions.
        directions: number of directions along which each position is read.
        gib: the budget.
        lens: the states are put on its device.
    """

    def need(positions: int) -> float:
        shape = (cache.n_layers, cache.d_model)
        return states_bytes(lens, *shape, positions, directions)

    counts = range(1, turns.height + 1)
    at_once = bisect_right(counts, gib * GIB, key=need)
    if counts and not at_once:
        logger.warning(
            "more than batch_memory: a position alone needs about %.2g GiB in addition "
            "to the lens (batch_memory: %g GiB)",
            need(1) / GIB,
            gib,
        )
    for part in turns.iter_slices(max(1, at_once)):
        tensors = [
            cache.read(name, part).to(lens.W_U.device).float()
            for name in (RESID, ATTN_OUT, MLP_OUT)
        ]
        yield part, CachedStates(*tensors)
