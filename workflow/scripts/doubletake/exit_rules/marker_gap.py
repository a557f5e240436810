"""Rules that read only how near the end-of-thought marker is to being written."""

import operator
from dataclasses import dataclass

from doubletake.exit_rules.points import (
    ARRIVAL,
    CUE,
    EVERY,
    PARAGRAPH,
    SENTENCE,
    History,
)
from doubletake.exit_rules.rule import MARKER, Rule


@dataclass(frozen=True)
class ThinkBrake(Rule):
    """ThinkBrake (arXiv 2510.00546): no trial, only the marker's log-prob.

    At the end of each sentence, stop where
    log p(best token but the marker) - log p(marker) <= threshold.
    """

    threshold: float = 0.1
    """Nats; published grid .1, .25, 1, 2.5, 10."""

    kinds = frozenset({SENTENCE})
    needs = frozenset({MARKER})
    grid = (0.0, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 4, 6, 8, 10, 15)
    compare = operator.le

    def score(self, history: History) -> float:
        """Nats by which the marker lies below the best other token."""
        return history[-1].best_other_logprob - history[-1].marker_logprob


@dataclass(frozen=True)
class BoostedEnd(ThinkBrake):
    """Boosted end of thought (Liu & Wang 2025): a bias on the marker's logit.

    With the bias b, greedy decoding writes the marker where
    logit(marker) + b >= logit of any other token, so where ThinkBrake's difference is
    at most b. Published at every token, here at every trial point.
    """

    threshold: float = 5.0
    """b, nats."""

    kinds = frozenset({SENTENCE, PARAGRAPH, CUE, EVERY, ARRIVAL})
