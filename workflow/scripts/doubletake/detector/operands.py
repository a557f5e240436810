"""Numbers that a sentence starts from, so that they cannot be its result.

They extend the operands of `stated_numbers` by the forms of plain speech: the letter x
as a sign, the subject of a sentence that ends in another number, and a fronted phrase.
"""

import re

from doubletake.detector import chinese_cues

LONGEST_PHRASE = 28  # characters of a fronted phrase before its number
_NUMBER = r"\\?[$(]?\d"
_UNIT_WORDS = (
    r"(?:(?!(?:so|but|which|then|and|or|that|because|since)\b)[a-z'-]{1,24}\s+){0,3}"
)
_AFTER = re.compile(
    # "5 x 12", "40 bags x $8"
    rf"\s?{_UNIT_WORDS}x\s?{_NUMBER}"
    # "8 packs would be 8 * 15", "4 containers would have 20 vehicles"
    rf"|\s{_UNIT_WORDS}(?:would|will)\s(?:[a-z]{{1,12}}\s){{1,2}}{_NUMBER}"
    # "34 hours is more than a day"
    rf"|\s?{_UNIT_WORDS}(?:is|are)\s(?:[a-z]{{1,12}}\s)?"
    r"(?:less|more|greater|smaller|larger|bigger|fewer|shorter|longer|higher|lower)\sthan\b"
    # "6 times Sam's age"
    r"|\stimes\s(?!(?:he|she|it|that|there|what|let)')[a-z]{2,24}'s\b",
    re.IGNORECASE,
)
_AFTER_SIGN = re.compile(r"x\s?\\?[$(]?\d|will |would |than\b|'s\b", re.IGNORECASE)
_BEFORE = re.compile(r"(?<![a-z])x\s?\\?[$(]?$", re.IGNORECASE)
_FRONTED = re.compile(
    r"(?:^|[,:;]\s|\b(?:so|then|that|and|but|if|means|says)\s)"
    r"(?:in|after|by|at|for|with|over|during|within)\s(?:(?:day|week|hour|month|year|age)\s)?"
    r"\\?\$?$",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"\s?(?:[a-z-]{1,24}\s?){0,2},?\s(?:he|she|it|they|we|you|i|there|the|his|her|each)\s[^.;\n]{0,60}\d",
    re.IGNORECASE,
)


def is_starting_point(before: str, after: str) -> bool:
    """Whether a number between two texts is one that its sentence computes with.

    Args:
        before: the text of the sentence before the number, at most `CONTEXT` long.
        after: the text of the sentence after the number, at most `CONTEXT` long.
    """
    return bool(
        (_AFTER_SIGN.search(after) and _AFTER.match(after))
        or _BEFORE.search(before[-5:])
        or (
            _CLAUSE.match(after)
            and _FRONTED.search(before, len(before) - LONGEST_PHRASE)
        )
        or (not after.isascii() and chinese_cues.OPERAND_AFTER.match(after))
        or (not before.isascii() and chinese_cues.OPERAND_BEFORE.search(before))
    )
