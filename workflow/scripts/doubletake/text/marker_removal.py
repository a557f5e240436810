"""Removal of the markers around a thought or an answer that a user brings."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doubletake.running.errors import InputError
from doubletake.text.known_formats import KNOWN_FORMATS
from doubletake.text.thought_format import ThoughtFormat

LINE_BREAKS = ("\r\n", "\n")
SPACE = " \t\r\n\ufeff"
_TAG = re.compile(r"[<\[\u25c1]/?[a-z:_]+[>\]\u25b7]", re.IGNORECASE)
UNAMBIGUOUS = [known for known in KNOWN_FORMATS if known.end_is_unambiguous]
"""Formats whose end markers have no other use."""
_OPEN, _CLOSED = "[`'\"\u201c\u2018\u00ab]", "[`'\"\u201d\u2019\u00bb]"
"""Quotation marks before and after a quoted marker."""
HOW_TO_FIX = "let 'thought' hold the thought alone, or with its markers around it"


@dataclass(frozen=True)
class StrippedThought:
    """A thought that a user brings, without its markers."""

    text: str
    start: int
    """Its first character in the user's text."""
    after: str | None
    """The text after the end marker; None without an end marker."""


def without_markers(
    text: str, formats: Sequence[ThoughtFormat] = ()
) -> StrippedThought:
    """A user's thought without the markers around it.

    A start marker must stand at the beginning. After it, only the end marker of the
    same format ends the thought. Without a start marker, the end marker of the model
    ends it. Where no model is known, the end marker of any format does. A marker in
    quotation marks or backticks is text. A marker at another place is refused, because
    its meaning is not known. So are two blocks of thought, and two end markers.

    Args:
        text: as the user gives it.
        formats: the format of the study's model; empty where there is no model.

    Raises:
        InputError: the thought holds a marker of the model, in any spelling, or a
            marker of another format in a line of its own; it quotes the model's end
            marker, which a study could not tell from its end; or a second marker
            stands after the thought.
    """
    all_formats = [
        *formats,
        *(other for other in KNOWN_FORMATS if other not in formats),
    ]
    given, text = text, _without_quoted(text, all_formats)
    lead = len(text) - len(text.lstrip(SPACE))
    opened = [f for f in all_formats if f.start and text.startswith(f.start, lead)]
    start, ending = 0, list(formats) or UNAMBIGUOUS
    if opened:
        longest = max(opened, key=lambda form: len(form.start))
        ending = [form for form in all_formats if form.start == longest.start]
        start = lead + len(longest.start)
        start += _length(text[start:].startswith, longest.after_start)
    ends = [(text.find(f.end, start), f) for f in ending if f.end in text[start:]]
    marker, closed_by = min(ends, key=lambda item: item[0], default=(len(text), None))
    stop, after = marker, None
    if closed_by is not None:
        stop -= _length(text[start:marker].endswith, closed_by.before_end)
        rest = marker + len(closed_by.end)
        _refuse_second_block(text[rest:], closed_by)
        after = _after_closing(given[rest:], closed_by)
    thought = given[start:stop]
    for form in formats:
        if form.end in thought:
            raise InputError(
                f"'thought' quotes the end marker {form.end!r}; a study could not tell "
                "it from the end of the thought"
            )
    _refuse_markers(text[start:stop], list(formats) or all_formats[:1], all_formats)
    return StrippedThought(thought, start, after)


def answer_without_markers(
    answer: str, thought: str, formats: Sequence[ThoughtFormat] = ()
) -> str:
    """A user's answer without the thought or end marker before it.

    The answer may begin with the end marker, or repeat the thought.

    Args:
        answer: as the user gives it.
        thought: the thought of the same row, without markers.
        formats: the format of the study's model; empty where there is no model.

    Raises:
        InputError: the answer holds a marker at another place, or another thought.
    """
    forms = list(formats) or UNAMBIGUOUS
    text = answer.lstrip(SPACE)
    for form in forms:
        ended, tail = text.startswith(form.end), form.after_end.strip()
        if ended or (tail and text.startswith(tail)):
            text = _after_closing(text.removeprefix(form.end) if ended else text, form)
            break
    else:
        text = answer
    if not any(mark in _without_quoted(text, forms) for mark in _markers(forms)):
        return text
    stripped = without_markers(text, formats)
    if stripped.after is None or stripped.text.strip() not in ("", thought.strip()):
        raise InputError(
            "'answer' holds markers of a thought, but not the thought of the row; let "
            "it hold the text after the thought alone"
        )
    return stripped.after


def _without_quoted(text: str, forms: Sequence[ThoughtFormat]) -> str:
    """A text of the same length, with null characters in place of quoted markers.

    Quotation marks that belong to the words before or after a marker quote nothing.
    """
    markers = "|".join(map(re.escape, sorted(_markers(forms))))
    before = rf"(?<={_OPEN})(?<![\w.,;:!?)]{_OPEN})"
    quoted = rf"{before}(?:{markers})(?={_CLOSED}(?!\w))"
    return re.sub(quoted, lambda match: "\0" * len(match.group()), text)


def _refuse_second_block(after: str, form: ThoughtFormat) -> None:
    """Refuse a second thought, or a second end, in the text after a thought."""
    if form.start and form.start in after:
        raise InputError(
            f"a second thought begins after the first ({form.start!r} stands after "
            f"{form.end!r}); a study reads one thought: keep one"
        )
    if form.end_is_unambiguous and form.end in after:
        raise InputError(
            f"the end marker {form.end!r} stands more than once, so the end of the "
            f"thought is not known; {HOW_TO_FIX}"
        )


def _length(holds: Callable[[str], bool], wanted: str) -> int:
    """Number of characters of white space that a text holds beside a marker."""
    spaces = (space for space in (wanted, *LINE_BREAKS) if space and holds(space))
    return len(next(spaces, ""))


def _after_closing(text: str, form: ThoughtFormat) -> str:
    """The text after an end marker, without the text that the format adds to it."""
    tail = form.after_end.strip()
    after = text.lstrip("\r\n")
    return after.removeprefix(tail).lstrip("\r\n") if tail else after


def _refuse_markers(
    thought: str, formats: Sequence[ThoughtFormat], all_formats: Sequence[ThoughtFormat]
) -> None:
    """Refuse a thought that still holds a marker."""
    markers = _markers(formats)
    folded = {mark.casefold() for mark in markers}
    tags = _TAG.finditer(re.sub(r"(?<=[<\[/])[ \t]+|[ \t]+(?=[>\]])", "", thought))
    left = sorted(mark for mark in markers if mark in thought)
    left += [tag.group() for tag in tags if tag.group().casefold() in folded]
    lines = {line.strip() for line in thought.splitlines()}
    left += sorted(_markers(all_formats) & lines)
    if left:
        raise InputError(
            f"'thought' holds the marker {left[0]!r} inside the thought; {HOW_TO_FIX}"
        )


def _markers(forms: Sequence[ThoughtFormat]) -> set[str]:
    return {mark for form in forms for mark in (form.start, form.end) if mark}
