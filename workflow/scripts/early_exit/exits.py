"""Exits: where a thought is cut, and how the answer forced there is read."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.answers import final_answer, number_text
from doubletake.text.sentences import cut_after
from doubletake.text.thought_format import filled_answer_prompt
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_tokens

UNKNOWN = "\ufffd".encode()  # of ids beyond the tokenizer, which padded models have


@dataclass(frozen=True)
class Exit:
    """A place where the thought is cut."""

    number: int
    """0 before any thought, k after the sentence of arrival k."""
    cut: int
    """Tokens of prompt and completion that are kept as they are."""
    tokens_before: int
    """Tokens of the thought before the exit."""
    suffix: tuple[int, ...]
    """Token ids put behind the kept ones: the end of the sentence, written again
    together with the answer prompt."""
    whole: int
    """Tokens of prompt and completion up to the end of the sentence's last token."""


class AnswerPrompt:
    """What is put where a thought is cut, and how the answer to it is read."""

    def __init__(
        self, tokenizer: TraceTokenizer, prompt: str, stop: str, stop_ids: set[int]
    ) -> None:
        """Fill the prompt in.

        Args:
            tokenizer: of the study's model.
            prompt: closes the thought and leads to the answer; placeholders in it
                are filled in.
            stop: text that ends an answer.
            stop_ids: tokens that end a completion, besides the tokenizer's own.

        Raises:
            InputError: the prompt does not hold the end-of-thought marker once.
        """
        self.tokenizer = tokenizer
        self.stop_ids = tokenizer.stop_ids | stop_ids
        self.text = filled_answer_prompt(prompt, tokenizer.format)
        self.stop = stop.encode()

    def suffix(self, before: str) -> tuple[int, ...]:
        """Tokens of the prompt behind a text that is written again with it."""
        return tuple(self.tokenizer.encode(before + self.text))

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

    Exit 0 stands behind the marker that opens the thought; where neither prompt nor
    completion has written it, it is written with the answer prompt.

    Args:
        trace: a row of `schemas.TRACES`.
        arrivals: its rows of `schemas.EVENTS`; those after the thought are left out.
        prompt: knows the markers and what ends a completion.
    """
    start, completion = len(trace["prompt_ids"]), trace["completion_ids"]
    limit = start + len(completion)
    ended = completion and completion[-1] in prompt.stop_ids
    if trace["thought_end"] is None and ended:
        limit -= 1  # an answer prompt after the end of the text would not be read
    first = min(thought_tokens(trace)[0], limit)
    missing = "" if trace["thought_start"] else prompt.tokenizer.opening_left
    exits = [Exit(0, first, 0, prompt.suffix(missing), first)]
    thought, offsets = trace["text"][: trace["thought_stop"]], trace["offsets"]
    for arrival in sorted(arrivals, key=lambda row: row["ordinal"]):
        if arrival["end"] > len(thought):
            continue
        end = cut_after(thought, arrival["end"])
        whole = min(start + bisect_left(offsets, end), limit)
        place, tail = rewritten(trace["text"], offsets, arrival["end"], end)
        cut, suffix = min(start + place, limit), prompt.suffix(tail)
        exits.append(Exit(arrival["ordinal"], cut, whole - first, suffix, whole))
    return exits


def rewritten(
    text: str, offsets: Sequence[int], least: int, end: int
) -> tuple[int, str]:
    r"""Where the tokens of a sentence are cut, and which text is tokenized again.

    One rule for all cuts. A tokenizer joins the last marks of a sentence with the line
    break behind them: ".\n" is one token where the thought ends there, ".\n\n" where a
    paragraph does, "." inside a paragraph. Kept as they are, such tokens would give
    the same sentence different ends. So the marks that end the sentence (a run of
    characters that are neither letters nor digits nor white space, with one space
    before it) are tokenized again
    together with the answer prompt, as a model that closed its thought there would
    write them, and with them all of a token that reaches beyond the sentence.

    Args:
        text: of the completion.
        offsets: per token the character at which it starts.
        least: character that is kept if its token is: the end of the arrival.
        end: the character behind the sentence.

    Returns:
        The number of tokens kept, and the text to tokenize again.
    """
    marks = end
    while marks > least and _is_mark(text[marks - 1]):
        marks -= 1
    if least < marks < end and text[marks - 1] == " ":
        marks -= 1  # byte-level tokenizers put a space before marks into their token
    place, behind = bisect_left(offsets, marks), bisect_left(offsets, end)
    reach = offsets[behind] if behind < len(offsets) else len(text)
    if place == behind and reach > end:
        # One token holds the sentence's last characters and others behind them.
        place = bisect_left(offsets, offsets[behind - 1])
    return place, text[offsets[place] : end] if place < behind else ""


def as_written(
    ids: Sequence[int], place: Exit, prompt: AnswerPrompt
) -> tuple[int, ...] | None:
    """The suffix behind the sentence's own tokens; None where the two are the same.

    Args:
        ids: prompt and completion.
        place: an exit.
        prompt: the answer prompt.
    """
    suffix = prompt.suffix("")
    same = (*ids[place.cut : place.whole], *suffix) == place.suffix
    return None if same or place.number == 0 else suffix


def _is_mark(character: str) -> bool:
    return not (character.isalnum() or character.isspace())
