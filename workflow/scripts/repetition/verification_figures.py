"""Numbers of the verification table: scored answers against plain passes, and texts."""

from dataclasses import dataclass, field

import torch

from doubletake.model.branch_rows import replay_unpacked
from doubletake.model.branches import Branch
from doubletake.model.continuations import Continuation
from doubletake.model.decoder import Decoder
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow, violations
from repetition.arms import Arm
from repetition.scoring import Answer, Score, score_of

# ASSUME: in float32, sums in another order change a score by less than 1e-3.
BOUND = 1e-3
PLAIN = "given answers on packed branches against plain full forward passes"
DECODED = "the answer of exit 1 as given tokens against the same answer decoded"
TEXTS = "what the model reads before an exit against the statements it should hold"
LOGPROBS = "largest difference of the whole answers' log-probs"


@dataclass
class Checks:
    """Differences that the stage measures on itself."""

    logprob: Largest = field(default_factory=Largest)
    logit: Largest = field(default_factory=Largest)
    decoded: Largest = field(default_factory=Largest)
    texts: list[bool] = field(default_factory=list)
    """Of each exit of an arm that states or fills, whether its text is wrong."""

    def replay(
        self,
        decoder: Decoder,
        prompt: AnswerPrompt,
        ids: list[int],
        branch: Branch,
        read: Continuation,
        answer: Answer,
    ) -> None:
        """Score an answer again, from one plain forward pass of its whole text."""
        plain, _ = replay_unpacked(decoder, ids, branch, read.tokens)
        one, other = (score_of(answer, each, prompt) for each in (read, plain))
        self.logprob.add(abs(one.logprob - other.logprob))
        self.logit.add(abs(one.logit - other.logit))

    def compare_decoded(self, decoded: float, score: Score) -> None:
        """Compare the log-prob of exit 1's answer, decoded and as given tokens."""
        self.decoded.add(abs(decoded - score.logprob))

    def read_back(self, arm: Arm, prompt: AnswerPrompt) -> None:
        """Decode what the model reads up to each exit of an arm."""
        start = len(prompt.text)
        for point, text in zip(arm.points, arm.texts, strict=bool(arm.texts)):
            read = [*arm.ids[: point.cut], *point.suffix]
            pieces = b"".join(map(prompt.tokenizer.piece, read))
            before = pieces.decode("utf-8", "replace")[:-start]
            self.texts.append(not before.endswith(text))

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has bounds of scores."""
        bound = BOUND if dtype == torch.float32 else None
        logits = "largest difference of the answers' mean logits"
        return [
            *(
                VerificationRow(
                    check=check,
                    statistic=statistic,
                    value=error.value,
                    unit=unit,
                    n=error.n,
                    bound=bound,
                    merge="max",
                )
                for check, statistic, error, unit in (
                    (PLAIN, LOGPROBS, self.logprob, "nats"),
                    (PLAIN, logits, self.logit, "logit"),
                    (DECODED, LOGPROBS, self.decoded, "nats"),
                )
            ),
            violations(TEXTS, self.texts, "exits"),
        ]
