"""Thoughts that somebody wrote down: freed from the markers around them, or refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from doubletake.errors import InputError
from doubletake.thought_format import KNOWN, ThoughtFormat

LINE_BREAKS = ("\r\n", "\n")
SPACE = " \t\r\n\ufeff"
_TAG = re.compile(r"[<\[\u25c1]/?[a-z:_]+[>\]\u25b7]", re.IGNORECASE)
REMEDY = "let 'thought' hold the thought alone, or with its markers around it"


@dataclass(frozen=True)
class ForeignThought:
    """A thought that somebody wrote down, freed from its markers."""

    text: str
    start: int
    """Its first character in the text as given."""
    after: str | None
    """What stood behind the end marker; None without an end marker."""


def without_markers(text: str, own: Sequence[ThoughtFormat] = ()) -> ForeignThought:
    """A foreign thought without the markers around it.

    A start marker stands at the beginning; behind it only its own end marker ends the
    thought. Without a start marker the end marker of the model does or, where no model
    is known, that of any format. Whatever else looks like a marker is refused: what it
    means cannot be told.

    Args:
        text: as given.
        own: the format of the study's model; none where there is no model.

    Raises:
        InputError: a marker at another place, of another format, or in another
            spelling.
    """
    known = [*own, *(other for other in KNOWN if other not in own)]
    lead = len(text) - len(text.lstrip(SPACE))
    opened = [f for f in known if f.start and text.startswith(f.start, lead)]
    start, ending = 0, list(own) or known
    if opened:
        longest = max(opened, key=lambda form: len(form.start))
        ending = [form for form in known if form.start == longest.start]
        start = lead + len(longest.start)
        start += next((len(b) for b in LINE_BREAKS if text.startswith(b, start)), 0)
    ends = [(text.find(f.end, start), f) for f in ending if f.end in text[start:]]
    marker, found = min(ends, key=lambda item: item[0], default=(len(text), None))
    stop = marker
    if found is not None:
        breaks = (b for b in LINE_BREAKS if text.endswith(b, start, marker))
        stop -= len(next(breaks, ""))
    thought = text[start:stop]
    _check_rest(thought, known)
    after = None if found is None else text[marker + len(found.end) :].lstrip("\r\n")
    return ForeignThought(thought, start, after)


def _check_rest(thought: str, known: Sequence[ThoughtFormat]) -> None:
    """Refuse a thought in which a marker is left, in whatever spelling."""
    markers = {mark for form in known for mark in (form.start, form.end) if mark}
    left = sorted(mark for mark in markers if mark in thought)
    folded = {mark.casefold() for mark in markers}
    left += [
        tag.group()
        for tag in _TAG.finditer(re.sub(r"(?<=[<\[/])\s+|\s+(?=[>\]])", "", thought))
        if tag.group().casefold() in folded
    ]
    if left:
        raise InputError(
            f"'thought' holds the marker {left[0]!r} inside the thought; {REMEDY}"
        )
