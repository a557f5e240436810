"""The answer prompt at a cut, and how the answer forced there is read."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.answers import final_answer, number_text, same_value
from doubletake.text.thought_format import filled_answer_prompt
from doubletake.text.tokenizer import TraceTokenizer
from early_exit.shared_prefill import Continuation

UNKNOWN = "\ufffd".encode()  # for ids beyond the tokenizer, which padded models have


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

    def suffix(self, before: str) -> tuple[int, ...]:
        """Token ids of a text and the prompt after it, tokenized together."""
        return tuple(self.tokenizer.encode(before + self.text))

    def ends(self, tokens: Sequence[int]) -> bool:
        """Whether an answer ends with the last of these tokens."""
        if tokens[-1] in self.stop_ids:
            return True
        return self.stop in b"".join(map(self._piece, tokens))

    def read(self, tokens: Sequence[int]) -> tuple[str | None, int]:
        """The canonical answer, and the number of its tokens.

        Tokens of the answer start before the stop text; a token that ends the
        completion is not counted. The text is cut by bytes, because an answer may end
        inside a character.
        """
        answer_tokens = [token for token in tokens if token not in self.stop_ids]
        pieces = [self._piece(token) for token in answer_tokens]
        data = b"".join(pieces)
        end = data.find(self.stop)
        end = len(data) if end < 0 else end
        starts = [len(b"".join(pieces[:index])) for index in range(len(pieces))]
        text = data[:end].decode("utf-8", errors="replace")
        # ASSUME: a forced answer means what a boxed final answer with its text means.
        value = final_answer(f"\\boxed{{{text}}}") if text.strip() else None
        answer = None if value is None else number_text(value)
        return answer, sum(start < end for start in starts)

    def _piece(self, token: int) -> bytes:
        try:
            return self.tokenizer.piece(token)
        except InputError:
            return UNKNOWN


def answer_columns(
    continuation: Continuation, gold: str, prompt: AnswerPrompt
) -> dict[str, Any]:
    """The columns of `EARLY_EXIT` that describe a forced answer."""
    answer, length = prompt.read(continuation.tokens)
    return {
        "answer": answer,
        # ASSUME: an exit without a readable answer counts as wrong.
        "correct": answer is not None and same_value(gold, answer),
        "logit": fmean(continuation.logits[:length]) if length else None,
        "logprob": sum(continuation.logprobs[:length]) if length else None,
        "margin": continuation.margins[0] if length else None,
        "entropy": continuation.entropies[0] if length else None,
    }
