"""Tables of exit probes: the scores of points, and how good each probe is."""

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

CORRECTNESS, LYNX = "correctness_probe", "lynx"
RULES = (CORRECTNESS, LYNX)
"""Exit rules that read a probe. Each has probes of its own."""

_RULE = Column("rule", TEXT, "exit rule that reads the probe", values=RULES)

EXIT_PROBE_SCORES = Table(
    "exit_probes/scores",
    (
        _RULE,
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("point", COUNT, "trial point, as in `trial_points`", unit="index"),
        Column("group", COUNT, "group of the problem", unit="index"),
        Column(
            "trained_on",
            COUNT,
            "group whose problems trained the probe; never the group of the problem",
            unit="index",
        ),
        Column(
            "score", REAL, "probability of a right trial answer", unit="probability"
        ),
    ),
    holds="the probability, at arrivals and cues, that the trial answer is right, by "
    "probes that have not seen the problem",
)

EXIT_PROBE_QUALITY = Table(
    "exit_probes/quality",
    (
        _RULE,
        Column(
            "trained_on",
            COUNT,
            "group whose problems trained the probe; null: all probes together, each "
            "point with the probe that scores it for the report",
            nullable=True,
            unit="index",
        ),
        Column(
            "why_not",
            TEXT,
            "why there is no probe; what needs one is null then",
            nullable=True,
        ),
        Column("points", COUNT, "points of the training problems", unit="points"),
        Column("problems", COUNT, "training problems with a point", unit="problems"),
        Column(
            "right_share",
            REAL,
            "training points with a right trial answer",
            nullable=True,
            unit="share",
        ),
        Column(
            "strength",
            REAL,
            "inverse strength C of the penalty, chosen by cross-validation over the "
            "training problems",
            nullable=True,
        ),
        Column(
            "work",
            REAL,
            "multiplications of a score over those of a forward pass of one token",
            nullable=True,
            unit="forward passes",
        ),
        Column("tested", COUNT, "scored points of other problems", unit="points"),
        Column("tested_problems", COUNT, "their problems", unit="problems"),
        Column(
            "auroc",
            REAL,
            "chance that a right point has a higher score than a wrong one, points of "
            "other problems; pairs within a probe only",
            nullable=True,
            unit="share",
        ),
        Column("auroc_low", REAL, LOW, nullable=True, unit="share"),
        Column("auroc_high", REAL, HIGH, nullable=True, unit="share"),
        Column(
            "shuffled_auroc",
            REAL,
            "mean of the same for probes that were trained on shuffled labels",
            nullable=True,
            unit="share",
        ),
        Column(
            "brier",
            REAL,
            "mean square of score minus label, points of other problems",
            nullable=True,
        ),
        Column(
            "share_brier",
            REAL,
            "the same for a score that is always the training points' share of right "
            "answers",
            nullable=True,
        ),
    ),
    holds="how well each probe tells right from wrong on problems that it has not seen",
)
