"""Figures of the two checks of exits against figures counted by hand."""

import math

import pytest
import torch

from doubletake.model.continuations import Continuation
from doubletake.model.forced_answers import ForcedAnswer
from early_exit.verification_figures import (
    ReplayDifferences,
    RetokenizationEffect,
    RoundingErrors,
    same_answer,
)


def test_equal_answers_and_log_probs_are_counted():
    effect = RetokenizationEffect(exits=5, changed=3)
    for one, other in ((("8", -1.0), ("8", -1.5)), (("8", -1.0), (None, None))):
        effect.compare(*({"answer": a, "whole_logprob": p} for a, p in (one, other)))
    values = [(item.value, item.n) for item in effect.figures()]
    assert values == [(0.6, 5), (0.5, 2), (0.5, 1)]
    assert [item.value for item in RetokenizationEffect().figures()] == [
        None,
        None,
        None,
    ]


def test_a_nan_stays_the_largest_difference():
    differences = ReplayDifferences()
    one, other = Continuation(), Continuation()
    for number in (0.0, float("nan"), 0.5):
        one.add(1, [number, 0.0, 0.0, 0.0])
        other.add(1, [0.0, 0.0, 0.0, 0.0])
    differences.add(one, other, [1, 1, 1], prompt=None)
    logit, logprob, whole, equal, other = differences.figures(torch.float32)
    assert math.isnan(logit.value)
    assert (logprob.value, equal.value, other.value) == (0.0, 1.0, 0.0)
    assert (whole.value, whole.n) == (None, 0)  # no answer ended


class Digits:
    """Reads tokens as digits of a number that 0 or 9 ends."""

    def read(self, tokens):
        ended = tokens[-1] in (0, 9)
        number = "".join(str(token) for token in tokens if token not in (0, 9))
        return ForcedAnswer(number, len(tokens), ended)


@pytest.mark.parametrize(
    ("tokens", "choices", "same"),
    [
        ([1, 2, 0], [1, 2, 0], True),
        ([1, 2, 3], [1, 2, 3], True),  # the same, although no answer has ended
        ([1, 2, 0], [1, 2, 9], True),  # another token ends the same number
        ([1, 2, 0], [1, 0, 0], False),
        ([1, 2, 0], [1, 3, 0], False),  # what follows 3 is not known
        ([1, 2, 3], [1, 2, 9], False),
    ],
)
def test_answers_are_compared_up_to_the_first_other_token(tokens, choices, same):
    assert same_answer(tokens, choices, Digits()) == same


def test_other_answers_exceed_the_bound():
    differences, rounding = ReplayDifferences(), RoundingErrors()
    one, other, exact = Continuation(), Continuation(), Continuation()
    for token, logit in ((1, 0.0), (2, 1.0), (0, 3.0)):
        one.add(token, [logit, 0.0, 0.0, 0.0])
        other.add(token, [logit + 0.25, 0.0, 0.0, 0.0])
        exact.add(token, [logit - 0.5, 0.0, 0.0, 0.0])
    for choices in ([1, 2, 0], [1, 2, 9], [1, 3, 0], [1, 2, 0]):
        differences.add(one, other, choices, Digits())
        rounding.add(one, other, exact, choices, Digits())
    equal, changed = differences.figures(torch.bfloat16)[3:]
    assert (equal.value, equal.bound) == (0.5, None)
    assert (changed.value, changed.bound, changed.n) == (0.25, 0.01, 4)
    assert changed.value > changed.bound
    values = [(item.value, item.n) for item in rounding.figures(torch.bfloat16)]
    assert values == [(0.5, 12), (0.75, 12), (0.25, 4)]
    assert rounding.figures(torch.float32) == []
    assert [item.value for item in RoundingErrors().figures(torch.float16)] == [
        None
    ] * 3
