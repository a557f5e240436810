"""Cosines of value vectors with the probe's direction, beside directions of no meaning.

With hundreds of vectors, some are close to any direction. The null is the same
computation with directions of shuffled labels (swapped within pairs): the largest
cosines, and the share of the direction that the units of largest cosine hold together.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch

from doubletake.model.value_vectors import SIDE_SIGNS
from doubletake.stats.holm import holm
from value_vectors.set_tests import rank_p
from value_vectors.tables import LEVEL, VALUE_VECTOR_ALIGNMENT

DIRECTIONS_AT_ONCE = 64  # null directions whose closest vectors are in memory


@dataclass(frozen=True)
class Alignment:
    """One side of a layer; cosines are times the side's sign."""

    top: torch.Tensor
    """[rank], cosines of the listed units with the probe's direction."""
    null_top: torch.Tensor
    """[null direction, rank], the same for directions of shuffled labels."""
    checked: int
    """Number of units of largest cosine whose common share is computed."""
    share: float
    """Share of the probe's direction that they hold."""
    null_shares: torch.Tensor
    """[null direction], the same."""

    def middle(self, rank: int) -> float:
        """Median of the null of this rank, from 0."""
        return self.null_top[:, rank].quantile(0.5).item()

    def limit(self, rank: int) -> float:
        """The cosine below which 1 - `LEVEL` of the null of this rank lie."""
        return self.null_top[:, rank].quantile(1 - LEVEL).item()


@torch.inference_mode()
def alignments(
    vectors: torch.Tensor, directions: np.ndarray, *, listed: int, checked: int
) -> dict[str, Alignment]:
    """The alignment of the units of a layer by side.

    Args:
        vectors: [unit, d_model], value vectors.
        directions: [direction, d_model], unit norm; the first is the probe's, the
            others belong to shuffled labels.
        listed: number of largest cosines that are kept.
        checked: number of units of largest cosine whose common share is computed.
    """
    units = torch.from_numpy(directions).to(vectors)
    lengths = vectors.norm(dim=-1, keepdim=True).clamp_min(1e-30)
    cosines = units @ (vectors / lengths).T
    found = {}
    for side, sign in SIDE_SIGNS.items():
        count = min(max(listed, checked), len(vectors))
        top = (sign * cosines).topk(count, dim=-1)
        closest = zip(
            top.indices[:, :checked].split(DIRECTIONS_AT_ONCE),
            units.split(DIRECTIONS_AT_ONCE),
            strict=True,
        )
        parts = [held_shares(vectors[chosen], part) for chosen, part in closest]
        shares, values = torch.cat(parts).cpu(), top.values[:, :listed].cpu()
        found[side] = Alignment(
            values[0], values[1:], min(checked, count), shares[0].item(), shares[1:]
        )
    return found


def held_shares(vectors: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Share of each direction's squared norm in the span of its vectors: [direction].

    It is the R² of the best sum of the vectors: 1 if they can make the direction.

    Args:
        vectors: [direction, vector, d_model].
        directions: [direction, d_model], unit norm.
    """
    spans = torch.linalg.qr(vectors.mT).Q
    return (spans.mT @ directions[..., None]).square().sum((-2, -1))


def alignment_row(layer: int, side: str, found: Alignment) -> dict[str, Any]:
    """Row of the table `value_vectors/alignment`, without the corrected p-value."""
    sign, null = SIDE_SIGNS[side], found.null_top[:, 0]
    as_large = int((null >= found.top[0]).sum())
    return {
        "layer": layer,
        "side": side,
        "cosine": sign * found.top[0].item(),
        "cosine_null": sign * found.middle(0),
        "cosine_limit": sign * found.limit(0),
        "vectors": found.checked,
        "share": found.share,
        "share_null": found.null_shares.quantile(0.5).item(),
        "share_limit": found.null_shares.quantile(1 - LEVEL).item(),
        "directions": len(null),
        "as_large": as_large,
        "p": rank_p(as_large, len(null)),
    }


def alignment_table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The table `value_vectors/alignment`, with p-values corrected for all rows."""
    corrected = holm(np.array([row["p"] for row in rows], dtype=float))
    return VALUE_VECTOR_ALIGNMENT.frame(
        [row | {"p_holm": float(p)} for row, p in zip(rows, corrected, strict=True)]
    )
