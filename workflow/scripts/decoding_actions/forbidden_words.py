"""Which tokens an action must forbid so that its words are not written.

NoWait and CGRS forbid every token of the vocabulary that spells a keyword. The papers
take variants with capitals, white space and punctuation. Here a token spells a keyword
if it is the keyword without case and without the characters around its letters. NoWait
takes tokens that hold a keyword anywhere and removes false hits by hand ("Ohio"); this
needs a person for every tokenizer, so it is not done here.

A keyword of several tokens is kept out by its first token, but only if this token
begins no other word in the study's thoughts. Other spellings are reported.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_tokens

_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def core(text: str) -> str:
    """A text without case and without the characters around its letters."""
    return _AROUND.sub("", text).casefold()


@dataclass(frozen=True)
class ForbiddenWord:
    """A keyword, its tokens, and what of it cannot be forbidden."""

    keyword: str
    tokens: frozenset[int]
    """Token ids that are forbidden."""
    written: int
    """How often the study's thoughts hold one of them."""
    left: tuple[str, ...] = ()
    """Spellings in several tokens that the thoughts hold and that stay possible."""
    left_written: int = 0
    """How often the thoughts hold these spellings."""


class Vocabulary:
    """The tokens of a tokenizer as words, and how often thoughts hold them."""

    def __init__(
        self, tokenizer: TraceTokenizer, thoughts: Sequence[Sequence[int]]
    ) -> None:
        """Count the tokens of the thoughts.

        Args:
            tokenizer: of the study's model.
            thoughts: token ids of each thought, without its end marker.
        """
        self.tokenizer, self.thoughts = tokenizer, thoughts
        self.counts = Counter(token for thought in thoughts for token in thought)

    @cached_property
    def texts(self) -> list[str]:
        """The text of every token; empty for markers and parts of a character."""
        pieces = map(self.tokenizer.piece, range(len(self.tokenizer.tokenizer)))
        texts = [piece.decode("utf-8", "replace") for piece in pieces]
        added = self.tokenizer.added
        return [
            "" if token in added or "\ufffd" in text else text
            for token, text in enumerate(texts)
        ]

    @cached_property
    def by_core(self) -> dict[str, frozenset[int]]:
        """Tokens that spell a word, by this word."""
        found: dict[str, set[int]] = defaultdict(set)
        for token, text in enumerate(self.texts):
            if word := core(text):
                found[word].add(token)
        return {word: frozenset(tokens) for word, tokens in found.items()}

    def written(self, tokens: Iterable[int]) -> int:
        """How often the thoughts hold one of these tokens."""
        return sum(self.counts[token] for token in tokens)

    def word(self, keyword: str) -> ForbiddenWord:
        """The tokens that keep a keyword out of a thought."""
        tokens = set(self.by_core.get(keyword, ()))
        left, left_written = [], 0
        by_ids: dict[tuple[int, ...], str] = {}
        for spelling in spellings(keyword):
            ids = self.tokenizer.encode(spelling)
            by_ids.setdefault(tuple(ids[self._starts_at(ids) :]), spelling)
        for (first, *rest), spelling in by_ids.items():
            if not rest or first in tokens:
                continue
            whole = self._occurrences([first, *rest])
            if whole and whole == self.counts[first]:
                tokens.add(first)
            elif whole:
                left.append(spelling)
                left_written += whole
        forbidden = frozenset(tokens)
        written = self.written(forbidden)
        return ForbiddenWord(keyword, forbidden, written, tuple(left), left_written)

    def _starts_at(self, ids: Sequence[int]) -> int:
        """The first of these tokens that is not white space alone."""
        return next(
            (k for k, token in enumerate(ids[:-1]) if self.texts[token].strip()),
            len(ids) - 1,
        )

    def _occurrences(self, ids: Sequence[int]) -> int:
        """How often the thoughts hold these tokens in a row."""
        if any(not self.counts[token] for token in ids):
            return 0
        width = len(ids)
        return sum(
            list(thought[k : k + width]) == list(ids)
            for thought in self.thoughts
            for k, token in enumerate(thought)
            if token == ids[0]
        )


def spellings(keyword: str) -> list[str]:
    """A keyword in small letters, with a capital and in capitals, with a space."""
    forms = dict.fromkeys((keyword, keyword.capitalize(), keyword.upper()))
    return [space + form for space in ("", " ") for form in forms]


def thought_ids(trace: dict[str, Any]) -> list[int]:
    """Token ids of a thought, without the token in which its end marker begins.

    Args:
        trace: a row of `TRACES`.
    """
    prompt = len(trace["prompt_ids"])
    first, stop = thought_tokens(trace)
    return trace["completion_ids"][first - prompt : stop - prompt]
