"""Rows of the tables of value vectors and of units."""

from typing import Any

import polars as pl
import torch

from doubletake.model.lens import Lens
from doubletake.stats.intervals import Resampling, cluster_means
from doubletake.text.tokenizer import TraceTokenizer
from turns.reading import KINDS
from value_vectors.tables import (
    VALUE_VECTOR_UNITS,
)
from value_vectors.vectors import (
    ENDS,
    LayerUnits,
    token_logits,
)


def vector_rows(
    units: LayerUnits,
    vectors: torch.Tensor,
    turns: pl.DataFrame,
    lens: Lens,
    tokenizer: TraceTokenizer,
    *,
    count: int,
    tokens: int,
    resampling: Resampling,
) -> list[dict[str, Any]]:
    """`schemas.VALUE_VECTORS` of one layer.

    Args:
        units: of the layer.
        vectors: [unit, d_model], what they write.
        turns: of the rows of their activations.
        lens: of the model.
        tokenizer: of the model.
        count: vectors of either end.
        tokens: of either end, of each vector.
        resampling: how intervals are drawn.
    """
    rows = []
    for end in ENDS:
        top = units.top[end][:count]
        logits = token_logits(lens, vectors[top])
        means = mean_activations(units.acts[:, top], turns, resampling)
        for place, unit in enumerate(top):
            most = logits[place].topk(tokens).indices.tolist()
            least = logits[place].topk(tokens, largest=False).indices.tolist()
            row = {
                "layer": units.layer,
                "end": end,
                "rank": place + 1,
                "vector": unit,
                "cosine": float(units.cosine[unit]),
                "norm": float(units.norms[unit]),
                "tokens_for": [tokenizer.text_of(token) for token in most],
                "ids_for": most,
                "tokens_against": [tokenizer.text_of(token) for token in least],
                "ids_against": least,
            }
            rows.append(row | means[place])
    return rows


def mean_activations(
    acts: torch.Tensor, turns: pl.DataFrame, resampling: Resampling
) -> list[dict[str, float | None]]:
    """Mean and interval of each unit by kind of turn; null where there is no turn.

    Args:
        acts: [turn, unit].
        turns: columns kind and problem.
        resampling: how the intervals are drawn.
    """
    found: list[dict[str, float | None]] = [{} for _ in range(acts.shape[1])]
    for kind in KINDS:
        at = (turns["kind"] == kind).to_numpy()
        names = (f"at_{kind}", f"at_{kind}_low", f"at_{kind}_high")
        if not at.any():
            found = [row | dict.fromkeys(names) for row in found]
            continue
        values = acts.numpy()[at].astype(float)
        problems = turns["problem"].to_numpy()[at]
        for row, mean in zip(
            found, cluster_means(values, problems, resampling), strict=True
        ):
            ends = (mean.value, mean.low, mean.high)
            row.update(zip(names, ends, strict=True))
    return found


def unit_rows(units: LayerUnits, turns: pl.DataFrame) -> pl.DataFrame:
    """`schemas.VALUE_VECTOR_UNITS` of one layer."""
    columns = {
        "layer": pl.repeat(units.layer, len(units.norms), dtype=pl.Int32, eager=True),
        "vector": pl.int_range(len(units.norms), dtype=pl.Int32, eager=True),
        "cosine": units.cosine.double().numpy(),
        "norm": units.norms.double().numpy(),
    }
    for kind in KINDS:
        at = torch.from_numpy((turns["kind"] == kind).to_numpy())
        means = units.acts[at].double().mean(0).numpy() if at.any() else None
        columns[f"at_{kind}"] = pl.Series(means, dtype=pl.Float64)
        if means is None:
            columns[f"at_{kind}"] = pl.repeat(
                None, len(units.norms), dtype=pl.Float64, eager=True
            )
    return VALUE_VECTOR_UNITS.check(
        pl.DataFrame(columns).select(list(VALUE_VECTOR_UNITS.schema))
    )
