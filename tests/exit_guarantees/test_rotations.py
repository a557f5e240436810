"""No problem is reported with a threshold or a probe that it has chosen or trained."""

import polars as pl
import pytest
from tiny_guarantees import cue_thought, turns_of

from doubletake.exit_rules.points import KINDS
from doubletake.exit_rules.splits import problem_groups, training_group
from doubletake.running.errors import InputError
from exit_guarantees.rotations import rotations, scores_of
from exit_probes.tables import EXIT_PROBE_SCORES
from trial_points.tables import TRIAL_POINTS

PROBLEMS = [f"p{number}" for number in range(7)]
SAMPLES = 2


def tables():
    """Two thoughts of three points on each problem."""
    names = [(f"{p}/{k}", p) for p in PROBLEMS for k in range(SAMPLES)]
    points = [
        dict.fromkeys(TRIAL_POINTS.schema, 0)
        | {"trace": trace, "problem": problem, "point": number}
        | {"tokens_before": number, "tokens_read": number}
        | {kind: kind == "cue" and number > 0 for kind in KINDS}
        | {"arrival_value": None, "chunk": "", "trial_text": "", "answer": None}
        | {"trial_ids": [], "trial_logprobs": [-0.1], "trial_ended": True}
        | {"correct": False}
        for trace, problem in names
        for number in range(3)
    ]
    traces = pl.DataFrame(
        [
            {"trace": trace, "problem": problem, "prompt_ids": [0], "correct": True}
            | {"offsets": [0, 1, 2], "thought_start": 0, "thought_end": 4}
            | {"answer": "8"}
            for trace, problem in names
        ]
    )
    return TRIAL_POINTS.frame(points), traces


def scores(groups):
    """The score of each point says which group has trained its probe."""
    rows = [
        {"rule": rule, "trace": f"{p}/{k}", "problem": p, "point": point}
        | {"group": groups[p], "trained_on": trained, "score": trained / 10 + shift}
        for rule, shift in (("lynx", 0.0), ("correctness_probe", 0.5))
        for p in PROBLEMS
        for k in range(SAMPLES)
        for point in (1, 2)
        for trained in {0, 1, 2} - {groups[p]}
    ]
    return EXIT_PROBE_SCORES.frame(rows)


def test_every_thought_is_reported_once_and_chosen_on_once():
    points, traces = tables()
    found = rotations(points, traces, 0)
    for part in ("reported", "calibration"):
        names = [one.trace for turn in found for one in getattr(turn, part)]
        assert sorted(names) == sorted(traces["trace"])
    for turn in found:
        chosen = {one.problem for one in turn.calibration}
        assert chosen.isdisjoint({one.problem for one in turn.reported})


def test_calibration_and_report_share_a_probe_that_neither_has_trained():
    points, traces = tables()
    groups = problem_groups(PROBLEMS, 0)
    for rule, shift in (("lynx", 0.0), ("correctness_probe", 0.5)):
        own = scores_of(scores(groups), rule, points, 0)
        for turn in rotations(points, traces, 0, own):
            trained = training_group(turn.group)
            for thought in (*turn.calibration, *turn.reported):
                assert groups[thought.problem] != trained
                known = [point.probe_score for point in thought.points]
                expected = pytest.approx(trained / 10 + shift)
                assert known == [None, expected, expected]


def test_scores_of_a_probe_that_has_seen_the_problem_are_refused():
    points, _ = tables()
    groups = problem_groups(PROBLEMS, 0)
    shifted = {name: (group + 1) % 3 for name, group in groups.items()}
    with pytest.raises(InputError, match="its own group"):
        scores_of(scores(shifted), "lynx", points, 0)


def test_one_thought_of_each_problem_is_drawn_for_both():
    thoughts = [cue_thought(k, 0.9, sample=n) for k in range(9) for n in range(3)]
    for turn in turns_of(thoughts):
        single = turn.one_per_problem(0)
        assert (len(turn.reported), len(single.reported)) == (9, 3)
        assert {one.problem for one in single.calibration} == {
            one.problem for one in turn.calibration
        }
