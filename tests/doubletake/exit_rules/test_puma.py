"""PUMA's composite, step by step."""

import math

import pytest
from tiny_exits import history, thought_of

from doubletake.exit_rules.published import RULES
from doubletake.exit_rules.puma import Puma, word_cosine
from doubletake.exit_rules.replay import replay

SAME = "so it is eight apples"
SURE, LESS, WEAK = ((math.log(p),) for p in (0.99, 0.97, 0.95))


def steps(*knowns):
    shared = {"chunk": SAME, "answer": "8", "trial_logprobs": SURE}
    return history("paragraph", *(shared | known for known in knowns))


def new(number):
    return {"chunk": f"word{number}"}


def test_the_cosine_of_word_counts():
    # (2, 1) and (1, 0, 1): 2 / (sqrt(5) sqrt(2))
    assert word_cosine("a a b", "A c") == pytest.approx(2 / math.sqrt(10))
    assert word_cosine("", "a") == 0
    assert word_cosine("a", "b") == 0
    # four words, one in common: 1 / 4 is below the gate of 0.35, two are not: 2 / 4
    assert word_cosine("a b c d", "a x y z") == 0.25
    assert word_cosine("a b c d", "a b y z") == 0.5


def test_two_agreeing_trials_stop_from_the_tenth_step_on():
    rule = Puma("puma")
    assert not rule.decide(steps(*[{}] * 9))
    assert rule.decide(steps(*[{}] * 10))
    assert rule.least_points == 10
    assert rule.score(steps(*[{}] * 10)) == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("first", "second", "stops"),
    [
        ({}, {"trial_logprobs": LESS}, True),  # 0.97 >= 0.99 - 0.03
        ({}, {"trial_logprobs": WEAK}, False),  # 0.95 < 0.96
        ({"trial_logprobs": LESS}, {}, False),  # the first has 0.97 < 0.98
        ({"answer": "7"}, {}, False),
        ({"answer": None}, {"answer": None}, False),
        ({}, {"chunk": "something else"}, False),  # no trial at the last step
    ],
)
def test_what_the_last_two_trials_must_be(first, second, stops):
    assert Puma("puma").decide(steps(*[{}] * 8, first, second)) is stops


def test_a_new_step_has_no_trial_and_does_not_break_the_agreement():
    # step 10 has new words, step 11 too, step 12 repeats it: trials are 9 and 12
    points = steps(*[{}] * 9, new(1), new(2), new(2))
    rule = Puma("puma")
    assert [rule.needs_at(points[:n]) for n in (1, 9, 10, 11, 12)] == [
        *({"trial"}, {"trial"}),
        *(set(), set(), {"trial"}),
    ]
    assert not rule.decide(points[:11])
    assert rule.decide(points)


def test_the_loop_breaker():
    weak = {"trial_logprobs": (math.log(0.81),)}  # too weak to stop, not for a loop
    fresh = [new(n) | weak for n in range(50)]
    loop = [new(49) | weak] * 3
    points = steps(*fresh, *loop)
    rule = Puma("puma")
    assert not rule.decide(points[:52])  # two redundant steps after step 50
    assert rule.score(points) == math.inf
    assert rule.decide(points)
    assert not rule.decide(points[1:])  # one of the three is step 50
    unsure = [known | {"trial_logprobs": (math.log(0.7),)} for known in fresh + loop]
    assert not rule.decide(steps(*unsure))


def test_only_trials_at_redundant_steps_are_billed():
    points = steps({}, {}, new(1), new(2), {}, {})  # trials at steps 1, 2 and 6
    stops = replay(RULES["puma"], [thought_of(points)])
    assert stops.bill[0].tolist() == [3, 3, 0, 0]
    assert not stops.able[0]
