"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from exit_policies.tables import CURVES, LYNX_CALIBRATION, POLICIES, STOPS

DECLARATION = Experiment(
    name="exit_policies",
    order=12,
    title="Exit policies",
    question="Which rule stops a thought early, without the right answer, and at which "
    "cost?",
    holds="exit rules replayed on finished thoughts: cost, accuracy, guarantees",
    tables=(STOPS, POLICIES, CURVES, LYNX_CALIBRATION),
    figures=(
        Figure(
            "frontier",
            "Accuracy against tokens",
            "Each mark is a policy on the same thoughts, with its published "
            "threshold. To the left is cheaper, up is better. Tokens: those of the "
            "thought up to the stop, and those of all trial answers up to it. Faint "
            "lines: the same rule with the other thresholds of its grid. Dashed: "
            "stopping at a fixed share of each thought; above this line a rule does "
            "better than its tokens alone explain. The oracle stops at the earliest "
            "point that is right and stays right; oracle_any at the earliest that is "
            "right. Both need the right answer, and the share needs the length of the "
            "thought, so none of them can stop a running thought. Crosses decode some "
            "of the thoughts again with backtrack words forbidden or one more turn "
            "forced; their paired change is drawn from the accuracy of the whole "
            "thoughts on. Thin lines at the marks are intervals over problems. Right: "
            "the upper part, enlarged; each label stands in one panel only. Policies "
            "that never stop a thought would all lie at the whole thought; they are "
            "counted below. The numbers are in exit_policies/policies.parquet and "
            "exit_policies/curves.parquet.",
        ),
        Figure(
            "leaderboard",
            "Savings and loss",
            "Left: tokens saved (1 minus kept and trial tokens over those of the whole "
            "thoughts). Right: accuracy at the stops minus that of the whole thoughts, "
            "on the same thoughts, in points; larger losses are written at the edge. "
            "Lines are intervals over problems; a dot without one is a policy that "
            "changes no answer, or one of too few problems. First come the rules "
            "without a significant loss: the interval of the change does not lie below "
            "0. With few thoughts this says little, because a wide interval hides a "
            "loss. So filled dots mark the rules for which a test shows that at most "
            "the tolerance is lost (dashed line; key exit_policies.tolerance), "
            "corrected for the number of rules. Last come policies in hindsight, as "
            "baselines and ceilings; they are not tested. Policies that never stop a "
            "thought are counted below. The numbers are in "
            "exit_policies/policies.parquet.",
        ),
        Figure(
            "examples",
            "Where rules stop in example thoughts",
            "Thoughts of middle length with a backtrack, drawn by seed. Each mark is a "
            "trial point: filled if the trial answer there is right, open if it is "
            "wrong, a cross if there is no answer. The first stands before any "
            "thought. Below: which rules stop there; under the end, whether "
            "the answer is right, and which rules let this thought go on to its end. "
            "Rules that stop no thought of the study are left out. Red: where an "
            "oracle stops, which needs the right answer. "
            "The numbers are in exit_policies/stops.parquet and trial_points.parquet.",
        ),
    ),
    comparison=Comparison(
        "Every rule that could be replayed, at its own threshold; `no_thought` and "
        "`to_the_end` are drawn beside them. Left: accuracy at the stops minus that "
        "of the whole thoughts. Right: kept and trial tokens over those of the whole "
        "thoughts. Dotted: what thinking to the end gives.",
        (
            Panel(
                title="Change of accuracy",
                table="exit_policies/policies",
                across="policy",
                value="change",
                where={"family": "rule"},
                nothing=0.0,
                percent=True,
            ),
            Panel(
                title="Tokens spent, of the whole thoughts",
                table="exit_policies/policies",
                across="policy",
                value="total_rate",
                where={"family": "rule"},
                nothing=1.0,
                percent=True,
            ),
        ),
    ),
)
