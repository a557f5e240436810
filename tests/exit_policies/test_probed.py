"""LYNX is calibrated on other problems, with the same probe; stops of parts join."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tiny_exits import history, random_thoughts, thought_of

from doubletake.exit_rules.conformal import conformal_quantile
from doubletake.exit_rules.counts import CueCount
from doubletake.exit_rules.probes import Lynx
from doubletake.exit_rules.replay import replay
from doubletake.exit_rules.splits import (
    calibration_group,
    problem_groups,
    training_group,
)
from exit_policies.probed import calibration_rows, joined, probed_thoughts, replay_lynx
from exit_probes.tables import EXIT_PROBE_QUALITY, EXIT_PROBE_SCORES
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

DELTA, SEED = 0.2, 3


def studied(problems=90, seed=0):
    """Thoughts with two cues each, and the scores of probes of both other groups."""
    rng = np.random.default_rng(seed)
    names = [f"{number:03d}" for number in range(problems)]
    groups = problem_groups(names, SEED)
    thoughts, rows = [], []
    for name in names:
        right = rng.random(2) < 0.6
        knowns = []
        for point, flag in enumerate(right):
            for trained_on in {0, 1, 2} - {groups[name]}:
                # Each probe has a level of its own.
                odds = 2 * flag - 1 + rng.normal() + trained_on
                score = 1 / (1 + math.exp(-odds))
                rows.append(
                    ("lynx", f"{name}/0", name, point, groups[name], trained_on)
                )
                rows[-1] += (score,)
                if trained_on == training_group(groups[name]):
                    own = score
            knowns.append({"answer": "8" if flag else "7", "probe_score": own})
        points = history("cue", *knowns)
        thoughts.append(thought_of(points, trace=f"{name}/0", problem=name))
    table = EXIT_PROBE_SCORES.frame(rows)
    return thoughts, table, groups


def test_each_group_stops_where_its_own_calibration_says():
    thoughts, scores, groups = studied()
    stops, exits = replay_lynx(Lynx("lynx"), thoughts, scores, DELTA, SEED)
    right = {thought.trace: thought.right[1:] for thought in thoughts}
    limits = {}
    for group in range(3):
        calibration = [
            (row["score"], right[row["trace"]][row["point"]])
            for row in scores.iter_rows(named=True)
            if row["trained_on"] == training_group(group)
            and row["group"] == calibration_group(group)
        ]
        assert len(calibration) == 60
        p, labels = map(np.array, zip(*calibration, strict=True))
        q_right = conformal_quantile(1 - p[labels], DELTA)
        q_wrong = conformal_quantile(p[~labels], DELTA)
        assert (exits[group].q_right, exits[group].q_wrong) == (q_right, q_wrong)
        limits[group] = (q_right, q_wrong)
    assert len(set(limits.values())) == 3
    for thought, point in zip(thoughts, stops.point, strict=True):
        q_right, q_wrong = limits[groups[thought.problem]]
        passed = [
            number
            for number, at in enumerate(thought.points)
            if 1 - at.probe_score <= q_right and at.probe_score > q_wrong
        ]
        assert point == (passed[0] if passed else -1)
    assert 0 < (stops.point >= 0).sum() < len(thoughts)


def test_wrong_cues_are_stopped_at_no_more_often_than_delta():
    """Mean over 100 studies; with scores of another probe it would be more."""
    wrong = stopped = 0
    for seed in range(100):
        thoughts, scores, groups = studied(90, seed)
        _, exits = replay_lynx(Lynx("lynx"), thoughts, scores, DELTA, SEED)
        for thought in thoughts:
            one = exits[groups[thought.problem]]
            for at, right in zip(thought.points, thought.right[1:], strict=True):
                wrong += not right
                in_set = 1 - at.probe_score <= one.q_right
                stopped += not right and in_set and at.probe_score > one.q_wrong
    assert stopped / wrong <= DELTA + 0.02


def test_few_wrong_cues_stop_nothing():
    thoughts, scores, _ = studied(9)
    stops, exits = replay_lynx(Lynx("lynx"), thoughts, scores, 0.01, SEED)
    assert (stops.point == -1).all()
    assert all(row["q_wrong"] is None for row in calibration_rows(exits))
    assert not any(row["can_stop"] for row in calibration_rows(exits))
    nobody, exits = replay_lynx(Lynx("lynx"), [], scores.clear(), 0.1, SEED)
    assert len(nobody.thoughts) == len(nobody.point) == 0
    assert len(calibration_rows(exits)) == 3


def test_stops_of_parts_are_those_of_the_whole():
    thoughts = [
        replace(one, trace=f"{number}/0")
        for number, one in enumerate(random_thoughts(30, 8, seed=0))
    ]
    rule = CueCount("cue_2", 2)
    whole = replay(rule, thoughts)
    parts = [replay(rule, thoughts[start::3]) for start in (1, 0, 2)]
    again = joined(parts, thoughts)
    assert again.frame().equals(whole.frame())
    assert (whole.point >= 0).any()


def test_a_missing_probe_is_the_reason():
    rows = [
        {
            "rule": rule,
            "trained_on": group,
            "why_not": "few" if (rule, group) == ("lynx", 1) else None,
            "points": 0,
            "problems": 0,
            "work": 0.5,
            "tested": 0,
            "tested_problems": 0,
        }
        for rule in ("correctness_probe", "lynx")
        for group in range(3)
    ]
    found = probed_thoughts(
        TRIAL_POINTS.frame([]),
        TRACES.frame([]),
        EXIT_PROBE_SCORES.frame([]),
        EXIT_PROBE_QUALITY.frame(rows),
    )
    assert found.refused == {"lynx": "lynx has no probe of group 1: few"}
    assert found.thoughts == {"correctness_probe": []}
    assert found.work == {"correctness_probe": pytest.approx(0.5)}
