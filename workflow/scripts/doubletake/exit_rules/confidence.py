"""Confidence of a trial answer: a mean probability of its tokens."""

import math
from collections.abc import Sequence


def arithmetic_mean(logprobs: Sequence[float]) -> float:
    """Mean probability; 0 without a token."""
    if not logprobs:
        return 0.0
    return math.fsum(map(math.exp, logprobs)) / len(logprobs)


def geometric_mean(logprobs: Sequence[float]) -> float:
    """Exponential of the mean log-prob; 0 without a token."""
    return math.exp(math.fsum(logprobs) / len(logprobs)) if logprobs else 0.0
