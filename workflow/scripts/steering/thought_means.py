"""Whole thoughts by strength, paired with the same thoughts without steering."""

from typing import Any

import numpy as np
import polars as pl

from doubletake.exit_rules.costs import accuracy_difference, ratio, share
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings, Mean, cluster_means
from doubletake.stats.paired_test import paired_p
from steering.cell_means import text_means
from steering.names import expected_sign

PER = 100
"""Backtracks are counted per so many tokens."""
PLACE = ("direction", "boundary", "positions", "strength")


def with_rates(thoughts: pl.DataFrame) -> pl.DataFrame:
    """The thoughts with `rate`, backtracks per 100 tokens, and `broken`."""
    tokens = pl.max_horizontal("tokens", pl.lit(1))
    return thoughts.with_columns(
        rate=PER * pl.col("backtracks") / tokens,
        broken=~pl.col("closed") | pl.col("loop"),
    )


def summary_rows(
    thoughts: pl.DataFrame, tolerance: float, intervals: IntervalSettings
) -> list[dict[str, Any]]:
    """Rows of `SUMMARY`, from the most negative strength to the most positive.

    Args:
        thoughts: `STEERING`.
        tolerance: share of the coherence of none that whole text may lose.
        intervals: coverage, and fewest problems with an interval.
    """
    rows = with_rates(thoughts)
    none = rows.filter(strength=0.0)
    found = []
    for key, part in rows.sort("strength").group_by(PLACE, maintain_order=True):
        both = part.join(none, on="trace", suffix="_none", maintain_order="left")
        steered = key[-1] != 0
        row = dict(zip(PLACE, key, strict=True))
        row |= {"thoughts": part.height, "problems": part["problem"].n_unique()}
        row |= _means(both, intervals, steered=steered)
        row |= text_means(part, none, tolerance, "decoded")
        row |= {"unclosed": int((~part["closed"]).sum())}
        row |= {"limited": int(part["limited"].sum()), "intact": False}
        found.append(row)
    _correct(found)
    _mark_intact(found)
    return found


def _means(
    both: pl.DataFrame, s: IntervalSettings, *, steered: bool
) -> dict[str, float | None]:
    """Means of one strength and their paired changes; none has no change."""
    problems = both["problem"].to_numpy()
    right, plain = (both[name].to_numpy() for name in ("correct", "correct_none"))
    backtracks, tokens = (both[name].to_numpy() for name in ("backtracks", "tokens"))
    means = {
        "backtracks": ratio(PER * backtracks, np.maximum(tokens, 1), problems, s),
        "backtracks_change": _change(both, "rate", s),
        "tokens": cluster_means(tokens[:, None].astype(float), problems, s)[0],
        "tokens_change": _change(both, "tokens", s),
        "accuracy": share(right, problems, s),
        "accuracy_change": accuracy_difference(right, plain, problems, s),
        "broken": share(both["broken"].to_numpy(), problems, s),
        "broken_change": _change(both, "broken", s),
    }
    columns: dict[str, float | None] = {}
    for name, mean in means.items():
        shown = steered or not name.endswith("_change")
        columns |= mean.columns(name) if shown else _nothing(name)
    p = paired_p(right, plain, problems, s) if steered else None
    return columns | {"accuracy_p": p, "accuracy_holm": None}


def _change(both: pl.DataFrame, name: str, s: IntervalSettings) -> Mean:
    """Mean of a column minus that without steering, paired."""
    one, none = (both[k].to_numpy().astype(float) for k in (name, f"{name}_none"))
    return cluster_means((one - none)[:, None], both["problem"].to_numpy(), s)[0]


def _nothing(name: str) -> dict[str, float | None]:
    return dict.fromkeys((name, f"{name}_low", f"{name}_high"))


def _correct(rows: list[dict[str, Any]]) -> None:
    """Correct the p-values of accuracy for the number of strengths."""
    tested = [row for row in rows if row["accuracy_p"] is not None]
    values = holm(np.array([row["accuracy_p"] for row in tested], dtype=float))
    for row, value in zip(tested, values, strict=True):
        row["accuracy_holm"] = float(value)


def _mark_intact(rows: list[dict[str, Any]]) -> None:
    """Mark strengths at which text is whole, with all smaller ones of their side."""
    for sign in (-1, 1):
        own = [row for row in rows if row["strength"] * sign >= 0]
        for row in sorted(own, key=lambda row: abs(row["strength"])):
            if not is_intact(row):
                break
            row["intact"] = True


def is_intact(row: dict[str, Any]) -> bool:
    """Whether text is whole at a strength, a row of `SUMMARY`.

    Its coherence must be `whole`, and thoughts without an end or in a loop must not be
    shown to be more than with none: the interval of the change must reach 0. Where
    there is no interval, they must not be more.
    """
    if row["strength"] == 0:
        return True
    change, low = row["broken_change"], row["broken_change_low"]
    more = (change if low is None else low) > 0
    return bool(row["whole"]) and not more


def toward(strength: float, direction: str | None) -> float:
    """A strength counted toward turning back."""
    return strength * expected_sign(direction or "")
