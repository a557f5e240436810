"""Replay: the same stops as decisions one after the other, and what they cost."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tiny_exits import exits, history, random_thoughts, thought_of, trial_point

from doubletake.exit_rules.deer import Deer
from doubletake.exit_rules.published import POLICIES, RULES
from doubletake.exit_rules.replay import AT_END, BILLED, Looks, replay
from doubletake.exit_rules.rule import Watch
from doubletake.exit_rules.thoughts import Thought

THOUGHTS = [
    *random_thoughts(60, 40, seed=1),
    *random_thoughts(20, 60, seed=2, dense=True),
    *random_thoughts(20, 3, seed=3),
    thought_of(),
]


def decided(rule, thought):
    """Decisions one after the other, with only what the rule asks for counted."""
    watch, bill = Watch(rule), np.zeros(4, dtype=int)
    for number, point in enumerate(thought.points):
        needs = watch.needs_at(point)
        if needs is not None:
            tokens = len(point.trial_logprobs) * ("trial" in needs)
            bill += ["trial" in needs, tokens, "entropy" in needs, "probe" in needs]
        if watch.stops_at(point):
            return number, bill.tolist()
    return AT_END, bill.tolist()


@pytest.mark.parametrize("name", RULES)
def test_replay_gives_the_decisions_one_after_the_other(name):
    rule = RULES[name]
    looks, stopped = Looks.of(rule, THOUGHTS), set()
    for threshold in (rule.threshold, *rule.grid):
        stops = looks.stops(threshold)
        expected = [decided(rule.with_threshold(threshold), t) for t in THOUGHTS]
        assert list(zip(stops.point, stops.bill.tolist(), strict=True)) == expected
        stopped |= set(stops.point.tolist())
    assert len(stopped) > 1 or name in ("to_the_end", "lynx")


@pytest.mark.parametrize("name", RULES)
def test_a_thought_with_too_few_looks_is_not_stopped(name):
    stops = replay(RULES[name], THOUGHTS)
    assert (stops.point[~stops.able] == AT_END).all()
    assert not stops.able[-1]


@pytest.mark.parametrize("name", RULES)
def test_a_decision_depends_on_nothing_after_the_point(name):
    for thought in THOUGHTS[:30]:
        stop = replay(RULES[name], [thought]).point[0]
        for cut in (len(thought.points) // 2, len(thought.points) - 1):
            begun = thought_of(thought.points[:cut], tokens=thought.tokens)
            expected = stop if stop < cut else AT_END
            assert replay(RULES[name], [begun]).point[0] == expected


@pytest.mark.parametrize("name", RULES)
def test_a_rule_reads_only_what_it_asks_for(name):
    rule = RULES[name]
    changed = {
        "trial": {"trial_text": "wait", "answer": "9", "trial_logprobs": (0.0,)},
        "entropy": {"entropy": 0.0},
        "marker": {"marker_logprob": 0.0, "best_other_logprob": -9.0},
        "probe": {"probe_score": 1.0},
    }
    for thought in THOUGHTS[:40]:
        other = []
        watch = Watch(rule)
        for point in thought.points:
            needs = watch.needs_at(point) or frozenset()
            free = [changed[need] for need in changed if need not in needs]
            other.append(point_with(point, free))
            watch.add(point)
        altered = thought_of(other, tokens=thought.tokens)
        stops = (replay(rule, [each]).point[0] for each in (thought, altered))
        assert len(set(stops)) == 1


def point_with(point, changes):
    return replace(point, **{key: v for change in changes for key, v in change.items()})


def test_bold_thresholds_never_stop_later():
    for rule in RULES.values():
        looks = Looks.of(rule, THOUGHTS)
        kept = [looks.stops(threshold).kept for threshold in rule.grid]
        assert all((b <= a).all() for a, b in pairwise(kept))


def test_the_bill_counts_trials_up_to_the_stop_and_all_without_a_stop():
    sure, unsure = (
        {"trial_logprobs": logprobs} for logprobs in ((0.0,) * 3, (-9.0,) * 5)
    )
    points = history("cue", unsure, unsure, sure, sure)
    stopped = replay(Deer("deer"), [thought_of(points)])
    assert stopped.point[0] == 2
    assert dict(zip(BILLED, stopped.bill[0], strict=True)) == {
        "trials": 3,
        "trial_tokens": 13,
        "entropies": 0,
        "probes": 0,
    }
    whole = replay(Deer("deer"), [thought_of(points[:2])])
    assert (whole.kept[0], whole.trial_tokens[0]) == (100, 10)


def test_a_rule_sees_the_text_since_its_last_look():
    watch = Watch(RULES["puma"])
    for token, kind, chunk in (
        (1, "sentence", "a. "),
        (2, "paragraph", "b.\n\n"),
        (3, "cue", "c. "),
        (4, "sentence", "d. "),
        (5, "paragraph", "e.\n\n"),
    ):
        watch.add(trial_point(token, (kind,), chunk=chunk))
    assert [point.chunk for point in watch.history] == ["a. b.\n\n", "c. d. e.\n\n"]


def test_the_frame_of_all_policies():
    for name, policy in POLICIES.items():
        frame = replay(policy, THOUGHTS).frame()
        assert frame.height == len(THOUGHTS)
        assert frame["policy"].unique().to_list() == [name]
        assert (frame["kept"] <= frame["full"]).all()
        at_end = frame.filter(frame["point"].is_null())
        assert (at_end["kept"] == at_end["full"]).all()
    assert replay(RULES["deer"], []).frame().height == 0


def test_points_out_of_order_or_outside_are_refused():
    with pytest.raises(ValueError, match="not in order"):
        thought_of([trial_point(2), trial_point(2)])
    with pytest.raises(ValueError, match="outside"):
        thought_of([trial_point(101)])
    assert isinstance(exits(["8"]), Thought)
