"""Thoughts that somebody wrote down: freed from the markers around them, or refused."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doubletake.running.errors import InputError
from doubletake.text.thought_format import KNOWN, ThoughtFormat

LINE_BREAKS = ("\r\n", "\n")
SPACE = " \t\r\n\ufeff"
_TAG = re.compile(r"[<\[\u25c1]/?[a-z:_]+[>\]\u25b7]", re.IGNORECASE)
TELLING = [known for known in KNOWN if known.known_by_end]
"""Formats whose markers have no other use."""
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
    is known, that of any format. A marker at another place is refused: what it means
    cannot be told.

    Args:
        text: as given.
        own: the format of the study's model; none where there is no model.

    Raises:
        InputError: a marker of the model inside the thought, in whatever spelling, or
            one of another format in a line of its own.
    """
    known = [*own, *(other for other in KNOWN if other not in own)]
    lead = len(text) - len(text.lstrip(SPACE))
    opened = [f for f in known if f.start and text.startswith(f.start, lead)]
    start, ending = 0, list(own) or TELLING
    if opened:
        longest = max(opened, key=lambda form: len(form.start))
        ending = [form for form in known if form.start == longest.start]
        start = lead + len(longest.start)
        start += _length(text[start:].startswith, longest.after_start)
    ends = [(text.find(f.end, start), f) for f in ending if f.end in text[start:]]
    marker, found = min(ends, key=lambda item: item[0], default=(len(text), None))
    stop, after = marker, None
    if found is not None:
        stop -= _length(text[start:marker].endswith, found.before_end)
        after = _behind_closing(text[marker + len(found.end) :], found)
    thought = text[start:stop]
    _check_rest(thought, list(own) or known[:1], known)
    return ForeignThought(thought, start, after)


def answer_without_markers(
    answer: str, thought: str, own: Sequence[ThoughtFormat] = ()
) -> str:
    """A foreign answer without what belongs to the thought before it.

    It may begin with the end marker, or hold the thought once more.

    Args:
        answer: as given.
        thought: the row's, without markers.
        own: the format of the study's model; none where there is no model.

    Raises:
        InputError: a marker at another place, or another thought.
    """
    forms = list(own) or TELLING
    text = answer.lstrip(SPACE)
    for form in forms:
        ended, tail = text.startswith(form.end), form.after_end.strip()
        if ended or (tail and text.startswith(tail)):
            text = _behind_closing(text.removeprefix(form.end) if ended else text, form)
            break
    else:
        text = answer
    if not any(mark in text for mark in _markers(forms)):
        return text
    found = without_markers(text, own)
    if found.after is None or found.text.strip() not in ("", thought.strip()):
        raise InputError(
            "'answer' holds markers of a thought, but not the thought of the row; let "
            "it hold the text after the thought alone"
        )
    return found.after


def _length(holds: Callable[[str], bool], wanted: str) -> int:
    """Characters of the white space around a marker that a text holds."""
    found = (mark for mark in (wanted, *LINE_BREAKS) if mark and holds(mark))
    return len(next(found, ""))


def _behind_closing(text: str, form: ThoughtFormat) -> str:
    """What stands behind an end marker, without what a format writes after it."""
    tail = form.after_end.strip()
    rest = text.lstrip("\r\n")
    return rest.removeprefix(tail).lstrip("\r\n") if tail else rest


def _check_rest(
    thought: str, own: Sequence[ThoughtFormat], known: Sequence[ThoughtFormat]
) -> None:
    """Refuse a thought in which a marker is left."""
    markers = _markers(own)
    folded = {mark.casefold() for mark in markers}
    tags = _TAG.finditer(re.sub(r"(?<=[<\[/])[ \t]+|[ \t]+(?=[>\]])", "", thought))
    left = sorted(mark for mark in markers if mark in thought)
    left += [tag.group() for tag in tags if tag.group().casefold() in folded]
    lines = {line.strip() for line in thought.splitlines()}
    left += sorted(_markers(known) & lines)
    if left:
        raise InputError(
            f"'thought' holds the marker {left[0]!r} inside the thought; {REMEDY}"
        )


def _markers(forms: Sequence[ThoughtFormat]) -> set[str]:
    return {mark for form in forms for mark in (form.start, form.end) if mark}
