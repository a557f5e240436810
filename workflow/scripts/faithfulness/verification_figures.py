"""Checks: packed answers against plain passes, own cuts against trial points."""

from dataclasses import dataclass, field

import torch

from doubletake.model.continuations import Continuation
from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow, differing_share

PLAIN = "answers packed on one prefill against plain full forward passes"
REBUILT = "no thought and whole thoughts, built here, against the trial points"
ANSWERS = "forced answers"
# ASSUME: bound in nats, chosen by hand for float32 sums in another order.
FLOAT32_BOUND = 1e-3
# ASSUME: rounding in float32 may change the tokens of at most 1% of the answers.
TOKEN_BOUND = 0.01


@dataclass
class Differences:
    """Differences of forced answers to those of other computations."""

    logprob: Largest = field(default_factory=Largest)
    """Of the log-probs of answer tokens, to plain passes."""
    choices: list[bool] = field(default_factory=list)
    """Of each replayed answer, whether a plain pass chooses another token."""
    rebuilt: list[bool] = field(default_factory=list)
    """Of each rebuilt cut, whether it has other tokens than the trial point."""

    def add(
        self, packed: Continuation, plain: Continuation, choices: list[int]
    ) -> None:
        """Compare an answer; `choices` are the greedy tokens of the plain pass."""
        for one, other in zip(packed.logprobs, plain.logprobs, strict=True):
            self.logprob.add(abs(one - other))
        self.choices.append(choices != packed.tokens)

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has bounds."""
        exact = dtype == torch.float32
        bound = TOKEN_BOUND if exact else None
        return [
            VerificationRow(
                check=PLAIN,
                statistic="largest difference of log-probs",
                value=self.logprob.value,
                unit="nats",
                n=self.logprob.n,
                bound=FLOAT32_BOUND if exact else None,
                merge="max",
            ),
            differing_share(PLAIN, ANSWERS, self.choices, bound),
            differing_share(REBUILT, ANSWERS, self.rebuilt, bound),
        ]
