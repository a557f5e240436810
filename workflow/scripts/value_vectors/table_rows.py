"""Makes the rows of two tables: listed value vectors, and all units."""

from typing import Any

import polars as pl
import torch

from doubletake.model.lens import Lens
from doubletake.stats.intervals import IntervalSettings, cluster_means
from doubletake.text.tokenizer import TraceTokenizer
from turns.reading import KINDS
from value_vectors.alignment import Alignment
from value_vectors.mlp_units import SIDE_SIGNS, LayerUnits, token_logits
from value_vectors.tables import VALUE_VECTOR_UNITS


def vector_rows(
    layer: LayerUnits,
    vectors: torch.Tensor,
    found: dict[str, Alignment],
    turns: pl.DataFrame,
    lens: Lens,
    tokenizer: TraceTokenizer,
    *,
    count: int,
    tokens: int,
    intervals: IntervalSettings,
) -> list[dict[str, Any]]:
    """Rows of the table `value_vectors` of one layer.

    Args:
        layer: its units.
        vectors: [unit, d_model], their value vectors.
        found: cosines of directions of shuffled labels by side.
        turns: the turns at which the units' activations were taken.
        lens: of the model.
        tokenizer: of the model.
        count: vectors of each side.
        tokens: tokens that each vector writes most for, and most against.
        intervals: which intervals to give.
    """
    rows = []
    for side, sign in SIDE_SIGNS.items():
        units = layer.extreme[side][:count]
        logits = token_logits(lens, vectors[units])
        means = mean_activations(layer.activations[:, units], turns, intervals)
        for index, unit in enumerate(units):
            ids_for = logits[index].topk(tokens).indices.tolist()
            ids_against = logits[index].topk(tokens, largest=False).indices.tolist()
            row = {
                "layer": layer.layer,
                "side": side,
                "rank": index + 1,
                "vector": unit,
                "cosine": float(layer.cosine[unit]),
                "cosine_null": sign * found[side].middle(index),
                "cosine_limit": sign * found[side].limit(index),
                "norm": float(layer.norms[unit]),
                "tokens_for": [tokenizer.text_of(token) for token in ids_for],
                "token_ids_for": ids_for,
                "tokens_against": [tokenizer.text_of(token) for token in ids_against],
                "token_ids_against": ids_against,
            }
            rows.append(row | means[index])
    return rows


def mean_activations(
    activations: torch.Tensor, turns: pl.DataFrame, intervals: IntervalSettings
) -> list[dict[str, float | None]]:
    """Mean and interval of each unit by kind of turn; null where there is no turn.

    Args:
        activations: [turn, unit].
        turns: columns kind and problem.
        intervals: which intervals to give.
    """
    rows: list[dict[str, float | None]] = [{} for _ in range(activations.shape[1])]
    for kind in KINDS:
        at = (turns["kind"] == kind).to_numpy()
        names = (f"at_{kind}", f"at_{kind}_low", f"at_{kind}_high")
        if not at.any():
            rows = [row | dict.fromkeys(names) for row in rows]
            continue
        values = activations.numpy()[at].astype(float)
        problems = turns["problem"].to_numpy()[at]
        means = cluster_means(values, problems, intervals)
        for row, mean in zip(rows, means, strict=True):
            row.update(zip(names, (mean.value, mean.low, mean.high), strict=True))
    return rows


def unit_rows(layer: LayerUnits, turns: pl.DataFrame) -> pl.DataFrame:
    """The table `value_vectors/units` of one layer."""
    count = len(layer.norms)
    columns = {
        "layer": pl.repeat(layer.layer, count, dtype=pl.Int32, eager=True),
        "vector": pl.int_range(count, dtype=pl.Int32, eager=True),
        "cosine": layer.cosine.double().numpy(),
        "norm": layer.norms.double().numpy(),
    }
    for kind in KINDS:
        at = torch.from_numpy((turns["kind"] == kind).to_numpy())
        if at.any():
            means = layer.activations[at].double().mean(0).numpy()
            columns[f"at_{kind}"] = pl.Series(means, dtype=pl.Float64)
        else:
            nulls = pl.repeat(None, count, dtype=pl.Float64, eager=True)
            columns[f"at_{kind}"] = nulls
    return VALUE_VECTOR_UNITS.check(
        pl.DataFrame(columns).select(list(VALUE_VECTOR_UNITS.schema))
    )
