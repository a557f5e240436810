"""What a rule does at every threshold, and which one is chosen."""

import numpy as np
import pytest
from tiny_exits import random_thoughts
from tiny_guarantees import CONFIDENT, UNSURE, cue_thought

from doubletake.exit_rules.deer import Deer
from doubletake.exit_rules.families import families
from doubletake.exit_rules.published import RULES, policies_for
from doubletake.exit_rules.replay import replay
from doubletake.exit_rules.thresholds import chosen_threshold, spent_tokens
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.guarantees import RiskSettings, certify
from exit_guarantees.outcomes import Outcome, Outcomes

RISK = RiskSettings(epsilon=0.05, delta=0.1)


def sure(count, losing, end="8"):
    """Thoughts at which DEER stops from 0.95 on; the first `losing` are wrong there."""
    return [cue_thought(k, CONFIDENT, right=k >= losing, end=end) for k in range(count)]


def certificate(thoughts):
    found = Outcomes.of(Deer("deer"), thoughts)
    return certify(found.lost, found.grid, RISK)


def test_outcomes_are_those_of_the_replay():
    thoughts = random_thoughts(40, 12, seed=0, per_problem=2)
    found = Outcomes.of(Deer("deer"), thoughts, [0.33])
    for threshold, outcome in found.at.items():
        if threshold is None:
            continue
        stops = replay(Deer("deer", threshold), thoughts)
        assert (outcome.right == stops.right).all()
        assert (outcome.spent == spent_tokens(stops)).all()
        assert (outcome.stopped == (stops.point >= 0)).all()
    assert 0.33 in found.at
    assert 0.33 not in found.grid
    end = found.at[None]
    assert (end.spent == end.full).all()
    assert (end.right == end.right_at_end).all()
    assert not end.stopped.any()
    assert not end.lost.any()
    assert found.lost.shape == (40, len(Deer.grid))


def test_the_choice_is_that_of_one_standard_error():
    for seed in range(5):
        thoughts = random_thoughts(60, 10, seed=seed, per_problem=2)
        expected = chosen_threshold(Deer("deer"), thoughts).threshold
        assert Outcomes.of(Deer("deer"), thoughts).chosen() == expected


def test_no_thought_chooses_the_end_and_no_grid_is_refused():
    assert Outcomes.of(Deer("deer"), []).chosen() is None
    with pytest.raises(ValueError, match="to_the_end has no grid"):
        Outcomes.of(RULES["to_the_end"], sure(2, 0))


def test_certified_thresholds_of_a_rule():
    # 0.97 and above never stop; from 0.95 on all thoughts stop
    assert certificate(sure(60, 0)).threshold == 0.5
    found = certificate(sure(60, 10))
    assert (found.threshold, found.losses) == (0.97, 0)
    assert certificate(sure(44, 0)).threshold is None
    wrong_at_the_end = certificate(sure(60, 60, end="7"))
    assert wrong_at_the_end.threshold == 0.5  # nothing to lose


def test_numbers_by_hand():
    thoughts = [
        cue_thought("a", CONFIDENT),
        cue_thought("b", CONFIDENT, right=False),
        cue_thought("c", UNSURE, right=False),
        cue_thought("d", CONFIDENT, end="7"),
    ]
    found = Outcomes.of(Deer("deer"), thoughts).at[0.95]
    none = IntervalSettings()
    assert found.stopped.tolist() == [True, True, False, True]
    assert found.lost.tolist() == [False, True, False, False]
    # one trial token each; three stop at 30 of 100 tokens
    assert found.total_rate(none).value == pytest.approx((3 * 31 + 101) / 400)
    assert found.accuracy(none).value == 0.75  # c goes on, d is mended
    assert found.change(none).value == 0
    assert found.risk(none).value == 0.25
    twice = Outcome.joined([found, found])
    assert (len(twice.right), twice.problems) == (8, 4)


def test_rules_that_differ_in_their_threshold_are_one_family():
    found = families(policies_for("</think>\\boxed{"))
    assert [rule.name for rule in found["cue"]] == ["cue_1", "cue_2", "cue_3"]
    assert len(found["dynasor"]) == 4  # every 64 tokens
    assert [rule.name for rule in found["dynasor_crazy"]] == ["dynasor_crazy"]
    assert {"budget", "convergence", "deer", "deer_qwen3"} < set(found)
    assert {"lynx", "to_the_end", "no_thought"}.isdisjoint(found)
    names = [rule.name for rules in found.values() for rule in rules]
    assert sorted(names) == sorted(rule.name for rule in RULES.values() if rule.grid)
    for rules in found.values():
        assert len({rule.grid for rule in rules}) == 1
        assert np.isfinite([rule.threshold for rule in rules]).all()
