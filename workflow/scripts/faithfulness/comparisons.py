"""What stands in place of the thought: means of the contexts, and paired tests."""

from typing import Any

import numpy as np
import polars as pl

from doubletake.exit_rules.costs import accuracy_difference, share
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.paired_test import paired_p
from faithfulness.groups import Groups
from faithfulness.names import (
    ARRIVAL,
    ARRIVED,
    BEFORE,
    COMPARISONS,
    CONTEXTS,
    FILLER,
    LAST,
    MEASURES,
    NONE,
    SENTENCE,
    WHOLE,
)
from faithfulness.tables import CONTEXT_MEANS, TESTS

COLUMNS = ("trace", "problem", "context", "share", "read", "answer", "same", "correct")


def contexts_of(cuts: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """One row per thought and context: `COLUMNS` and `donor_same`.

    Args:
        cuts: `CUTS`; the start, the end, both sides of the first arrival, and the
            end of the last arrival's sentence.
        answers: `FAITHFULNESS`.
    """
    length = pl.col("tokens_before").filter(source=SENTENCE).max().over("trace")
    placed = cuts.with_columns(read=pl.col("tokens_before") / length)
    own, exits = (
        placed.filter(source=source).sort("trace", "cut")
        for source in (SENTENCE, ARRIVAL)
    )
    arrives = (pl.col("arrivals") > 0).any().over("trace")
    text = own.filter(pl.col("cut") > 0)
    picked = {
        NONE: own.group_by("trace", maintain_order=True).first(),
        WHOLE: text.group_by("trace", maintain_order=True).last(),
        BEFORE: text.filter(arrives)
        .filter(pl.col("arrivals") == 0)
        .group_by("trace", maintain_order=True)
        .last(),
        ARRIVED: text.filter(pl.col("arrivals") > 0)
        .group_by("trace", maintain_order=True)
        .first(),
        LAST: exits.filter(pl.col("arrivals") > 0)
        .group_by("trace", maintain_order=True)
        .last(),
    }
    parts = [
        part.with_columns(
            context=pl.lit(context),
            share=pl.lit(1.0),
            donor_same=pl.lit(None, dtype=pl.Boolean),
        ).select(*COLUMNS, "donor_same")
        for context, part in picked.items()
    ]
    read = pl.col("tokens") / pl.col("thought_tokens")
    made = answers.with_columns(read=read).select(*COLUMNS, "donor_same")
    return pl.concat([*parts, made])


def context_means(
    contexts: pl.DataFrame, groups: Groups, s: IntervalSettings
) -> pl.DataFrame:
    """`CONTEXT_MEANS`: a row for each group, context and share of filler."""
    rows: list[dict[str, Any]] = []
    for group, names in groups.items():
        own = contexts.filter(pl.col("trace").is_in(list(names)))
        for context in CONTEXTS:
            found = own.filter(context=context).sort("share", "trace")
            for (_,), part in found.group_by("share", maintain_order=True):
                problems = part["problem"].to_numpy()
                row: dict[str, Any] = {
                    "group": group,
                    "context": context,
                    "share": float(part["read"].to_numpy().mean()),
                    "thoughts": part["trace"].n_unique(),
                    "problems": part["problem"].n_unique(),
                    "donor_same": part["donor_same"].cast(pl.Float64).mean(),
                    "unanswered": part["answer"].null_count(),
                }
                row |= share(part["same"].to_numpy(), problems, s).columns("same")
                right = part["correct"].to_numpy()
                row |= share(right, problems, s).columns("accuracy")
                rows.append(row)
    return CONTEXT_MEANS.frame(rows)


def compared_contexts(contexts: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`TESTS`: the comparisons, each over the thoughts that have both contexts."""
    filler = contexts.filter(context=FILLER)
    longest = filler.filter(pl.col("share") == pl.col("share").max())
    kept = pl.concat([contexts.filter(pl.col("context") != FILLER), longest])
    rows: list[dict[str, Any]] = []
    for measure in MEASURES:
        own = [
            _compared(kept, measure, first, second, s) for first, second in COMPARISONS
        ]
        found = [row for row in own if row is not None]
        tested = [row for row in found if row["p"] is not None]
        corrected = holm(np.array([row["p"] for row in tested], dtype=float))
        for row, value in zip(tested, corrected, strict=True):
            row["p_holm"] = float(value)
        rows += found
    return TESTS.frame(rows)


def _compared(
    contexts: pl.DataFrame,
    measure: str,
    first: str,
    second: str,
    s: IntervalSettings,
) -> dict[str, Any] | None:
    """A row of `TESTS` without the correction; None if no thought has both."""
    one, other = (
        contexts.filter(context=name).select("trace", "problem", measure).sort("trace")
        for name in (first, second)
    )
    both = one.join(other, on="trace", suffix="_other", maintain_order="left")
    if both.is_empty():
        return None
    flags, others = (both[name].to_numpy() for name in (measure, f"{measure}_other"))
    problems = both["problem"].to_numpy()
    row: dict[str, Any] = {
        "measure": measure,
        "first": first,
        "second": second,
        "thoughts": both.height,
        "problems": both["problem"].n_unique(),
        "share": float(flags.mean()),
        "other": float(others.mean()),
        "p": paired_p(flags, others, problems, s),
        "p_holm": None,
    }
    difference = accuracy_difference(flags, others, problems, s)
    return row | difference.columns("difference")
