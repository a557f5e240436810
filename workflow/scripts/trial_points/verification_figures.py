"""Numbers of the verification table: trials of packed branches against plain passes."""

import math
from dataclasses import dataclass, field

import torch

from doubletake.model.continuations import Continuation
from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow

CHECK = "trials packed on one prefill against plain full forward passes"
OTHER = "share of points with other trial tokens"
# ASSUME: bound in nats, bits and shares, chosen by hand for float32 sums in another
# order.
FLOAT32_BOUND = 1e-3
# ASSUME: rounding in float32 may change the tokens of at most 1% of the trials.
TOKEN_BOUND = 0.01


@dataclass
class TrialDifferences:
    """Differences of packed trials to plain passes."""

    trial: Largest = field(default_factory=Largest)
    """Of the log-probs of the trials' tokens."""
    marker: Largest = field(default_factory=Largest)
    """Of the log-probs of the end marker and of the best other token at the points,
    and of the tokens that close the thought."""
    entropy: Largest = field(default_factory=Largest)
    """Of the entropies after the marker, in bits."""
    states: Largest = field(default_factory=Largest)
    """Of the kept states, relative to their length."""
    points: int = 0
    other: int = 0
    """Number of points at which greedy decoding would give other tokens."""

    def add(
        self, packed: Continuation, plain: Continuation, choices: list[int]
    ) -> None:
        """Compare one point; `choices` are the greedy tokens of the plain pass."""
        for one, other in zip(packed.logprobs, plain.logprobs, strict=True):
            self.trial.add(abs(one - other))
        for seen, again in zip(packed.watched[:-1], plain.watched[:-1], strict=True):
            self.marker.add(abs(seen.logprob - again.logprob))
        first, again = packed.watched[0], plain.watched[0]
        self.marker.add(abs(first.best_other_logprob - again.best_other_logprob))
        entropies = (each.watched[-1].entropy / math.log(2) for each in (packed, plain))
        self.entropy.add(abs(next(entropies) - next(entropies)))
        if packed.states is not None and plain.states is not None:
            states = plain.states.double()
            difference = packed.states.double() - states
            for error in difference.norm(dim=-1) / states.norm(dim=-1):
                self.states.add(float(error))
        self.points += 1
        self.other += choices != packed.tokens

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has bounds."""
        in_float32 = dtype == torch.float32
        bound = FLOAT32_BOUND if in_float32 else None
        largest = [
            VerificationRow(
                check=CHECK,
                statistic=f"largest difference of {what}",
                value=error.value,
                unit=unit,
                n=error.n,
                bound=bound,
                merge="max",
            )
            for what, error, unit in (
                ("the trials' log-probs", self.trial, "nats"),
                ("the end marker's log-probs", self.marker, "nats"),
                ("entropies after the end marker", self.entropy, "bits"),
            )
        ]
        other = VerificationRow(
            check=CHECK,
            statistic=OTHER,
            value=self.other / self.points if self.points else None,
            unit="share",
            n=self.points,
            bound=TOKEN_BOUND if in_float32 else None,
            merge="mean",
        )
        states = VerificationRow(
            check=CHECK,
            statistic="largest relative difference of the kept states",
            value=self.states.value,
            unit="share",
            n=self.states.n,
            bound=FLOAT32_BOUND if in_float32 else None,
            merge="max",
        )
        return [*largest, other, states]
