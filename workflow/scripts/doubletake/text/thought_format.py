"""The markers of a thought, and where the thought lies in a completion.

A reasoning model writes its thought between two markers. A tokenizer may write a marker
as one token or as several. Some models have no start marker: their thought begins with
the first word. Prompts, generation, import, `make detect`, exits and the page use this
module, so that they agree on where a thought begins.

The module runs whenever the workflow starts, so it imports neither torch nor
transformers.
"""

from dataclasses import dataclass

from doubletake.running.errors import InputError

CLOSING, MARKER = "{closing}", "{end_of_thought}"
"""Placeholders of an answer prompt for the end marker, with and without the white space
that the model writes around it."""
BRACKETS = "<[\u25c1"  # a marker or a part of it begins with one of them


@dataclass(frozen=True)
class Edges:
    """Where the thought lies in the text of a completion, in characters."""

    start: int
    """First character of the thought."""
    stop: int
    """Character after the last of the thought."""
    marker: int | None
    """First character of the end marker; None where the thought is not closed."""
    answer: int | None
    """Character after the end marker; None where the thought is not closed.

    Where the model wrote no thought, `marker` and `answer` are the first character of
    its answer."""


@dataclass(frozen=True)
class ThoughtFormat:
    """The markers of a thought, and the white space that a model writes around them."""

    start: str
    """Start marker; empty where the thought begins without a marker."""
    end: str
    """End marker."""
    after_start: str = "\n"
    before_end: str = "\n"
    after_end: str = "\n\n"
    end_is_unambiguous: bool = True
    """Whether the end marker alone shows the format, because it has no other use."""

    @property
    def opening(self) -> str:
        """The text that a model writes before the first word of its thought."""
        return self.start + self.after_start if self.start else ""

    @property
    def closing(self) -> str:
        """The text that a model writes between its thought and its answer."""
        return self.before_end + self.end + self.after_end

    def opening_left(self, turn: str) -> str:
        """Text that the model must write before its thought.

        Args:
            turn: the end of the prompt, from the start of the model's turn.

        Returns:
            Empty if the prompt has opened the thought.

        Raises:
            InputError: the prompt already closes the thought.
        """
        opened = self._after_last_start(turn)
        if self.end in turn[opened:] or self._opens_answer(turn):
            raise InputError(
                f"the prompt already closes the thought (it ends in {turn[-60:]!r}):"
                " there is no thought to study; change template_arguments of the model "
                "(enable_thinking: true or thinking: true, depending on its template)"
            )
        if not self.start or opened == 0:
            return self.opening
        return "" if turn[opened:] else self.after_start

    def turn_start(self, bare: str, whole: str, question: str) -> str:
        """The part of a prompt that starts the model's turn.

        Args:
            bare: the prompt without the start of the turn.
            whole: the prompt.
            question: of the user; both prompts hold it.

        Returns:
            Empty where the template writes nothing for the turn.

        Raises:
            InputError: the template does not write the question, or writes markers
                after it that may belong to the user or to the model.
        """
        if question not in whole:
            raise InputError(
                "the chat template does not write the question into the prompt; a "
                "template for text is needed, not one for lists of parts"
            )
        if bare != whole:
            return whole[_first_difference(bare, whole) :]
        text = whole.rstrip()
        for marker in filter(None, (self.start, self.end)):
            if text.endswith(marker):
                return whole[len(text) - len(marker) :]
        after = whole.rpartition(question)[2]
        if self.end in after or (self.start and self.start in after):
            raise InputError(
                "the chat template writes a marker of the thought after the question "
                "even without add_generation_prompt, so it is not known whether the "
                "thought is open; let the template write the marker only under "
                "add_generation_prompt"
            )
        return ""

    def _opens_answer(self, turn: str) -> bool:
        """Whether a prompt ends with the last part of `closing`.

        For example, `closing` of gpt-oss ends with `<|channel|>final<|message|>`. After
        a prompt with this end the model writes its answer, without a thought.
        """
        closing, text = self.closing.strip(), turn.rstrip()
        if self.start and text.endswith(self.start):
            return False
        tails = [closing[k:] for k, letter in enumerate(closing) if letter in BRACKETS]
        return text.endswith(tuple(tails))

    def _after_last_start(self, turn: str) -> int:
        """The character after the last start marker; 0 without a start marker."""
        marker = turn.rfind(self.start) if self.start else -1
        return 0 if marker < 0 else marker + len(self.start)

    def _find_start(self, text: str, opens: bool) -> int:
        """Character at which a completion writes the start marker; -1 if it does not.

        Some models write the marker again at once where the prompt has written it.

        Args:
            text: of a completion, up to the end marker.
            opens: whether the prompt leaves the marker to the completion.
        """
        if not self.start:
            return -1
        found = text.find(self.start)
        return found if opens or not text[: max(found, 0)].strip() else -1

    def begins_at(self, text: str, left: str) -> int | None:
        """Where the thought begins in a completion that is still being written.

        Args:
            text: of the completion so far.
            left: `opening_left` of the prompt.

        Returns:
            A character; None as long as it does not show.
        """
        opens = bool(self.start) and left.startswith(self.start)
        opened = self._find_start(text, opens)
        rest, wanted = text, left
        if opened >= 0:
            rest, wanted = text[opened + len(self.start) :], self.after_start
        elif opens:
            return None
        elif self.start and self.start.startswith(text.lstrip()):
            return None  # the model may write the marker again
        if len(rest) < len(wanted) and wanted.startswith(rest):
            return None
        return len(text) - len(rest) + len(wanted) * rest.startswith(wanted)

    def edges(self, text: str, left: str, *, cut_off: bool = False) -> Edges:
        """Where the thought lies in a completion.

        Text before the start marker is not part of the thought. If the prompt leaves
        the start marker to the model, and the model writes no marker and ends by
        itself, the completion has no thought: its whole text is the answer. If a
        completion is cut off inside a marker, the begun marker is not part of the
        thought.

        Args:
            text: of the completion.
            left: `opening_left` of the prompt.
            cut_off: whether the completion was cut off and did not end by itself.
        """
        marker, start = text.find(self.end), 0
        opens = bool(self.start) and left.startswith(self.start)
        opened = self._find_start(text[: len(text) if marker < 0 else marker], opens)
        if opened >= 0:
            start = _skip(text, opened + len(self.start), self.after_start)
        elif opens and marker < 0 and text and not cut_off:
            return Edges(0, 0, 0, 0)
        elif left and not opens:
            start = _skip(text, 0, left)
        marker = text.find(self.end, start)
        if marker < 0:
            begun = _begun_marker(text[start:], self.end, self.start) if cut_off else 0
            return Edges(start, len(text) - begun, None, None)
        stop = _skip_back(text, start, marker, self.before_end)
        return Edges(start, stop, marker, marker + len(self.end))


def _first_difference(one: str, other: str) -> int:
    """First character at which two texts differ, or the open bracket before it."""
    pairs = enumerate(zip(one, other, strict=False))
    first = next((k for k, (a, b) in pairs if a != b), min(len(one), len(other)))
    opened = max(other.rfind(bracket, 0, first) for bracket in BRACKETS)
    closed = max(other.rfind(bracket, 0, first) for bracket in ">]\u25b7")
    return opened if opened > closed else first


def _begun_marker(text: str, *markers: str) -> int:
    """Length of an unfinished marker at the end of a text, e.g. 4 for `</th`.

    Markers count from two characters on; without an unfinished marker it is 0.
    """
    begun = [mark[:size] for mark in markers for size in range(2, len(mark))]
    return max((len(part) for part in begun if text.endswith(part)), default=0)


def goes_on_at(text: str, character: int, marker: str) -> int:
    """Number of characters that show that a thought goes on at a place.

    A marker may begin there, before there, or after the white space there, which then
    is no part of the thought. One more than the text has: only its end shows it.

    Args:
        text: of the thought, and what follows it.
        character: the place.
        marker: the end marker.
    """
    sizes = range(1, min(character, len(marker) - 1) + 1)
    begun = [n for n in sizes if text.startswith(marker[:n], character - n)]
    start = character - max(begun, default=0)
    if not begun and not text[max(0, character - 1) : character].isspace():
        return character
    while start < len(text) and text[start].isspace():
        start += 1
    same = 0
    while text[start + same : start + same + 1] == marker[same : same + 1] != "":
        same += 1
    return start + same + 1


def _skip(text: str, character: int, wanted: str) -> int:
    """The character after `wanted` if it begins at `character`; else `character`."""
    return character + len(wanted) * text.startswith(wanted, character)


def _skip_back(text: str, start: int, character: int, wanted: str) -> int:
    """The start of `wanted` if it ends at `character`; else `character`."""
    return character - len(wanted) * text.endswith(wanted, start, character)


def filled_answer_prompt(prompt: str, form: ThoughtFormat) -> str:
    """An answer prompt with its placeholder filled in.

    Args:
        prompt: holds `{closing}`, `{end_of_thought}` or the end marker itself, once.
        form: of the model.

    Raises:
        InputError: the prompt holds no end marker, or more than one.
    """
    filled = prompt.replace(CLOSING, form.closing).replace(MARKER, form.end)
    if filled.count(form.end) != 1:
        raise InputError(
            f"early_exit.answer_prompt: must hold {CLOSING}, {MARKER} or the "
            f"end-of-thought marker {form.end!r} once, but is {prompt!r}"
        )
    return filled
