"""Which sign a text writes before decimals: a point (1,250.5) or a comma (1.250,5)."""

import re
from functools import lru_cache

POINT, COMMA = ".", ","

# With the other sign these were no numbers. "1,250" and "1.250" alone tell nothing.
_POINT = re.compile(
    r"(?<![\d.,])(?:\d++\.(?:\d{1,2}|\d{4,}+)|0\.\d++|\d{1,3}(?:,\d{3})++\.\d++)"
    r"(?![.,]?\d)"
)
# A pair in brackets is two numbers: (3,5).
_COMMA = re.compile(
    r"(?<![\d.,(\[{])(?:\d++,\d{1,2}|0,\d++|\d{1,3}(?:\.\d{3})++,\d++)(?![.,]?\d)"
)
_BOTH_GROUPS = re.compile(r"(?<![\d.,])[1-9]\d{0,2},\d{3}(?![.,]?\d)")


@lru_cache(maxsize=64)
def decimal_mark(text: str) -> str | None:
    """The sign before decimals in a text; None where the text does not show it.

    ASSUME: a text writes all its decimals in one way. A text that shows both signs, or
    commas in groups of three digits too, shows none.
    """
    if _POINT.search(text):
        return POINT
    if _COMMA.search(text) and not _BOTH_GROUPS.search(text):
        return COMMA
    return None
