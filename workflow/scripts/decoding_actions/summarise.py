"""Means by action: cost, accuracy and backtracks, paired with the whole thoughts.

Inputs
    thoughts: `DECODING_ACTIONS`.

Outputs
    summary: `SUMMARY`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from decoding_actions.keywords import ACTIONS, CONTROL, NOWAIT
from decoding_actions.tables import DECODING_ACTIONS, SUMMARY
from doubletake.exit_rules.costs import accuracy_difference, ratio, share
from doubletake.running.logs import job
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings, Mean, cluster_means
from doubletake.stats.paired_test import paired_p

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_decoding_actions")


def summarise(thoughts: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`SUMMARY`: one row per action with a thought."""
    rows = []
    for action in ACTIONS:
        part = thoughts.filter(action=action)
        if part.is_empty():
            continue
        row = dict.fromkeys(SUMMARY.schema) | {"action": action}
        row |= counts_of(part) | means_of(part, intervals)
        if action == NOWAIT:
            row |= against_control(part, thoughts.filter(action=CONTROL), intervals)
        rows.append(row)
    return SUMMARY.frame(corrected(rows))


def corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with p-values of the change corrected for the number of actions."""
    tested = [row for row in rows if row["change_p"] is not None]
    values = holm(np.array([row["change_p"] for row in tested], dtype=float))
    for row, value in zip(tested, values, strict=True):
        row["change_holm"] = float(value)
    return rows


def counts_of(part: pl.DataFrame) -> dict[str, int]:
    """Numbers of thoughts of one action, and of its trials."""
    right, whole = part["correct"], part["whole_correct"]
    return {
        "thoughts": part.height,
        "problems": part["problem"].n_unique(),
        "applied": int(part["applied"].sum()),
        "helped": int((right & ~whole).sum()),
        "harmed": int((~right & whole).sum()),
        "unchanged": int((right == whole).sum()),
        "same": int(part["same"].sum()),
        "unclosed": int((~part["closed"]).sum()),
        "trials": int(part["trials"].sum()),
    }


def means_of(part: pl.DataFrame, s: IntervalSettings) -> dict[str, float | None]:
    """Means of one action, with their intervals over problems."""
    problems = part["problem"].to_numpy()
    right, whole = (part[name].to_numpy() for name in ("correct", "whole_correct"))
    full = part["whole_tokens"].to_numpy()
    turns, before = (
        part[name].to_numpy().astype(float)
        for name in ("backtracks", "whole_backtracks")
    )
    columns = np.stack([turns, before, turns - before], axis=1)
    after, whole_turns, difference = cluster_means(columns, problems, s)
    means = {
        "total_rate": ratio(part["total"].to_numpy(), full, problems, s),
        "kept_rate": ratio(part["tokens"].to_numpy(), full, problems, s),
        "accuracy": share(right, problems, s),
        "whole_accuracy": share(whole, problems, s),
        "change": accuracy_difference(right, whole, problems, s),
        "backtracks": after,
        "whole_backtracks": whole_turns,
        "backtracks_change": difference,
    }
    return {
        "change_p": paired_p(right, whole, problems, s),
        "forbidden": _mean(part["whole_forbidden"]),
        "spelled": _mean(part["spelled"]),
    } | columns_of(means)


def against_control(
    part: pl.DataFrame, control: pl.DataFrame, s: IntervalSettings
) -> dict[str, float | None]:
    """NoWait minus its control on the thoughts that have both."""
    both = part.join(control, on="trace", suffix="_control", maintain_order="left")
    if both.is_empty():
        return {}
    problems = both["problem"].to_numpy()
    right, other = (both[name].to_numpy() for name in ("correct", "correct_control"))
    tokens = (both["total"] - both["total_control"]).to_numpy()
    full = both["whole_tokens"].to_numpy()
    return columns_of(
        {
            "over_control": accuracy_difference(right, other, problems, s),
            "tokens_over_control": ratio(tokens, full, problems, s),
        }
    )


def columns_of(means: dict[str, Mean]) -> dict[str, float | None]:
    """Means and their ends as columns."""
    return dict(
        column for name, mean in means.items() for column in mean.columns(name).items()
    )


def _mean(column: pl.Series) -> float:
    return float(column.to_numpy().mean())


def main(
    *, thoughts_path: Path, summary_path: Path, intervals: IntervalSettings
) -> None:
    """Read the thoughts, summarise, write."""
    thoughts = DECODING_ACTIONS.read(thoughts_path)
    summary = summarise(thoughts, intervals)
    logger.info("%d actions on %d thoughts", summary.height, thoughts.height)
    SUMMARY.write(summary, summary_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            thoughts_path=Path(snakemake.input.thoughts),
            summary_path=Path(snakemake.output.summary),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
