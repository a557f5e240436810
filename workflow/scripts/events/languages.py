"""Which languages the detector `rules` knows, and which thoughts it can read.

A sentence can be read if it holds a common word of a known language. A thought of other
sentences has no events, which does not mean that it never turns back.
"""

import re
from collections.abc import Sequence

from doubletake.text.sentences import sentences

KNOWN = "English and Chinese"
# ASSUME: an English sentence of a thought holds one of these words, another does not.
_ENGLISH = re.compile(
    r"\b(?:the|is|are|of|and|that|this|it|to|let|wait|answer|with|for|what|how|he|she"
    r"|they|we|i|if|but|has|have|each|per|times|equals?|total|therefore|check|think)\b",
    re.IGNORECASE,
)
_CHINESE = re.compile("[的是了在我这那有个等们所以答]")
_JAPANESE = re.compile("[\u3040-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]{2}")


def is_readable(sentence: str) -> bool:
    """Whether a sentence is written in a language that the detector knows."""
    if _JAPANESE.search(sentence):
        return False
    return bool(_ENGLISH.search(sentence) or _CHINESE.search(sentence))


def is_unreadable(thought: str) -> bool:
    """Whether a thought has words, but no sentence that the detector can read."""
    spans = sentences(thought)
    return _LETTER.search(thought) is not None and not any(
        is_readable(thought[slice(*span)]) for span in spans
    )


def reading_report(thoughts: Sequence[str]) -> str:
    """One line on the share of thoughts that the detector cannot read."""
    if not thoughts:
        return "detector: not checked, the file holds no thought"
    unread = sum(map(is_unreadable, thoughts))
    return (
        f"detector: it reads {KNOWN}; no sentence that it can read in {unread} of "
        f"{len(thoughts)} thoughts ({unread / len(thoughts):.0%})"
    )
