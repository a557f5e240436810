"""Does zeroing the vectors change the model's turning back, beside random vectors?

Inputs
    sets: the sets of vectors, listed and random.
    interventions: one row per position and set.

Outputs
    effects: one row per listed set: its mean effect, its rank among random sets, and
        its sign.
    set_effects: mean effects of all sets.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from doubletake.stats.draws import array_generator
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings, cluster_means
from doubletake.stats.random_ranks import rank_p
from value_vectors.set_tests import as_extreme, sign_p
from value_vectors.tables import (
    VALUE_VECTOR_EFFECTS,
    VALUE_VECTOR_INTERVENTIONS,
    VALUE_VECTOR_SET_EFFECTS,
    VALUE_VECTOR_SETS,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_value_vectors")

MIDDLE = (0.025, 0.975)
"""Quantiles of the random sets that are reported."""


def mean_effects(interventions: pl.DataFrame) -> pl.DataFrame:
    """The table `value_vectors/set_effects`: means over positions."""
    keys = ["layer", "side", "draw"]
    # Lists are summed in the order of the rows, so that equal rows give equal bits.
    lists = interventions.group_by(keys, maintain_order=True).agg("log_odds_change")
    means = lists.with_columns(pl.col("log_odds_change").list.mean())
    return VALUE_VECTOR_SET_EFFECTS.check(means.sort(keys))


def expected_change(contrast: str, along: float) -> str | None:
    """Whether zeroing a set should make backtracking less or more likely.

    The direction points to the contrast's first class. Zeroing removes what the set
    writes along it. The side of the cosines does not tell this, because activations can
    be negative.

    Args:
        contrast: its name.
        along: what the set writes along the direction at the checked backtracks.

    Returns:
        None where the first class is not the backtrack, or where the set writes nothing
        along the direction.
    """
    kinds = CONTRAST_BY_NAME[contrast].turn_kinds
    if kinds is None or kinds[0] != "backtrack" or along == 0:
        return None
    return "less" if along > 0 else "more"


def effect_row(
    listed: pl.DataFrame, null: np.ndarray, seed: int, intervals: IntervalSettings
) -> dict[str, Any]:
    """What zeroing one listed set changes, without corrected p-values.

    Args:
        listed: interventions on this set, one row per position.
        null: [random set], mean changes.
        seed: of the flips of signs.
        intervals: how the interval is drawn.
    """
    changes, problems = listed["log_odds_change"].to_numpy(), listed["problem"]
    (mean,) = cluster_means(changes[:, None], problems.to_numpy(), intervals)
    low, high = np.quantile(null, MIDDLE)
    as_far = as_extreme(mean.value, null)
    log_odds = listed["log_odds"].to_numpy()
    spread = float(log_odds.std(ddof=1)) if len(log_odds) > 1 else None
    return {
        "positions": listed.height,
        "problems": problems.n_unique(),
        "log_odds_spread": spread,
        "log_odds_change": mean.value,
        "log_odds_change_low": mean.low,
        "log_odds_change_high": mean.high,
        "relative_change": mean.value / spread if spread else None,
        "random_middle": float(np.median(null)),
        "random_low": float(low),
        "random_high": float(high),
        "random_sets": len(null),
        "as_far": as_far,
        "p": rank_p(as_far, len(null)),
        "sign_p": sign_p(changes, problems.to_numpy(), array_generator(seed, 0)),
    }


def summarise(
    sets: pl.DataFrame,
    interventions: pl.DataFrame,
    contrast: str,
    seed: int,
    intervals: IntervalSettings,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tables `value_vectors/effects` and `value_vectors/set_effects`."""
    means = mean_effects(interventions)
    rows: list[dict[str, Any]] = []
    for listed in sets.filter(draw=0).sort("layer", "side").iter_rows(named=True):
        key = {name: listed[name] for name in ("layer", "side")}
        random_sets = sets.filter(pl.col("draw") > 0, **key)
        null = means.filter(pl.col("draw") > 0, **key)["log_odds_change"].to_numpy()
        at_positions = interventions.filter(draw=0, **key).sort("trace", "event")
        row = key | {
            "vectors": len(listed["vectors"]),
            "replaceable": listed["replaceable"],
            "written": listed["written"],
            "written_random": random_sets["written"].mean(),
            "along": listed["along"],
            "expected": expected_change(contrast, listed["along"]),
        }
        rows.append(row | effect_row(at_positions, null, seed, intervals))
    return VALUE_VECTOR_EFFECTS.frame(corrected(rows)), means


def corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with p-values corrected for their number, in the table's order."""
    for name in ("p", "sign_p"):
        values = holm(np.array([row[name] for row in rows], dtype=float))
        for row, value in zip(rows, values, strict=True):
            row[f"{name}_holm"] = float(value)
    return [{name: row[name] for name in VALUE_VECTOR_EFFECTS.schema} for row in rows]


def main(
    *,
    sets_path: Path,
    interventions_path: Path,
    effects_path: Path,
    set_effects_path: Path,
    contrast: str,
    seed: int,
    intervals: IntervalSettings,
) -> None:
    """Read the interventions, average and test them, write the effects."""
    sets = VALUE_VECTOR_SETS.read(sets_path)
    interventions = VALUE_VECTOR_INTERVENTIONS.read(interventions_path)
    effects, means = summarise(sets, interventions, contrast, seed, intervals)
    logger.info("%d interventions, %d sets", interventions.height, means.height)
    VALUE_VECTOR_SET_EFFECTS.write(means, set_effects_path)
    VALUE_VECTOR_EFFECTS.write(effects, effects_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            sets_path=Path(snakemake.input.sets),
            interventions_path=Path(snakemake.input.interventions),
            effects_path=Path(snakemake.output.effects),
            set_effects_path=Path(snakemake.output.set_effects),
            contrast=snakemake.params.contrast,
            seed=snakemake.params.seed,
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
