"""DEER, with the confidence computed by hand."""

import math

import pytest
from tiny_exits import history, trial_point

from doubletake.exit_rules.deer import Deer
from doubletake.exit_rules.rule import Watch

HALF, MOST = math.log(0.5), math.log(0.98)


def last(**known):
    return [trial_point(10, ("cue",), **known)]


def test_it_takes_the_mean_probability_from_the_second_token_on():
    # "\boxed" in the prompt: "{" is token 0. (0.98 + 0.5) / 2 = 0.74
    tried = last(trial_logprobs=(math.log(0.1), MOST, HALF))
    assert Deer("deer", skip=1).score(tried) == pytest.approx(0.74)
    # "\boxed{" in the prompt: (0.1 + 0.98 + 0.5) / 3
    assert Deer("deer").score(tried) == pytest.approx(1.58 / 3)


def test_the_form_for_qwen3_takes_the_geometric_mean_and_an_ended_trial():
    rule = Deer("deer_qwen3", form="qwen3")
    tried = last(trial_logprobs=(MOST, HALF))
    assert rule.score(tried) == pytest.approx(math.sqrt(0.98 * 0.5))  # 0.7
    unended = last(trial_logprobs=(0.0,), trial_ended=False)
    assert not rule.decide(unended)
    assert Deer("deer").decide(unended)


def test_the_threshold_itself_does_not_stop():
    rule = Deer("deer", 0.5)
    assert not rule.decide(last(trial_logprobs=(HALF,)))  # c = 0.5 is not above 0.5
    assert rule.decide(last(trial_logprobs=(HALF + 1e-6,)))


def test_no_token_gives_no_confidence_and_an_empty_answer_may_stop():
    assert Deer("deer").score(last(trial_logprobs=())) == 0
    assert Deer("deer", skip=1).score(last(trial_logprobs=(0.0,))) == 0
    assert Deer("deer").decide(last(answer=None, trial_logprobs=(0.0,)))


def test_it_looks_at_ten_cues_and_no_more():
    watch = Watch(Deer("deer"))
    sure = {"trial_logprobs": (0.0,)}
    points = history("cue", *[{}] * 10, sure)
    assert [watch.stops_at(point) for point in points] == [False] * 11
    assert watch.needs_at(points[-1]) is None
    assert Watch(Deer("deer", most=11)).needs_at(points[-1]) == {"trial"}
    assert not Deer("deer").looks_at(trial_point(10, ("sentence",)))
