"""How exits are checked: replayed without shortcuts, and cut by another rule."""

from dataclasses import dataclass, field
from typing import Any

import torch

from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow
from early_exit.branches import Continuation

REPLAY = "exits packed on one prefill against plain full forward passes"
CUTS = "the sentence's end written with the answer prompt against its own tokens"
FLOAT32_BOUND = 1e-3  # logits and nats: rounding of another order of summation


@dataclass
class Differences:
    """What the plain forward passes of the verified exits gave."""

    logit: Largest = field(default_factory=Largest)
    logprob: Largest = field(default_factory=Largest)
    exits: int = 0
    equal: int = 0

    def add(
        self, packed: Continuation, plain: Continuation, choices: list[int]
    ) -> None:
        """Compare one exit."""
        for one, other in zip(packed.logits, plain.logits, strict=True):
            self.logit.add(abs(one - other))
        for one, other in zip(packed.logprobs, plain.logprobs, strict=True):
            self.logprob.add(abs(one - other))
        self.exits += 1
        self.equal += choices == packed.tokens

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """What they add up to; only float32 has a bound."""
        bound = FLOAT32_BOUND if dtype == torch.float32 else None
        share = self.equal / self.exits if self.exits else None
        logits = "largest difference of logits"
        logprobs = "largest difference of log-probs"
        tokens = "share of exits with equal answer tokens"
        return [
            _largest(REPLAY, logits, self.logit, "logit", bound),
            _largest(REPLAY, logprobs, self.logprob, "nat", bound),
            _share(REPLAY, tokens, share, self.exits),
        ]


@dataclass
class CutEffect:
    """What the rule of cuts (`exits.rewritten`) does to the answers."""

    exits: int = 0
    """Exits behind an arrival."""
    changed: int = 0
    """Of these, how many read other tokens than the thought has."""
    compared: int = 0
    same: int = 0
    logprob: Largest = field(default_factory=Largest)

    def compare(self, rewritten: dict[str, Any], own: dict[str, Any]) -> None:
        """Take in an exit: rows of `schemas.EARLY_EXIT` by the rule and without it."""
        self.compared += 1
        self.same += rewritten["answer"] == own["answer"]
        if None not in (rewritten["logprob"], own["logprob"]):
            self.logprob.add(abs(rewritten["logprob"] - own["logprob"]))

    def figures(self) -> list[VerificationRow]:
        """What they add up to; nothing of it has a bound."""
        changed = self.changed / self.exits if self.exits else None
        same = self.same / self.compared if self.compared else None
        logprobs = "largest difference of the answers' log-probs"
        return [
            _share(CUTS, "share of exits whose tokens change", changed, self.exits),
            _share(CUTS, "share of these with the same answer", same, self.compared),
            _largest(CUTS, logprobs, self.logprob, "nat"),
        ]


def _largest(
    check: str, statistic: str, error: Largest, unit: str, bound: float | None = None
) -> VerificationRow:
    return VerificationRow(
        check=check,
        statistic=statistic,
        value=error.value,
        unit=unit,
        n=error.n,
        bound=bound,
        merge="max",
    )


def _share(check: str, statistic: str, value: float | None, n: int) -> VerificationRow:
    return VerificationRow(
        check=check, statistic=statistic, value=value, unit="share", n=n, merge="mean"
    )
