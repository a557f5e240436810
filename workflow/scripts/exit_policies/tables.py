"""Tables of exit policies: where each stops each thought, and what that costs."""

from typing import Any

import polars as pl

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

RULE, IN_HINDSIGHT = "rule", "hindsight"
FAMILIES = (RULE, IN_HINDSIGHT)
NOTHING = "nothing"
TESTED = {
    "change": "`change` is 0",
    "harmless": "`change` is minus `exit_policies.tolerance`",
    "over_share": "`over_share` is 0",
}
"""What is tested of each rule that stops a thought."""

_POLICY = Column("policy", TEXT, "name of the policy, as in docs/exit_rules.md")


STOPS = Table(
    "exit_policies/stops",
    (
        _POLICY,
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column(
            "point",
            COUNT,
            "trial point at which the policy stops, as in `trial_points`; null: the "
            "thought goes on to its end",
            nullable=True,
            unit="index",
        ),
        Column("kept", COUNT, "thought tokens up to the stop", unit="tokens"),
        Column(
            "read_ahead",
            COUNT,
            "tokens after the stop that were read to find it, then dropped",
            unit="tokens",
        ),
        Column("full", COUNT, "tokens of the whole thought", unit="tokens"),
        Column(
            "looks",
            COUNT,
            "points of the whole thought at which the rule would look",
            unit="points",
        ),
        Column(
            "able",
            FLAG,
            "the thought has enough looks for the rule to stop; of a rule that counts "
            "events, enough of them",
        ),
        Column("trials", COUNT, "trial answers up to the stop", unit="trials"),
        Column("trial_tokens", COUNT, "tokens of these trials", unit="tokens"),
        Column(
            "entropies",
            COUNT,
            "looks at the entropy after the end marker up to the stop",
            unit="looks",
        ),
        Column("probes", COUNT, "scores of a probe up to the stop", unit="looks"),
        Column(
            "answer",
            TEXT,
            "the trial's answer at the stop; the thought's own answer at its end",
            nullable=True,
        ),
        Column("correct", FLAG, "this answer has the value of the reference answer"),
        Column("end_correct", FLAG, "so has the answer after the whole thought"),
    ),
    holds="where every policy stops every thought, what it spent, and the answer",
)

POLICIES = Table(
    "exit_policies/policies",
    (
        _POLICY,
        Column(
            "family",
            TEXT,
            "`rule`: decides while a thought runs; `hindsight`: needs the whole "
            "thought or the reference answer",
            values=FAMILIES,
        ),
        Column(
            "asks_for",
            TEXT,
            "what a rule asks for at its points: `trial`, `entropy`, `marker`, "
            "`probe`, or `nothing`; null in hindsight",
            nullable=True,
        ),
        Column(
            "threshold",
            REAL,
            "the published threshold; null if the policy has none, or one per group: "
            "those of `lynx` are in `exit_policies/lynx`",
            nullable=True,
            unit="score",
        ),
        Column(
            "why_not",
            TEXT,
            "why the policy was not replayed; all numbers are null then",
            nullable=True,
        ),
        *(
            Column(name, COUNT, meaning, nullable=True, unit=unit)
            for name, meaning, unit in (
                ("thoughts", "thoughts with trial points", "thoughts"),
                ("problems", "their problems", "problems"),
                ("stopped", "thoughts that it stops before their end", "thoughts"),
                (
                    "able",
                    "thoughts with enough looks for it to stop; of a rule that counts "
                    "events, with enough of them",
                    "thoughts",
                ),
            )
        ),
        *with_ends(
            "kept_rate", "kept thought tokens over full ones", "share", nullable=True
        ),
        *with_ends(
            "total_rate",
            "kept and trial tokens over full thought tokens",
            "share",
            nullable=True,
        ),
        *with_ends("accuracy", "right answers at the stops", "share", nullable=True),
        *with_ends(
            "end_accuracy", "right answers after the thoughts", "share", nullable=True
        ),
        *with_ends(
            "change",
            "accuracy at the stop minus at the end, on the same thoughts",
            "share",
            nullable=True,
        ),
        *(
            Column(name, COUNT, meaning, nullable=True, unit=unit)
            for name, meaning, unit in (
                ("helped", "wrong at the end, right at the stop", "thoughts"),
                ("harmed", "right at the end, wrong at the stop", "thoughts"),
                ("unchanged", "as right at the stop as at the end", "thoughts"),
                ("trials", "trial answers up to the stops", "trials"),
                ("trial_tokens", "tokens of these trials", "tokens"),
                ("entropies", "looks at the entropy after the end marker", "looks"),
                ("probes", "scores of a probe", "looks"),
                ("read_ahead", "tokens after the stops that were read", "tokens"),
                (
                    "fed_tokens",
                    "tokens of the answer prompt that were fed for trials and "
                    "entropies",
                    "tokens",
                ),
                (
                    "matched_share",
                    "least share of each thought, in percent, at which the fixed share "
                    "keeps at least the tokens that the policy keeps and spends",
                    "percent",
                ),
            )
        ),
        Column(
            "probe_work",
            REAL,
            "work of all scores of a probe, counted in multiplications",
            nullable=True,
            unit="forward passes of one token",
        ),
        *with_ends(
            "over_share",
            "accuracy minus that of the matched fixed share, on the same thoughts",
            "share",
            nullable=True,
        ),
        *(
            column
            for name, meaning in TESTED.items()
            for column in (
                Column(
                    f"{name}_p",
                    REAL,
                    f"two-sided p-value of the paired score test over problems of: "
                    f"{meaning}; null for a policy that is no rule or stops no "
                    "thought, and with too few problems",
                    nullable=True,
                ),
                Column(
                    f"{name}_holm",
                    REAL,
                    f"{name}_p, corrected for the number of rules (Holm)",
                    nullable=True,
                ),
            )
        ),
        *with_ends(
            "lost_to_oracle",
            "accuracy of the oracle minus that of the policy",
            "share",
            nullable=True,
        ),
        *with_ends(
            "tokens_over_oracle",
            "kept and trial tokens minus those of the oracle, over full tokens",
            "share",
            nullable=True,
        ),
        *with_ends(
            "area",
            "area under the curve of accuracy against cost over all thresholds; null "
            "for a policy without thresholds",
            "share",
            nullable=True,
        ),
    ),
    holds="cost and accuracy of every policy, against the whole thought, the matched "
    "fixed share and the oracle",
)

CURVES = Table(
    "exit_policies/curves",
    (
        _POLICY,
        Column("threshold", REAL, "threshold of the rule's grid", unit="score"),
        Column(
            "total_rate", REAL, "kept and trial tokens over full ones", unit="share"
        ),
        Column("accuracy", REAL, "right answers at the stops", unit="share"),
        Column("stopped", COUNT, "thoughts that it stops", unit="thoughts"),
    ),
    holds="accuracy and cost of every rule at every threshold of its grid",
)

LYNX_CALIBRATION = Table(
    "exit_policies/lynx",
    (
        Column("group", COUNT, "group of problems that it reports", unit="index"),
        Column("delta", REAL, "allowed error of each class", unit="share"),
        Column(
            "q_right",
            REAL,
            "conformal quantile of right cues: the set holds right if 1 - p is at most "
            "this; null: infinite, so it always does",
            nullable=True,
            unit="probability",
        ),
        Column(
            "q_wrong",
            REAL,
            "conformal quantile of wrong cues: the set holds wrong if p is at most "
            "this; null: infinite, so it always does and the rule never stops",
            nullable=True,
            unit="probability",
        ),
        Column("right", COUNT, "right cues of the calibration problems", unit="points"),
        Column("wrong", COUNT, "wrong cues of the calibration problems", unit="points"),
        Column("can_stop", FLAG, "there are enough wrong cues for the rule to stop"),
    ),
    holds="thresholds of the rule `lynx`, which each group takes from other problems",
)


def shown_policies(policies: pl.DataFrame) -> pl.DataFrame:
    """The policies that stop a thought: they differ from thinking to the end."""
    return policies.filter(pl.col("stopped") > 0)


def is_harmless(row: dict[str, Any], tolerance: float, confidence: float) -> bool:
    """Whether a rule is shown to lose at most the tolerance.

    Args:
        row: of `POLICIES`.
        tolerance: largest harmless loss of accuracy, as a share.
        confidence: one minus the level of the corrected tests.
    """
    p = row["harmless_holm"]
    return p is not None and p <= 1 - confidence and row["change"] > -tolerance
