"""Rules that count or read a probe, and policies in hindsight."""

import math
from dataclasses import replace

import pytest
from tiny_exits import exits, history, thought_of, trial_point

from doubletake.exit_rules.hindsight import Oracle, TokenShare
from doubletake.exit_rules.probes import CorrectnessProbe, Lynx
from doubletake.exit_rules.published import (
    HINDSIGHT,
    POLICIES,
    RULES,
    policies_for,
    why_not,
)
from doubletake.exit_rules.replay import replay


def stop(policy, *thoughts):
    return replay(policy, thoughts).point.tolist()


def test_the_kth_cue_and_the_first_arrival():
    points = [
        trial_point(10, ("sentence",)),
        trial_point(20, ("arrival",), arrivals=1),
        trial_point(30, ("cue",), arrivals=1, cues=1),
        trial_point(40, ("cue", "arrival"), arrivals=2, cues=2),
    ]
    thought = thought_of(points)
    assert stop(RULES["cue_1"], thought) == [2]
    assert stop(RULES["cue_2"], thought) == [3]
    assert stop(RULES["cue_3"], thought) == [-1]
    assert stop(RULES["first_arrival"], thought) == [1]
    assert stop(RULES["first_arrival"], thought_of(points[:1])) == [-1]
    assert replay(RULES["cue_1"], [thought]).bill.sum() == 0


def test_a_token_budget_stops_at_the_first_point_at_or_after_it():
    thought = exits(["8"] * 4, step=100)
    assert stop(RULES["budget_256"], thought) == [2]  # token 300
    assert stop(RULES["budget_256"].with_threshold(300), thought) == [2]
    assert stop(RULES["budget_1024"], thought) == [-1]


def test_no_thought_and_the_end():
    points = [trial_point(0, ("every",), answer="7"), trial_point(50, ("end",))]
    thought = thought_of(points, tokens=50)
    none, whole = (
        replay(RULES[name], [thought]) for name in ("no_thought", "to_the_end")
    )
    assert (none.kept[0], none.answers(), none.right[0]) == (0, ["7"], False)
    assert (whole.kept[0], whole.answers(), whole.right[0]) == (50, ["8"], True)
    without = replay(RULES["no_thought"], [thought_of(points[1:], tokens=50)])
    assert (without.point[0], without.able[0]) == (-1, False)


def test_no_rule_looks_at_the_mere_end_and_only_one_before_the_thought():
    start = trial_point(0, ("every", "sentence", "paragraph", "cue", "arrival"))
    end = trial_point(50, ("end",))
    for name, rule in RULES.items():
        assert rule.looks_at(start) == (name == "no_thought")
        assert not rule.looks_at(end)


def test_the_probe_at_arrivals():
    rule = CorrectnessProbe("correctness_probe")
    sure = history("arrival", {"probe_score": 0.85})
    assert rule.decide(sure)
    assert not rule.decide(history("arrival", {"probe_score": 0.84}))
    assert rule.looks_at(sure[0])
    assert not rule.looks_at(trial_point(10, ("cue",)))
    assert replay(rule, [thought_of(sure)]).bill[0].tolist() == [0, 0, 0, 1]
    with pytest.raises(ValueError, match="correctness_probe: the point at token 10"):
        rule.decide(history("arrival", {"probe_score": None}))


@pytest.mark.parametrize(
    ("p", "stops"),
    [(0.69, False), (0.7, True), (0.95, True)],  # right is in the set from 0.7 on
)
def test_lynx_stops_where_right_is_alone_in_the_set(p, stops):
    rule = Lynx("lynx", threshold=0.4, q_right=0.3 + 1e-12)
    assert rule.decide(history("cue", {"probe_score": p})) is stops


def test_lynx_goes_on_where_wrong_is_in_the_set_too():
    rule = Lynx("lynx", threshold=0.8, q_right=0.5)
    assert not rule.decide(history("cue", {"probe_score": 0.8}))  # p <= q_wrong
    assert rule.decide(history("cue", {"probe_score": 0.81}))
    assert not RULES["lynx"].decide(history("cue", {"probe_score": 1.0}))
    endless = Lynx("lynx", threshold=0.8, q_right=math.inf)
    assert endless.decide(history("cue", {"probe_score": 0.81}))


def test_a_share_of_the_tokens():
    thought = exits(["8"] * 4)  # tokens 10 to 40 of 50
    shares = [
        stop(TokenShare("share", share), thought)[0] for share in (0, 0.4, 0.5, 0.81)
    ]
    assert shares == [0, 1, 2, -1]
    whole = thought_of([trial_point(100, ("end",))])
    assert stop(TokenShare("share", 1.0), whole) == [-1]


@pytest.mark.parametrize(
    ("answers", "end", "lasting", "earliest"),
    [
        (["7", "8", "8"], "8", 1, 1),
        (["8", "7", "8"], "8", 2, 0),
        (["8", "8", None], "8", -1, 0),
        (["8", "8", "8"], "7", -1, 0),  # right before a wrong end
        (["8", "8"], None, -1, 0),  # an unclosed thought has no answer
        (["7", None], "8", -1, -1),
        ([], "8", -1, -1),
    ],
)
def test_the_oracles(answers, end, lasting, earliest):
    thought = exits(answers, end=end)
    assert stop(Oracle("oracle"), thought) == [lasting]
    assert stop(Oracle("oracle_any", lasting=False), thought) == [earliest]


def test_an_oracle_needs_the_right_answer():
    with pytest.raises(ValueError, match="right answer is not known"):
        stop(HINDSIGHT["oracle"], exits(["8"], gold=None))


def test_names_are_those_of_the_policies():
    assert len(POLICIES) == len(RULES) + len(HINDSIGHT)
    assert all(policy.name == name for name, policy in POLICIES.items())


def test_grids_go_from_the_most_careful_to_the_boldest():
    for rule in RULES.values():
        up = type(rule).compare(1.0, 0.0)
        assert list(rule.grid) == sorted(set(rule.grid), reverse=up), rule.name


KINDS_LEFT = ["sentence", "paragraph", "cue", "arrival", "every"]


def reason(name, every=32, kinds=KINDS_LEFT, **known):
    thoughts = [thought_of([trial_point(3, ("cue", "arrival"), **known)])]
    return why_not(RULES[name], thoughts, kinds, every)


def test_a_rule_with_a_stride_needs_points_at_its_multiples():
    assert reason("dynasor_mid") is None
    assert reason("deer", every=50) is None
    assert "every 64 tokens" in reason("dynasor_mid", every=50)


def test_a_rule_needs_points_of_its_kind():
    assert "cue, which are left out" in reason("deer", kinds=["sentence"])
    assert reason("budget_64", kinds=["sentence"]) is None
    assert reason("to_the_end", kinds=[]) is None
    assert reason("no_thought", kinds=[]) is None


def test_a_probe_rule_needs_scores_where_it_looks():
    assert reason("lynx") is None
    assert "no score" in reason("lynx", probe_score=None)
    assert reason("deer", probe_score=None) is None


def test_deer_leaves_out_a_brace_that_the_prompt_does_not_hold():
    skips = [policies_for(text)["deer"].skip for text in ("\\boxed{", "\\boxed")]
    assert skips == [0, 1]
    assert policies_for("\\boxed").keys() == POLICIES.keys()


def test_what_only_the_end_marker_shows_is_no_exit():
    last = trial_point(50, ("sentence", "arrival", "end"), answer="8", arrivals=1)
    thought = thought_of([trial_point(20), last], tokens=51)
    assert stop(RULES["first_arrival"], thought) == [-1]
    assert stop(TokenShare("late", 0.9), thought) == [-1]
    counted = trial_point(64, ("every", "sentence", "end"))
    assert stop(RULES["budget_64"], thought_of([counted], tokens=65)) == [0]
    assert thought_of([counted]).exits == (0,)
    assert thought.exits == (0,)


def test_a_rule_that_needs_all_points_of_a_kind_refuses_a_limit():
    points = [trial_point(3, ("cue",))]
    limited = replace(thought_of(points), left_out=2)
    kinds = KINDS_LEFT
    assert "leaves out points" in why_not(RULES["cue_1"], [limited], kinds, 32)
    assert why_not(RULES["budget_64"], [limited], kinds, 32) is None


def test_a_marker_that_never_follows_a_point_is_not_read():
    end = [trial_point(50, ("sentence", "end"))]
    spaced, direct = thought_of(end, tokens=51), thought_of(end, tokens=50)
    cut_off = replace(direct, closed=False)
    for name in ("thinkbrake", "boosted_end"):
        rule = RULES[name]
        assert "in none of 1 closed" in why_not(rule, [spaced], KINDS_LEFT, 32)
        assert "white space" in why_not(rule, [spaced, cut_off], KINDS_LEFT, 32)
        assert why_not(rule, [spaced, direct], KINDS_LEFT, 32) is None
    assert why_not(RULES["deer"], [spaced], KINDS_LEFT, 32) is None
