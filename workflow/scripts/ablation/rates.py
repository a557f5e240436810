"""Turns, coherence and accuracy of the decoded texts, by ablation."""

from typing import Any

import numpy as np
import polars as pl

from ablation.tables import ABLATION_RATES
from ablation.targets import LONG, NAMED, NONE, SHORT
from doubletake.exit_rules.costs import accuracy_difference, ratio, share
from doubletake.stats.intervals import IntervalSettings, Mean, cluster_means

PER_TOKENS = 100
PLACE = ["trace", "event"]


def decoded_rates(decoded: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`ABLATION_RATES`: one row per length and arm, in the order of the table.

    Args:
        decoded: `ABLATION_DECODED`.
        intervals: over problems.
    """
    rows = []
    for length in (SHORT, LONG):
        texts = decoded.filter(length=length)
        plain = texts.filter(ablation=NONE)
        arms = texts.select("ablation", "null").unique(maintain_order=True)
        for ablation, null in arms.iter_rows():
            own = texts.filter(ablation=ablation, null=null)
            rows.append(_row(own, plain, length, intervals))
    return ABLATION_RATES.frame(rows)


def _row(
    own: pl.DataFrame, plain: pl.DataFrame, length: str, s: IntervalSettings
) -> dict[str, Any]:
    """A row of one arm; `plain` are the texts without an ablation."""
    both = own.join(
        plain, on=PLACE, suffix="_plain", maintain_order="left", nulls_equal=True
    )
    problems = both["problem"].to_numpy()
    logprob = both["logprob"].cast(pl.Float64).to_numpy()
    other = both["logprob_plain"].cast(pl.Float64).to_numpy()
    tokens = both["tokens"].to_numpy().astype(float)
    columns = np.stack([logprob, logprob - other, tokens], 1)
    means = cluster_means(columns, problems, s)
    named = dict(
        zip(("logprob", "logprob_change", "tokens"), means, strict=True)
    ) | _turns(both, length, s)
    is_plain = own["ablation"][0] == NONE
    row: dict[str, Any] = dict.fromkeys(ABLATION_RATES.schema) | {
        "length": length,
        "ablation": own["ablation"][0],
        "null": own["null"][0] if not is_plain else NAMED,
        "n": both.height,
        "problems": both["problem"].n_unique(),
        "repetition_2": both["repetition_2"].mean(),
        "repetition_3": both["repetition_3"].mean(),
        "loops": int(both["loops"].sum()),
        "unclosed": int((~both["closed"]).sum()),
        "unreadable": int((~both["readable"]).sum()),
    }
    for name, mean in named.items():
        if not (is_plain and name.endswith("_change")):
            row |= mean.columns(name)
    return row


def _turns(both: pl.DataFrame, length: str, s: IntervalSettings) -> dict[str, Mean]:
    """How often texts turn back, and whether thoughts are right."""
    problems = both["problem"].to_numpy()
    turns, plain = (
        both[name].to_numpy().astype(float)
        for name in ("backtracks", "backtracks_plain")
    )
    if length == SHORT:
        turned, before = turns > 0, plain > 0
        return {
            "turns": share(turned, problems, s),
            "turns_change": accuracy_difference(turned, before, problems, s),
        }
    right, other = (
        both[name].to_numpy().astype(bool) for name in ("correct", "correct_plain")
    )
    tokens = both["tokens"].to_numpy() / PER_TOKENS
    (change,) = cluster_means((turns - plain)[:, None], problems, s)
    return {
        "turns": ratio(turns, tokens, problems, s),
        "turns_change": change,
        "accuracy": share(right, problems, s),
        "accuracy_change": accuracy_difference(right, other, problems, s),
    }
