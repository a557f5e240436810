"""Other words for the same equation or answer.

An equation is written in words. In the planted language it becomes a sentence of its
own, as the language writes it: what the sentence says before the equation is left out.
An equation that is such a sentence already gets the word `Then`. The final answer is
stated in another of two forms; the planted language has no other form that says no
more.
"""

import re

from doubletake.text.equations import Equation
from doubletake.text.sentences import Span

SIGNS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
ANSWERS = ("So the answer is {}.", "Therefore, the answer is {}.")
"""Statements of the final answer; the first one that is not there already is taken."""


def paraphrase(
    text: str,
    sentence: Span,
    equation: Equation | None,
    answer: Span | None,
    planted: bool,
) -> tuple[Span, str] | None:
    """What is replaced, and by which words; None where there are no other words.

    Args:
        text: of the completion.
        sentence: its characters.
        equation: of the sentence.
        answer: the number of the final answer, if the sentence states it.
        planted: whether the thought is of the planted language.
    """
    if equation is not None:
        return _in_words(text, sentence, equation, planted)
    if answer is None or planted:
        return None
    number = text[slice(*answer)]
    own = text[slice(*sentence)]
    forms = [form.format(number) for form in ANSWERS]
    return sentence, next(form for form in forms if form != own)


def _in_words(
    text: str, sentence: Span, equation: Equation, planted: bool
) -> tuple[Span, str] | None:
    if not planted:
        left, right, result = equation.left, equation.right, equation.result
        signs = (
            _after_sign(text[left.end : right.start], SIGNS[equation.sign]),
            _after_sign(text[right.end : result.start], "equals"),
        )
        parts = (text[slice(*span)] for span in (left, right, result))
        return equation.span, "".join(
            part + sign for part, sign in zip(parts, (*signs, ""), strict=True)
        )
    before = text[sentence.start : equation.span.start]
    if "=" in before:
        return None  # a chain of equations
    written = text[slice(*equation.span)]
    span = Span(sentence.start, equation.span.end)
    return span, written if before else f"Then {written}"


def _after_sign(between: str, word: str) -> str:
    """A word in place of a sign; what belongs to the next number stays."""
    own = re.search(r"-?\\?\$?\Z", between)
    kept = own[0] if own else ""
    if kept.startswith("-") and "=" not in between:
        kept = kept[1:]  # the sign itself
    return f" {word} {kept}"
