"""DEER: stop at a cue where the model is confident of its trial answer."""

import operator
from dataclasses import dataclass
from typing import Literal

from doubletake.exit_rules.confidence import arithmetic_mean, geometric_mean
from doubletake.exit_rules.points import CUE, History
from doubletake.exit_rules.rule import TRIAL, Rule


@dataclass(frozen=True)
class Deer(Rule):
    r"""Dynamic early exit (Yang et al. 2025, arXiv 2504.15895).

    At each cue: c = mean probability of the trial's tokens, without the first `skip`;
    stop where c > threshold. At most `most` looks per thought.

    The published prompt ends in "\boxed", so the trial's first token is "{" and is left
    out (`skip=1`). After a prompt that ends in "\boxed{" the first token belongs to the
    answer (`skip=0`). The form for Qwen3 takes the geometric mean, and its trial must
    end. The rule does not read the answer: it can stop at a trial without a number.
    """

    threshold: float = 0.95
    form: Literal["r1", "qwen3"] = "r1"
    skip: int = 0
    """First tokens of the trial that are left out."""
    most: int = 10
    """Most looks per thought."""

    kinds = frozenset({CUE})
    needs = frozenset({TRIAL})
    grid = (0.9999, 0.999, 0.995, 0.99, 0.98, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
    compare = operator.gt

    def score(self, history: History) -> float:
        """Confidence of the trial answer, from 0 to 1."""
        point = history[-1]
        logprobs = point.trial_logprobs[self.skip :]
        if self.form == "qwen3":
            return geometric_mean(logprobs) if point.trial_ended else 0.0
        return arithmetic_mean(logprobs)

    @property
    def most_points(self) -> int:
        """The rule gives up after `most` looks."""
        return self.most
