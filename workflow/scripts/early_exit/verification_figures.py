"""Numbers of the verification table: exits against plain passes, and another cut."""

from dataclasses import dataclass, field
from typing import Any

import torch

from doubletake.model.continuations import Continuation
from doubletake.model.forced_answers import AnswerPrompt, whole_logprob
from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow

REPLAY = "exits packed on one prefill against plain full forward passes"
FLOAT32 = "16-bit exits against plain full forward passes in float32"
RETOKENIZATION = "the sentence's end, tokenized again, against its own tokens"
# ASSUME: bound in logits and nats, chosen by hand for float32 sums in another order.
FLOAT32_BOUND = 1e-3
# ASSUME: in every dtype, rounding may change the answers of at most 1% of the exits.
ANSWER_BOUND = 0.01
OTHER_ANSWER = "share of exits with another answer"


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
    other: int = 0
    """Number of replayed exits that have not the same answer."""

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
        self.other += not same_answer(packed.tokens, choices, prompt)

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has bounds of logits."""
        bound = FLOAT32_BOUND if dtype == torch.float32 else None
        equal = self.equal / self.exits if self.exits else None
        other = self.other / self.exits if self.exits else None
        logits = "largest difference of logits"
        logprobs = "largest difference of log-probs"
        whole = "largest difference of the whole answers' log-probs"
        tokens = "share of exits with equal answer tokens"
        return [
            _largest(REPLAY, logits, self.logit, "logit", bound),
            _largest(REPLAY, logprobs, self.logprob, "nats", bound),
            _largest(REPLAY, whole, self.whole_logprob, "nats", bound),
            _share(REPLAY, tokens, equal, self.exits),
            _share(REPLAY, OTHER_ANSWER, other, self.exits, ANSWER_BOUND),
        ]


@dataclass
class RoundingErrors:
    """Differences of a 16-bit model's exits to the same model in float32."""

    packed: Largest = field(default_factory=Largest)
    """Of the logits of the packed exits."""
    plain: Largest = field(default_factory=Largest)
    """Of the logits of plain 16-bit passes: what the 16 bits cost without packing."""
    exits: int = 0
    """Number of compared exits."""
    other: int = 0
    """Number of compared exits that have not the same answer in float32."""

    def add(
        self,
        packed: Continuation,
        plain: Continuation,
        exact: Continuation,
        choices: list[int],
        prompt: AnswerPrompt,
    ) -> None:
        """Compare one exit; `choices` are the greedy tokens of the float32 pass."""
        for largest, rounded in ((self.packed, packed), (self.plain, plain)):
            for one, other in zip(rounded.logits, exact.logits, strict=True):
                largest.add(abs(one - other))
        self.exits += 1
        self.other += not same_answer(packed.tokens, choices, prompt)

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; none for a model in float32."""
        if dtype == torch.float32:
            return []
        other = self.other / self.exits if self.exits else None
        packed = "largest difference of logits"
        plain = "largest difference of logits of plain 16-bit passes"
        return [
            _largest(FLOAT32, packed, self.packed, "logit"),
            _largest(FLOAT32, plain, self.plain, "logit"),
            _share(FLOAT32, OTHER_ANSWER, other, self.exits),
        ]


def same_answer(tokens: list[int], choices: list[int], prompt: AnswerPrompt) -> bool:
    """Whether greedy decoding in another pass gives the same answer.

    The other pass read `tokens`. So its own tokens are known up to the first one that
    differs. If its answer has not ended there, it counts as another answer.

    Args:
        tokens: a greedy continuation.
        choices: most likely tokens of the other pass, where each of `tokens` stands.
        prompt: reads answers.
    """
    if choices == tokens:
        return True
    pairs = enumerate(zip(tokens, choices, strict=True), 1)
    end = next(count for count, (one, other) in pairs if one != other)
    one, other = prompt.read(tokens), prompt.read(choices[:end])
    return one.ended and other.ended and one.value == other.value


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


def _share(
    check: str, statistic: str, value: float | None, n: int, bound: float | None = None
) -> VerificationRow:
    return VerificationRow(
        check=check,
        statistic=statistic,
        value=value,
        unit="share",
        n=n,
        bound=bound,
        merge="mean",
    )
