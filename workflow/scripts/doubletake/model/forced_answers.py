"""The answer prompt at a cut, and how the answer forced there is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from doubletake.model.continuations import Continuation
from doubletake.running.errors import InputError
from doubletake.text.final_answers import final_answer
from doubletake.text.grading import Judged, Task, judged
from doubletake.text.thought_format import filled_answer_prompt
from doubletake.text.tokenizer import TraceTokenizer

UNKNOWN = "\ufffd".encode()  # for ids beyond the tokenizer, which padded models have


@dataclass(frozen=True)
class ForcedAnswer:
    """What the tokens of a forced answer say."""

    text: str
    """As it is written, without the stop text."""
    length: int
    """Number of its tokens; a token that only ends it is not counted."""
    ended: bool
    """Whether it ended, with the stop text or a token that ends the completion."""

    @property
    def boxed(self) -> str | None:
        """The final answer that it means; None if it has not ended or is empty."""
        # ASSUME: a forced answer means what a boxed final answer with its text means.
        return f"\\boxed{{{self.text}}}" if self.ended and self.text.strip() else None

    @property
    def value(self) -> str | None:
        """Canonical number, or its text where that is no number."""
        return final_answer(self.boxed) if self.boxed else None


class AnswerPrompt:
    """The text that follows a cut thought, and how the answer to it is read."""

    def __init__(
        self, tokenizer: TraceTokenizer, prompt: str, stop: str, stop_ids: set[int]
    ) -> None:
        """Fill in the placeholders of the prompt.

        Args:
            tokenizer: of the study's model.
            prompt: closes the thought and leads to the answer; may hold placeholders.
            stop: text that ends an answer.
            stop_ids: tokens that end a completion, besides those of the tokenizer.

        Raises:
            InputError: the prompt does not hold the end-of-thought marker exactly once.
        """
        self.tokenizer = tokenizer
        self.stop_ids = tokenizer.stop_ids | stop_ids
        self.text = filled_answer_prompt(prompt, tokenizer.format)
        self.stop = stop.encode()
        self._endings: dict[bytes, list[int]] = {}

    def suffix(self, before: str) -> tuple[int, ...]:
        """Token ids of a text and the prompt after it, tokenized together."""
        return tuple(self.tokenizer.encode(before + self.text))

    def ends(self, tokens: Sequence[int]) -> bool:
        """Whether an answer ends with the last of these tokens."""
        if tokens and tokens[-1] in self.stop_ids:
            return True
        return self.stop in b"".join(map(self._piece, tokens))

    def read(self, tokens: Sequence[int]) -> ForcedAnswer:
        """Read a forced answer.

        Its tokens are those that start before the stop text. So a token that holds the
        end of the number and the stop text is one of them, and a token that ends the
        completion is not. The text is cut by bytes, because an answer may end inside a
        character.
        """
        answer_tokens = [token for token in tokens if token not in self.stop_ids]
        pieces = [self._piece(token) for token in answer_tokens]
        data = b"".join(pieces)
        end = data.find(self.stop)
        end = len(data) if end < 0 else end
        starts = [len(b"".join(pieces[:index])) for index in range(len(pieces))]
        text = data[:end].decode("utf-8", errors="replace")
        length = sum(start < end for start in starts)
        return ForcedAnswer(text, length, self.ends(tokens))

    def text_of(self, tokens: Sequence[int]) -> str:
        """The text of an answer's tokens, without those that end the completion."""
        kept = (token for token in tokens if token not in self.stop_ids)
        return b"".join(map(self._piece, kept)).decode("utf-8", errors="replace")

    def endings(self, tokens: Sequence[int]) -> list[int]:
        """Ids of all tokens that would end the same answer at the same place.

        "19}" may go on with "}", "}." or "}$": in all of them the answer is 19. So
        these are all tokens that begin with what the last token of the answer holds up
        to the end of the stop text. If this is the stop text alone, a token that ends
        the completion would end the same answer, too.

        Args:
            tokens: of an answer that ended.
        """
        before = b"".join(map(self._piece, tokens[:-1]))
        start = self.stop
        if tokens[-1] not in self.stop_ids:
            data = before + self._piece(tokens[-1])
            start = data[len(before) : data.find(self.stop) + len(self.stop)]
        if start not in self._endings:
            ids = {k for k, piece in enumerate(self._pieces) if piece.startswith(start)}
            ids |= self.stop_ids if start == self.stop else set()
            self._endings[start] = sorted(ids)
        return self._endings[start]

    @cached_property
    def _pieces(self) -> list[bytes]:
        """The bytes of every token of the tokenizer."""
        return [self._piece(token) for token in range(len(self.tokenizer.tokenizer))]

    def _piece(self, token: int) -> bytes:
        try:
            return self.tokenizer.piece(token)
        except InputError:
            return UNKNOWN


def answer_columns(
    continuation: Continuation, task: Task, prompt: AnswerPrompt
) -> dict[str, Any]:
    """The columns of `EARLY_EXIT` that describe a forced answer."""
    answer = prompt.read(continuation.tokens)
    length = answer.length
    # ASSUME: an exit without a readable answer counts as wrong.
    verdict = judged(answer.boxed, task) if answer.boxed else Judged(None, False)
    whole = answer.ended and length > 0
    return {
        "answer": verdict.answer,
        "answer_text": answer.text,
        "correct": verdict.correct,
        "ended": answer.ended,
        "logit": fmean(continuation.logits[:length]) if length else None,
        "whole_logprob": whole_logprob(continuation, prompt) if whole else None,
        "margin": continuation.margins[0] if length else None,
        "entropy": continuation.entropies[0] if length else None,
    }


def whole_logprob(continuation: Continuation, prompt: AnswerPrompt) -> float:
    """Log-prob of the whole answer of a continuation that ended, in nats.

    A continuation stops with the token that ends the answer. Its other tokens count
    with their log-probs. In place of the last one counts everything that would end the
    same answer there: what stands behind the answer in a token is no part of it.

    Raises:
        ValueError: the continuation reached its limit, so its answer has no end.
    """
    end = continuation.last_logprobs
    if end is None:
        raise ValueError("the answer has not ended")
    ids = [token for token in prompt.endings(continuation.tokens) if token < len(end)]
    return sum(continuation.logprobs[:-1]) + float(end[ids].logsumexp(0))
