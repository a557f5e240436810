"""Numbers of the verification table: exits against plain passes, and another cut."""

from dataclasses import dataclass, field
from typing import Any

import torch

from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow
from early_exit.forced_answers import AnswerPrompt, whole_logprob
from early_exit.shared_prefill import Continuation

REPLAY = "exits packed on one prefill against plain full forward passes"
RETOKENIZATION = "the sentence's end, tokenized again, against its own tokens"
# ASSUME: bound in logits and nats, chosen by hand for float32 sums in another order.
FLOAT32_BOUND = 1e-3


@dataclass
class ReplayDifferences:
    """Differences of the packed exits to plain forward passes."""

    logit: Largest = field(default_factory=Largest)
    logprob: Largest = field(default_factory=Largest)
    whole_logprob: Largest = field(default_factory=Largest)
    """Of the log-prob of the whole answer, over the answers that ended."""
    exits: int = 0
    """Number of replayed exits."""
    equal: int = 0
    """Number of replayed exits with the same answer tokens."""

    def add(
        self,
        packed: Continuation,
        plain: Continuation,
        choices: list[int],
        prompt: AnswerPrompt,
    ) -> None:
        """Compare one exit; `choices` are the greedy tokens of the plain pass."""
        for one, other in zip(packed.logits, plain.logits, strict=True):
            self.logit.add(abs(one - other))
        for one, other in zip(packed.logprobs, plain.logprobs, strict=True):
            self.logprob.add(abs(one - other))
        if packed.last_logprobs is not None:
            one, other = (whole_logprob(each, prompt) for each in (packed, plain))
            self.whole_logprob.add(abs(one - other))
        self.exits += 1
        self.equal += choices == packed.tokens

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has a bound."""
        bound = FLOAT32_BOUND if dtype == torch.float32 else None
        share = self.equal / self.exits if self.exits else None
        logits = "largest difference of logits"
        logprobs = "largest difference of log-probs"
        whole = "largest difference of the whole answers' log-probs"
        tokens = "share of exits with equal answer tokens"
        return [
            _largest(REPLAY, logits, self.logit, "logit", bound),
            _largest(REPLAY, logprobs, self.logprob, "nats", bound),
            _largest(REPLAY, whole, self.whole_logprob, "nats", bound),
            _share(REPLAY, tokens, share, self.exits),
        ]


@dataclass
class RetokenizationEffect:
    """What `exit_points.retokenized_end` does to the answers."""

    exits: int = 0
    """Number of exits after an arrival."""
    changed: int = 0
    """Number of these exits whose tokens differ from those of the thought."""
    compared: int = 0
    """Number of changed exits that were computed with both suffixes."""
    same: int = 0
    """Number of compared exits with the same answer."""
    whole_logprob: Largest = field(default_factory=Largest)

    def compare(self, retokenized: dict[str, Any], as_written: dict[str, Any]) -> None:
        """Compare the answers of one exit, as columns of `EARLY_EXIT`."""
        self.compared += 1
        self.same += retokenized["answer"] == as_written["answer"]
        one, other = (row["whole_logprob"] for row in (retokenized, as_written))
        if one is not None and other is not None:
            self.whole_logprob.add(abs(one - other))

    def figures(self) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; they have no bounds."""
        changed = self.changed / self.exits if self.exits else None
        same = self.same / self.compared if self.compared else None
        tokens = "share of exits whose tokens change"
        answers = "share of changed exits with the same answer"
        logprobs = "largest difference of the whole answers' log-probs"
        return [
            _share(RETOKENIZATION, tokens, changed, self.exits),
            _share(RETOKENIZATION, answers, same, self.compared),
            _largest(RETOKENIZATION, logprobs, self.whole_logprob, "nats"),
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
