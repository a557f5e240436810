"""The exit rules as a table for a terminal, in the order of the tokens they save."""

from typing import Any

import polars as pl

from exit_policies.tables import RULE

HEAD = ("rule", "saved", "accuracy", "change", "stopped", "")


def leaderboard(policies: pl.DataFrame) -> str:
    """The rules that stop any thought; below, those that do not.

    Args:
        policies: the table `POLICIES`.
    """
    rules = policies.filter(pl.col("family") == RULE)
    replayed = rules.filter(pl.col("thoughts").is_not_null())
    if replayed.is_empty():
        return "Not checked: no thought has trial points."
    first = replayed.row(0, named=True)
    shown = replayed.filter(pl.col("stopped") > 0).sort("total_rate", "policy")
    lines = _aligned([HEAD, *(_cells(row) for row in shown.iter_rows(named=True))])
    silent = replayed.filter(stopped=0)["policy"].to_list()
    refused = rules.filter(pl.col("thoughts").is_null())["policy"].to_list()
    head = (
        f"{first['thoughts']} thoughts on {first['problems']} problems, "
        f"{first['end_accuracy']:.1%} right at the end."
    )
    notes = [
        "saved: thought tokens that are not written, less those of trial answers.",
        "change: accuracy at the stop minus at the end, in points, on the same",
        "thoughts, with its interval over problems. LOSES: the interval lies below 0,",
        "GAINS: above 0 (not corrected for the number of rules). Thresholds are the",
        "published ones.",
    ]
    notes += [f"Stop no thought: {', '.join(silent)}."] if silent else []
    notes += [f"Not replayed: {', '.join(refused)}."] if refused else []
    return "\n".join([head, "", *lines, "", *notes])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    low, high = row["change_low"], row["change_high"]
    ends = "not checked" if low is None else f"{100 * low:+.1f} to {100 * high:+.1f}"
    if row["helped"] == row["harmed"] == 0:
        ends = "none changes"
    return (
        row["policy"],
        f"{1 - row['total_rate']:.1%}",
        f"{row['accuracy']:.1%}",
        f"{100 * row['change']:+.1f} ({ends})",
        str(row["stopped"]),
        "" if low is None else "LOSES" * (high < 0) + "GAINS" * (low > 0),
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if number in (0, 5) else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
