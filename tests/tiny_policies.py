"""Makes all tables of exit policies from thoughts in memory."""

from tiny_report import SETTINGS as PAGE

from doubletake.exit_rules.costs import Prices
from doubletake.exit_rules.points import KINDS
from doubletake.exit_rules.published import POLICIES as ALL
from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from exit_policies.corrections import corrected
from exit_policies.probed import ProbedThoughts
from exit_policies.summarise import (
    Settings,
    curve_rows,
    policy_row,
    replay_all,
    stop_rows,
)
from exit_policies.tables import CURVES, POLICIES
from exit_probes.tables import EXIT_PROBE_QUALITY, EXIT_PROBE_SCORES
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

SETTINGS = Settings(
    answer_prompt="{closing}\\boxed{",
    kinds=list(KINDS[:5]),
    every=32,
    lynx_delta=0.1,
    seed=0,
    tolerance=0.02,
    intervals=IntervalSettings(),
)
NO_SCORES = EXIT_PROBE_SCORES.frame([])
PAGE_SETTINGS = PAGE | {
    "exit_policies": {"seed": 0, "tolerance": 0.02},
    "intervals": {"confidence": 0.95, "least_problems": 10},
}


def study_of(thoughts, settings=SETTINGS):
    """The tables by name: of exit policies, and of the thoughts' trial points."""
    probed = ProbedThoughts({}, {})
    replayed = replay_all(ALL, thoughts, probed, NO_SCORES, settings)
    rows = [
        policy_row(name, policy, replayed, Prices(10), settings)
        for name, policy in ALL.items()
    ]
    return {
        "exit_policies/policies": POLICIES.frame(corrected(rows)),
        "exit_policies/stops": stop_rows(replayed),
        "exit_policies/curves": CURVES.frame(curve_rows(replayed)),
        "traces": TRACES.frame([]),
        "exit_probes/quality": EXIT_PROBE_QUALITY.frame([]),
        "trial_points": TRIAL_POINTS.frame(point_rows(thoughts)),
    }


def point_rows(thoughts):
    """Rows of `TRIAL_POINTS`; what figures and page do not read is left empty."""
    return [
        {
            "trace": thought.trace,
            "problem": thought.problem,
            "point": number,
            "token": point.token,
            "tokens_before": point.token,
            "tokens_read": point.token,
            **{kind: kind in point.kinds for kind in KINDS},
            "arrivals": point.arrivals,
            "cues": point.cues,
            "left_out": 0,
            "chunk": point.chunk,
            "suffix_tokens": 10,
            "trial_ids": [0] * len(point.trial_logprobs),
            "trial_tokens": len(point.trial_logprobs),
            "trial_logprobs": list(point.trial_logprobs),
            "trial_text": point.trial_text,
            "trial_ended": point.trial_ended,
            "answer": point.answer,
            "correct": bool(thought.right[1 + number]),
            "entropy": point.entropy,
            "marker_logprob": point.marker_logprob,
            "marker_rank": point.marker_rank,
            "best_other_logprob": point.best_other_logprob,
            "closing_logprob": point.marker_logprob,
        }
        for thought in thoughts
        for number, point in enumerate(thought.points)
    ]


def page_of(tables, *, reader=False):
    """Data for the page."""
    settings = dict(PAGE_SETTINGS)
    if reader:
        del settings["generation"]
    return StudyData("tiny", "data", tables, settings)
