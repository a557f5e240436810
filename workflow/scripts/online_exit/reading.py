"""For figures and the page: the time that each rule saves."""

import polars as pl

END_RULE = "to_the_end"
"""The rule that never stops a thought; what the others are compared with."""


def with_savings(latency: pl.DataFrame) -> pl.DataFrame:
    """The rows of `LATENCY_RULES` with the share of the time that each rule saves.

    Args:
        latency: `LATENCY_RULES`.

    Returns:
        With `saved_shared` and `saved_alone`: 1 minus the seconds under the rule over
        the seconds to the end, with and without shared prefixes; negative where a rule
        costs more than it saves.
    """
    spent = pl.col("thinking") + pl.col("finding") + pl.col("deciding")
    return latency.with_columns(
        (1 - (spent + pl.col(f"looking_{name}")) / pl.col("to_the_end")).alias(
            f"saved_{name}"
        )
        for name in ("shared", "alone")
    )
