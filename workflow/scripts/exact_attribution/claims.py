"""Which numbers the page claims something of, and their corrected p-values."""

import numpy as np
import polars as pl

from doubletake.stats.holm import holm_of
from exact_attribution.tables import (
    DIFFERENCE,
    ESTIMATE,
    EXACT,
    EXACT_CAUSES,
    EXACT_RECALL,
    EXACT_STEPS,
    GRADIENT,
    PUBLISHED,
)

FIRST = 3
"""How many words the sentences call first."""
ALL = "all"


def corrected(
    steps: pl.DataFrame, recall: pl.DataFrame, causes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The three summaries with the p-values of all claims, corrected together (Holm).

    Args:
        steps: `EXACT_STEPS`: the fall with the step, and the agreement at each layer.
        recall: `EXACT_RECALL`: the first words of both estimates against chance.
        causes: `EXACT_CAUSES`: all causes against chance, and exact patching against
            the estimate.
    """
    at_layer = pl.col("layer").is_not_null() & (pl.col("method") == GRADIENT)
    is_estimate = pl.col("ranking").is_in([ESTIMATE, PUBLISHED])
    of_all = (pl.col("cause") == ALL) & (pl.col("k") == FIRST)
    claims: list[tuple[pl.DataFrame, str, pl.Expr]] = [
        (steps, "p", at_layer | (pl.col("method") == DIFFERENCE)),
        (recall, "p", is_estimate & (pl.col("k") == FIRST)),
        (causes, "p", of_all),
        (causes, "over_estimate_p", of_all & (pl.col("ranking") == EXACT)),
    ]
    p = [
        table.select(pl.when(claimed).then(name))[name].cast(pl.Float64)
        for table, name, claimed in claims
    ]
    found = holm_of(np.concatenate([one.fill_null(np.nan).to_numpy() for one in p]))
    parts = np.split(found, np.cumsum([len(one) for one in p])[:-1])
    holm = [pl.Series(part, dtype=pl.Float64).fill_nan(None) for part in parts]
    return (
        EXACT_STEPS.check(steps.with_columns(p_holm=holm[0])),
        EXACT_RECALL.check(recall.with_columns(p_holm=holm[1])),
        EXACT_CAUSES.check(
            causes.with_columns(p_holm=holm[2], over_estimate_p_holm=holm[3])
        ),
    )
