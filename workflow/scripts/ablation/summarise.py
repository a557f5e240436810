"""The effect of each ablation, ranked among its random sets, and what it decodes.

Inputs
    boundaries, versions, sets, decoded: `ABLATION`, `ABLATION_VERSIONS`,
        `ABLATION_SETS`, `ABLATION_DECODED`.

Outputs
    effects: `ABLATION_EFFECTS`.
    rates: `ABLATION_RATES`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ablation.rates import decoded_rates
from ablation.tables import (
    ABLATION,
    ABLATION_DECODED,
    ABLATION_EFFECTS,
    ABLATION_RATES,
    ABLATION_SETS,
    ABLATION_VERSIONS,
)
from ablation.targets import NAMED, NONE, NULLS, null_name
from doubletake.running.logs import job
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings, cluster_means
from doubletake.stats.random_ranks import rank_p

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_ablation")

# ASSUME: equal sets differ by less than this in float32; smaller effects do not count.
ROUNDING = 1e-6
OUTSIDE = 0.025
"""Share of the random sets below, and above, the band that is shown."""


def effects_of(
    boundaries: pl.DataFrame,
    versions: pl.DataFrame,
    sets: pl.DataFrame,
    intervals: IntervalSettings,
) -> pl.DataFrame:
    """`ABLATION_EFFECTS`: one row per measured ablation.

    Args:
        boundaries: `ABLATION`.
        versions: `ABLATION_VERSIONS`.
        sets: `ABLATION_SETS`.
        intervals: over problems.
    """
    measured = versions.filter(pl.col("why_not").is_null())
    rows = []
    for version in measured.to_dicts():
        own = boundaries.filter(ablation=version["ablation"], null=NAMED)
        if own.is_empty():
            continue
        row = dict.fromkeys(ABLATION_EFFECTS.schema) | {
            name: version[name]
            for name in ("ablation", "target", "mode", "size", "claimed")
        }
        row |= _against_plain(boundaries, own, intervals)
        name, p_values = null_name(version["target"], version["ablation"]), []
        for null in NULLS:
            found = _against_null(boundaries, own, sets, name, null, intervals)
            row |= found
            if found:
                as_low, draws = found[f"{null}_as_low"], found[f"{null}_draws"]
                p_values.append(rank_p(as_low, draws))
        row["p"] = max(p_values) if p_values else None
        row["written_ratio"] = _written_ratio(sets, version["ablation"])
        rows.append(row)
    claimed = [row for row in rows if row["claimed"] and row["p"] is not None]
    corrected = holm(np.array([row["p"] for row in claimed], dtype=float))
    for row, p in zip(claimed, corrected, strict=True):
        row["p_holm"] = float(p)
    return ABLATION_EFFECTS.frame(rows)


def _against_plain(
    boundaries: pl.DataFrame, own: pl.DataFrame, intervals: IntervalSettings
) -> dict[str, Any]:
    """Probability with the ablation and without, and the paired change."""
    both = _paired(own, boundaries.filter(ablation=NONE))
    problems = own["problem"].to_numpy()
    means = cluster_means(np.stack(both, 1), problems, intervals)
    return {
        "boundaries": own.height,
        "problems": own["problem"].n_unique(),
        **means[0].columns("plain"),
        **means[1].columns("ablated"),
        **means[2].columns("change"),
    }


def _against_null(
    boundaries: pl.DataFrame,
    own: pl.DataFrame,
    sets: pl.DataFrame,
    name: str,
    null: str,
    intervals: IntervalSettings,
) -> dict[str, Any]:
    """Columns of one null; empty without random sets."""
    random_means = sets.filter(ablation=name, null=null)["turn_probability"].to_numpy()
    if not len(random_means):
        return {}
    random, _, over = _paired(own, boundaries.filter(ablation=name, null=null))
    problems = own["problem"].to_numpy()
    means = cluster_means(np.stack([random, over], 1), problems, intervals)
    ablated = float(own["turn_probability"].to_numpy().mean())
    least, most = np.quantile(random_means, [OUTSIDE, 1 - OUTSIDE])
    return {
        f"{null}_draws": len(random_means),
        **means[0].columns(f"{null}_mean"),
        f"{null}_least": float(least),
        f"{null}_most": float(most),
        f"{null}_as_low": int((random_means <= ablated + ROUNDING).sum()),
        **means[1].columns(f"over_{null}"),
    }


def _paired(
    own: pl.DataFrame, other: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of the other, of the ablation, and their difference, by place."""
    joined = own.join(
        other.select("trace", "event", pl.col("turn_probability").alias("other")),
        on=["trace", "event"],
        how="left",
        maintain_order="left",
    )
    values, others = (
        joined[column].to_numpy() for column in ("turn_probability", "other")
    )
    return others, values, values - others


def _written_ratio(sets: pl.DataFrame, ablation: str) -> float | None:
    """What the set writes over the mean of its random sets; None for directions."""
    part = sets.filter(ablation=ablation)
    own = part.filter(draw=0)["written"].drop_nulls()
    others = part.filter(pl.col("draw") > 0)["written"].drop_nulls().to_numpy()
    if own.is_empty() or not len(others) or not others.mean():
        return None
    return float(own[0] / others.mean())


def main(
    *,
    boundaries_path: Path,
    versions_path: Path,
    sets_path: Path,
    decoded_path: Path,
    effects_path: Path,
    rates_path: Path,
    intervals: IntervalSettings,
) -> None:
    """Read the tables, summarise, write."""
    effects = effects_of(
        ABLATION.read(boundaries_path),
        ABLATION_VERSIONS.read(versions_path),
        ABLATION_SETS.read(sets_path),
        intervals,
    )
    rates = decoded_rates(ABLATION_DECODED.read(decoded_path), intervals)
    logger.info("%d ablations, %d rates", effects.height, rates.height)
    ABLATION_EFFECTS.write(effects, effects_path)
    ABLATION_RATES.write(rates, rates_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            boundaries_path=Path(snakemake.input.boundaries),
            versions_path=Path(snakemake.input.versions),
            sets_path=Path(snakemake.input.sets),
            decoded_path=Path(snakemake.input.decoded),
            effects_path=Path(snakemake.output.effects),
            rates_path=Path(snakemake.output.rates),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
