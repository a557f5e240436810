"""Cached states of positions, and their readings along directions of logits."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import torch

from activations.reading import ActivationCache
from doubletake.model.batch_memory import GIB
from doubletake.model.lens import Lens

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


def batches_of_states(
    cache: ActivationCache,
    turns: pl.DataFrame,
    directions: int,
    gib: float,
    device: torch.device,
) -> Iterator[tuple[pl.DataFrame, CachedStates]]:
    """Positions and their states, as many at a time as the memory budget allows.

    Args:
        cache: holds the states.
        turns: the positions.
        directions: number of directions along which each position is read.
        gib: the budget.
        device: where the states are put.
    """
    states = 3 * cache.n_layers + 1
    # Floats of one position: its states as read from the cache and their float32 copy,
    # the directions, what is read along them.
    size = 2 * states * cache.d_model + directions * (2 * cache.d_model + states)
    for part in turns.iter_slices(max(1, int(gib * GIB / (4 * size)))):
        tensors = [
            cache.read(name, part).to(device).float()
            for name in (RESID, ATTN_OUT, MLP_OUT)
        ]
        yield part, CachedStates(*tensors)
