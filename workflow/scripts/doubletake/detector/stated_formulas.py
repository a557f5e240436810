r"""Answers of a thought that are no numbers: expressions, and letters of a choice.

They are known only where the thought calls them the answer: in a `\boxed{...}`, or as
the formula or the letter right after "the answer is". An expression that the thought
merely computes is not an arrival.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence

from doubletake.detector.stated_numbers import COMMITTED, StatedNumber
from doubletake.text.answers import last_boxes, single_number
from doubletake.text.equality import bare
from doubletake.text.final_answers import ANSWER_IS
from doubletake.text.numerals import Numeral
from doubletake.text.sentences import Span

MOST_FORMULAS = 256  # of one thought
LONGEST_FORMULA = 200  # characters

_HYPOTHETICAL = re.compile(r"\b(?:if|unless|could|might|suppose|assum\w+)\b", re.I)
# Between two prices stands prose: "the answer is $10 in change. That leaves $".
_PROSE = re.compile(r"\$[^$]*(?<![\\A-Za-z{])[A-Za-z]{2,}[\s,.][^$]*\$")
_NUMBER_AFTER = re.compile(r"[^.\n]{0,40}?(\d+)")
_AFTER = re.compile(
    r"[\s:*]*(?:(?:indeed|still|option|choice|therefore|then|just)\s+){0,2}"
    r"(?:\$(?P<dollars>[^$\n]{1,200})\$|\\\((?P<round>[^\n]{1,200}?)\\\)"
    r"|\\\[(?P<square>.{1,200}?)\\\]"
    r"|[(\[*]{0,3}(?P<letter>[A-J])(?=[)\].,:;*!?\s]*(?:\n|\Z)|[)\].,:;*!?]))",
    re.DOTALL,
)


def stated_formulas(
    thought: str, spans: Sequence[Span], mark: str | None
) -> list[StatedNumber]:
    """The formulas and letters that a thought calls the answer, in order.

    They are empty where the last thing that the thought calls the answer is a number:
    the answer is then a number, and `answer_candidates` finds it.

    Args:
        thought: the text.
        spans: its sentences.
        mark: the sign before decimals (`decimal_mark`).
    """
    stated = sorted({*_in_boxes(thought), *_after_words(thought)})
    numbers = [single_number(text, mark) is not None for _, _, text in stated]
    if not stated or numbers[-1]:
        return []
    starts = [span.start for span in spans]
    return [
        _stated(thought, start, end, text, spans, starts)
        for (start, end, text), number in zip(stated, numbers, strict=True)
        if not number
    ]


def _in_boxes(thought: str) -> list[tuple[int, int, str]]:
    """Start, end and content of the boxes that hold something."""
    found = last_boxes(thought, MOST_FORMULAS)
    return [
        (box.end - 1 - len(box.content), box.end - 1, box.content)
        for box in found
        if 0 < len(box.content.strip()) <= LONGEST_FORMULA
        and thought[box.end - 1 : box.end] == "}"
    ]


def _after_words(thought: str) -> list[tuple[int, int, str]]:
    """Start, end and content of what stands after "the answer is"."""
    found = []
    for mark in [*ANSWER_IS.finditer(thought)][-MOST_FORMULAS:]:
        match = _AFTER.match(thought, mark.end())
        if match is None or match.lastgroup is None:
            number = _NUMBER_AFTER.match(thought, mark.end())
            found += [(*number.span(1), number[1])] if number else []
            continue
        if "\\boxed" not in match.group() and not _PROSE.search(match.group()):
            found.append((*match.span(match.lastgroup), match[match.lastgroup]))
    return found


def _stated(
    thought: str,
    start: int,
    end: int,
    text: str,
    spans: Sequence[Span],
    starts: Sequence[int],
) -> StatedNumber:
    """A formula in the form in which the detector knows its candidates."""
    sentence = bisect_right(starts, start) - 1
    span = spans[sentence]
    hypothetical = thought[span.end - 1] == "?" or bool(
        _HYPOTHETICAL.search(thought, span.start, start)
    )
    numeral = Numeral(start, end, bare(text), "formula")
    return StatedNumber(numeral, sentence, COMMITTED, False, hypothetical)
