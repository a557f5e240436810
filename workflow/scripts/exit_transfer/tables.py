"""Table of thresholds that one study has chosen and another one uses."""

import polars as pl

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

TRANSFER = Table(
    "exit_transfer/transfer",
    (
        Column(
            "rule",
            TEXT,
            "name of the rule, as in docs/exit_rules.md; rules that differ in their "
            "published threshold alone have one name, e.g. `cue`",
        ),
        Column("chosen_on", TEXT, "study that chose the thresholds: model/dataset"),
        Column(
            "used_on",
            TEXT,
            "study that uses them; where it has chosen them itself, this is its own "
            "result",
        ),
        Column(
            "why_not",
            TEXT,
            "why nothing was transferred; all numbers are null then",
            nullable=True,
        ),
        Column(
            "thresholds",
            pl.List(pl.Float64),
            "threshold of each group of problems of `used_on`, chosen by one standard "
            "error on other problems of `chosen_on`; null: think to the end",
            nullable=True,
            unit="score",
        ),
        Column(
            "calibration_problems",
            COUNT,
            "fewest problems of `chosen_on` that chose one of them",
            nullable=True,
            unit="problems",
        ),
        *(
            Column(name, COUNT, meaning, nullable=True, unit=unit)
            for name, meaning, unit in (
                ("thoughts", "thoughts of `used_on` with trial points", "thoughts"),
                ("problems", "their problems", "problems"),
                (
                    "stopped",
                    "thoughts that the rule stops before their end",
                    "thoughts",
                ),
                ("changed", "thoughts right with one choice only", "thoughts"),
            )
        ),
        *with_ends(
            "total_rate",
            "kept and trial tokens over full thought tokens",
            "share",
            nullable=True,
        ),
        *with_ends("accuracy", "right answers at the stops", "share", nullable=True),
        *with_ends(
            "change",
            "accuracy at the stop minus at the end, on the same thoughts",
            "share",
            nullable=True,
        ),
        *with_ends(
            "over_own",
            "accuracy minus that with thresholds that `used_on` has chosen itself, on "
            "the same thoughts",
            "share",
            nullable=True,
        ),
        *with_ends(
            "tokens_over_own",
            "kept and trial tokens minus those with its own thresholds, over full ones",
            "share",
            nullable=True,
        ),
        Column(
            "p",
            REAL,
            "exact sign test over problems: a changed problem is as likely to gain as "
            "to lose; null: no changed problem, or too few problems",
            nullable=True,
        ),
        Column("p_holm", REAL, "p, corrected for all p of this table", nullable=True),
    ),
    holds="what thresholds that one study has chosen cost and change in another study",
)
