"""Exits: where a thought is cut, and how the answer forced there is read."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.answers import final_answer, number_text
from doubletake.errors import InputError
from doubletake.sentences import sentence_end
from doubletake.tokens import TraceTokenizer

UNKNOWN = "\ufffd".encode()  # of ids beyond the tokenizer, which padded models have


@dataclass(frozen=True)
class Exit:
    """A place where the thought is cut."""

    number: int
    """0 before any thought, k after the sentence of arrival k."""
    cut: int
    """Tokens of prompt and completion that are kept."""
    tokens_before: int
    """Thought tokens among them."""


class AnswerPrompt:
    """What is put where a thought is cut, and how the answer to it is read."""

    def __init__(
        self, tokenizer: TraceTokenizer, prompt: str, stop: str, stop_ids: set[int]
    ) -> None:
        """Tokenize the prompt, as one piece.

        Args:
            tokenizer: of the study's model.
            prompt: closes the thought and leads to the answer.
            stop: text that ends an answer.
            stop_ids: tokens that end a completion, besides the tokenizer's own.

        Raises:
            InputError: the prompt does not hold the end-of-thought token once.
        """
        self.tokenizer = tokenizer
        self.stop_ids = tokenizer.stop_ids | stop_ids
        self.suffix = tuple(tokenizer.encode(prompt))
        if self.suffix.count(tokenizer.end_of_thought) != 1:
            raise InputError(
                f"early_exit.answer_prompt: {prompt!r} must hold the end-of-thought "
                f"token {tokenizer.end_of_thought} once"
            )
        self.stop = stop.encode()

    def ends(self, tokens: Sequence[int]) -> bool:
        """Whether an answer of these tokens is over."""
        if tokens[-1] in self.stop_ids:
            return True
        return self.stop in b"".join(map(self._piece, tokens))

    def read(self, tokens: Sequence[int]) -> tuple[str | None, int]:
        """The canonical answer, and how many tokens are its own.

        Its own tokens start before the stop text and end no completion. Bytes and not
        characters are looked at, because an answer may be cut inside a character.
        """
        own = [token for token in tokens if token not in self.stop_ids]
        pieces = [self._piece(token) for token in own]
        data = b"".join(pieces)
        end = data.find(self.stop)
        end = len(data) if end < 0 else end
        starts = [len(b"".join(pieces[:index])) for index in range(len(pieces))]
        text = data[:end].decode("utf-8", errors="replace")
        # Read like a box at the end of a whole answer, so that exits and final
        # answers agree on what counts as a number.
        value = final_answer(f"\\boxed{{{text}}}") if text.strip() else None
        answer = None if value is None else number_text(value)
        return answer, sum(start < end for start in starts)

    def _piece(self, token: int) -> bytes:
        try:
            return self.tokenizer.piece(token)
        except InputError:
            return UNKNOWN


def exits_of(
    trace: dict[str, Any], arrivals: Iterable[dict[str, Any]], prompt: AnswerPrompt
) -> list[Exit]:
    """Exit 0 and one exit per arrival of the thought, by arrival.

    Args:
        trace: a row of `schemas.TRACES`.
        arrivals: its rows of `schemas.EVENTS`; those after the thought are left out.
        prompt: knows the markers and what ends a completion.
    """
    start, completion = len(trace["prompt_ids"]), trace["completion_ids"]
    limit = start + len(completion)
    if trace["thought_end"] is not None:
        limit = trace["thought_end"]
    elif completion and completion[-1] in prompt.stop_ids:
        limit -= 1  # an answer prompt after the end of the text would not be read
    first = min(start + _opening(trace, prompt.tokenizer.start_marker), limit)
    exits = [Exit(0, first, 0)]
    for arrival in sorted(arrivals, key=lambda row: row["ordinal"]):
        if arrival["token"] >= limit:
            continue
        end = sentence_end(trace["text"], arrival["end"] - 1)
        end = max(end, arrival["end"])
        # The first token that starts behind the sentence: its last character is kept.
        cut = min(start + bisect_left(trace["offsets"], end), limit)
        exits.append(Exit(arrival["ordinal"], cut, cut - first))
    return exits


def _opening(trace: dict[str, Any], marker: str) -> int:
    """Completion tokens that open the thought; 0 where the prompt has opened it."""
    text = trace["text"]
    start = len(text) - len(text.lstrip())
    if not text.startswith(marker, start):
        return 0
    end = start + len(marker)
    end += text.startswith("\n", end)
    return bisect_left(trace["offsets"], end)
