"""Reads the two causes that lie in a question: a distractor and an open word."""

import re
from dataclasses import dataclass

Span = tuple[int, int]
"""First character and the character after the last."""

_DISTRACTOR = re.compile(
    r"(?:\balso (?:has|sees)|\bis) (?P<number>\d+) (?P<noun>\w+)(?: old)?\."
)
_OPEN_WORD = re.compile(
    r"\bhave (?P<end>left|in all)\?|\bdoes (?P<each>each) friend get\?"
)
OTHER_READING = {
    "left": "what is gone",
    "in all": "both of them",
    "each": "all of them",
}
"""What an open word could mean besides."""


@dataclass(frozen=True)
class Distractor:
    """A number of a question that its solution does not use."""

    number: int
    noun: str
    """What it counts, for example `pears`."""
    span: Span
    """Of the number, in the question."""

    @property
    def dismissal(self) -> str:
        """The sentence by which a derivation uses the number: it does not count."""
        return f"The {self.number} {self.noun} do not count."


@dataclass(frozen=True)
class OpenWord:
    """A word of a question that leaves a second reading open."""

    word: str
    """One of the keys of `OTHER_READING`."""
    span: Span
    """Of the word, in the question."""


@dataclass(frozen=True)
class Question:
    """The causes in a question."""

    distractor: Distractor | None
    open_word: OpenWord | None


def read_question(question: str) -> Question:
    """The causes that a question of the pocket language holds."""
    number = _DISTRACTOR.search(question)
    word = _OPEN_WORD.search(question)
    group = word.lastgroup if word else None
    return Question(
        distractor=number
        and Distractor(int(number["number"]), number["noun"], number.span("number")),
        open_word=OpenWord(word[group], word.span(group)) if word and group else None,
    )
