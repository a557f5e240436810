"""Tables of exit guarantees: chosen thresholds, certified risks, conformal exits."""

import polars as pl

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

CHOSEN_BY_ERROR, PUBLISHED = "one_standard_error", "published"
POINT, PROBLEM = "point", "problem"

_RULE = Column(
    "rule",
    TEXT,
    "family of rules that differ in their threshold only; what their names in "
    "docs/exit_rules.md have in common",
)
_GROUP = Column(
    "group",
    COUNT,
    "group of problems that is reported, 0 to 2; null: all three together",
    nullable=True,
    unit="index",
)
_TOTAL_RATE = with_ends(
    "total_rate", "kept and trial tokens over full thought tokens", "share"
)
_CHANGE = with_ends(
    "change", "accuracy at the stop minus at the end, on the same thoughts", "share"
)


def _nullable(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(
        Column(c.name, c.dtype, c.meaning, nullable=True, unit=c.unit) for c in columns
    )


def _counts(*columns: tuple[str, str, str]) -> list[Column]:
    return [
        Column(name, COUNT, meaning, nullable=True, unit=unit)
        for name, meaning, unit in columns
    ]


CHOSEN = Table(
    "exit_guarantees/chosen",
    (
        _RULE,
        Column(
            "choice",
            TEXT,
            "`one_standard_error`: chosen on the problems of another group; "
            "`published`: the same threshold for all",
            values=(CHOSEN_BY_ERROR, PUBLISHED),
        ),
        Column(
            "policy", TEXT, "name of the published rule; null if chosen", nullable=True
        ),
        Column("why_not", TEXT, "why it is not checked; null if it is", nullable=True),
        Column(
            "thresholds",
            pl.List(pl.Float64),
            "of the groups 0, 1 and 2; null in a list: think to the end",
            nullable=True,
            unit="score",
        ),
        *_counts(
            ("calibration_problems", "in the smallest of the groups", "problems"),
            ("thoughts", "reported thoughts, each once", "thoughts"),
            ("problems", "their problems", "problems"),
            ("stopped", "thoughts that are stopped before their end", "thoughts"),
        ),
        *_nullable(_TOTAL_RATE),
        *_nullable(with_ends("accuracy", "right answers at the stops", "share")),
        Column(
            "end_accuracy",
            REAL,
            "right answers after the thoughts",
            nullable=True,
            unit="share",
        ),
        *_nullable(_CHANGE),
        *_counts(
            ("helped", "wrong at the end, right at the stop", "thoughts"),
            ("harmed", "right at the end, wrong at the stop", "thoughts"),
        ),
        *_nullable(with_ends("risk", "share of thoughts that are harmed", "share")),
        Column(
            "saves",
            FLAG,
            "the interval of `total_rate`, corrected for the number of rows of this "
            "choice (Bonferroni), lies below 1; null without an interval",
            nullable=True,
        ),
        Column(
            "loses",
            FLAG,
            "the interval of `change`, corrected in the same way, lies below 0; null "
            "without an interval",
            nullable=True,
        ),
    ),
    holds="thresholds that other problems have chosen, and published ones, on the "
    "same thoughts",
)

RISKS = Table(
    "exit_guarantees/risks",
    (
        _RULE,
        Column("epsilon", REAL, "allowed share of problems that lose", unit="share"),
        Column(
            "delta",
            REAL,
            "allowed probability that a threshold with a larger risk is certified",
            unit="probability",
        ),
        _GROUP,
        Column(
            "why_not",
            TEXT,
            "why the rule is not checked, or why nothing is certified; null if a "
            "threshold is, and in rows on all groups",
            nullable=True,
        ),
        *_counts(
            (
                "least_problems",
                "calibration problems with which anything can be certified",
                "problems",
            ),
            (
                "calibration_problems",
                "problems that choose; in the smallest group",
                "problems",
            ),
            (
                "calibration_losses",
                "of these, right at the end and wrong at the certified threshold, or "
                "at the most careful one; null on all groups",
                "problems",
            ),
        ),
        Column(
            "p_value",
            REAL,
            "exact p-value of this threshold; null on all groups",
            nullable=True,
        ),
        Column(
            "threshold",
            REAL,
            "the boldest certified one; null: none, so think to the end, or all groups",
            nullable=True,
            unit="score",
        ),
        *_counts(
            ("certified", "groups with a certified threshold", "groups"),
            ("problems", "reported problems, one thought of each", "problems"),
            ("promised", "of these, in groups with a certificate", "problems"),
            (
                "losses",
                "of the promised, right at the end, wrong at the exit",
                "problems",
            ),
            ("stopped", "of all, stopped before their end", "problems"),
        ),
        *_nullable(with_ends("risk", "losses over promised problems", "share")),
        *_nullable(_TOTAL_RATE),
        Column(
            "p_above",
            REAL,
            "exact p-value of the losses, if no certified threshold has a risk above "
            "epsilon: P(Binomial(promised, epsilon) >= losses); only on all groups",
            nullable=True,
        ),
        Column(
            "p_above_corrected",
            REAL,
            "times the number of such tests in the table (Bonferroni), at most 1",
            nullable=True,
        ),
        Column(
            "saves",
            FLAG,
            "the interval of `total_rate`, corrected for the number of rows on all "
            "groups with a certificate (Bonferroni), lies below 1; only in these rows, "
            "null without an interval",
            nullable=True,
        ),
    ),
    holds="what calibration problems certify, and what other problems lose and save",
)

CONFORMAL = Table(
    "exit_guarantees/conformal",
    (
        Column("delta", REAL, "allowed error of each class", unit="share"),
        Column(
            "case",
            TEXT,
            "`problem`: a case is a thought with all its points, so that delta bounds "
            "the share of thoughts; `point`: each point is a case, as published",
            values=(PROBLEM, POINT),
        ),
        _GROUP,
        Column(
            "why_not",
            TEXT,
            "why nothing can be certified; null if something is, and in rows on all "
            "groups",
            nullable=True,
        ),
        *_counts(
            ("right_cases", "right calibration cases; null on all groups", "cases"),
            ("wrong_cases", "wrong ones; null on all groups", "cases"),
        ),
        Column(
            "q_right",
            REAL,
            "quantile of right cases; null: infinite, or all groups",
            nullable=True,
            unit="probability",
        ),
        Column(
            "q_wrong",
            REAL,
            "of wrong cases; null likewise",
            nullable=True,
            unit="probability",
        ),
        Column("certified", COUNT, "groups with finite quantiles", unit="groups"),
        Column("problems", COUNT, "reported, one thought of each", unit="problems"),
        Column(
            "with_wrong",
            COUNT,
            "problems with a wrong point at which the rule looks, in groups with a "
            "finite quantile",
            unit="problems",
        ),
        Column(
            "stopped_wrong",
            COUNT,
            "of these, stopped at a wrong point",
            unit="problems",
        ),
        *_nullable(with_ends("error", "stopped_wrong over with_wrong", "share")),
        *_nullable(_TOTAL_RATE),
        *_nullable(_CHANGE),
        Column(
            "p_above",
            REAL,
            "p-value of so many errors if the bound holds: beta-binomial, times 3 for "
            "the smallest of three groups, at most 1; only for whole problems",
            nullable=True,
        ),
        Column(
            "p_above_corrected",
            REAL,
            "times the number of such tests on all groups (Bonferroni), at most 1",
            nullable=True,
        ),
    ),
    holds="the conformal exit of LYNX, calibrated on other problems",
)
