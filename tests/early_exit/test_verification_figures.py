"""Figures of the two checks of exits against figures counted by hand."""

import math

import torch

from early_exit.shared_prefill import Continuation
from early_exit.verification_figures import ReplayDifferences, RetokenizationEffect


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
    logit, logprob, whole, equal = differences.figures(torch.float32)
    assert math.isnan(logit.value)
    assert (logprob.value, equal.value) == (0.0, 1.0)
    assert (whole.value, whole.n) == (None, 0)  # no answer ended
