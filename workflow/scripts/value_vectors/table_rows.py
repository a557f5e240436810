"""Makes the rows of two tables: listed value vectors, and all units."""

from typing import Any

import numpy as np
import polars as pl
import torch

from doubletake.model.lens import Lens
from doubletake.model.value_vectors import SIDE_SIGNS
from doubletake.stats.intervals import IntervalSettings, cluster_means
from doubletake.text.tokenizer import TraceTokenizer
from value_vectors.alignment import Alignment
from value_vectors.mlp_units import LayerUnits, token_logits
from value_vectors.tables import VALUE_VECTOR_UNITS


def vector_rows(
    layer: LayerUnits,
    vectors: torch.Tensor,
    found: dict[str, Alignment],
    cases: pl.DataFrame,
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
        cases: members of the pairs at which the units' activations were taken.
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
        means = paired_activations(layer.at_cases[:, units], cases, intervals)
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


def paired_activations(
    activations: torch.Tensor, cases: pl.DataFrame, intervals: IntervalSettings
) -> list[dict[str, Any]]:
    """Means of each unit at both classes and within pairs, with intervals.

    Args:
        activations: [case, unit].
        cases: members of the pairs of the contrast, in this order.
        intervals: which intervals to give.

    Returns:
        Columns of the table `value_vectors`, one row per unit.
    """
    first, second = member_rows(cases)
    values, problems = activations.double().numpy(), cases["problem"].to_numpy()
    columns = {
        "at_first": (values[first], problems[first]),
        "at_second": (values[second], problems[second]),
        # ASSUME: a pair belongs to the problem of its first member.
        "difference": (values[first] - values[second], problems[first]),
    }
    rows: list[dict[str, Any]] = [{} for _ in range(values.shape[1])]
    for name, (of_class, clusters) in columns.items():
        for row, mean in zip(
            rows, cluster_means(of_class, clusters, intervals), strict=True
        ):
            row |= {
                name: mean.value,
                f"{name}_low": mean.low,
                f"{name}_high": mean.high,
            }
    counts = {"pairs": len(first), "problems": len(np.unique(problems[first]))}
    return [row | counts for row in rows]


def member_rows(cases: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the first and of the second members, both by pair: [pair] each."""
    numbered = cases.with_row_index("row").sort("pair")
    first, second = (
        numbered.filter(label=flag)["row"].cast(pl.Int64).to_numpy()
        for flag in (True, False)
    )
    return first, second


def unit_rows(layer: LayerUnits, cases: pl.DataFrame) -> pl.DataFrame:
    """The table `value_vectors/units` of one layer."""
    count = len(layer.norms)
    values = layer.at_cases.double().numpy()
    first, second = (values[rows].mean(0) for rows in member_rows(cases))
    columns = {
        "layer": pl.repeat(layer.layer, count, dtype=pl.Int32, eager=True),
        "vector": pl.int_range(count, dtype=pl.Int32, eager=True),
        "cosine": layer.cosine.double().numpy(),
        "norm": layer.norms.double().numpy(),
        "at_first": first,
        "at_second": second,
        "difference": first - second,
    }
    return VALUE_VECTOR_UNITS.check(pl.DataFrame(columns))
