"""How a model marks its thought: the one place that decides where a thought begins.

A reasoning model writes its thought between two markers. Each marker is a text, which
the tokenizer may write as one token or as several. Some models have no start marker:
their thought begins with the first word. Prompts, generation, import, `make detect`,
exits and the page all ask this module; none of them looks for a marker itself.

No torch and no transformers here: it runs whenever the workflow starts.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from doubletake.running.errors import InputError

CLOSING, MARKER = "{closing}", "{end_of_thought}"
"""Stand in an answer prompt for the end marker, with and without the white space that
the model writes around it."""
BRACKETS = "<[\u25c1"  # begin a marker, or a part of one


@dataclass(frozen=True)
class Edges:
    """Where the thought lies in the text of a completion, in characters."""

    start: int
    """Its first character."""
    stop: int
    """Behind its last character."""
    marker: int | None
    """First character of the end marker; None where the thought was never closed."""
    answer: int | None
    """First character behind the end marker; None where the thought was never closed.

    Where the model wrote no thought at all, `marker` and `answer` are the place at
    which its answer begins."""


@dataclass(frozen=True)
class ThoughtFormat:
    """The markers of a thought, and the white space that a model writes around them."""

    start: str
    """Opens the thought; empty where the thought begins without a marker."""
    end: str
    """Closes the thought."""
    after_start: str = "\n"
    before_end: str = "\n"
    after_end: str = "\n\n"
    known_by_end: bool = True
    """Whether the end marker alone shows the format: it has no other use."""

    @property
    def opening(self) -> str:
        """What a model writes before the first word of its thought."""
        return self.start + self.after_start if self.start else ""

    @property
    def closing(self) -> str:
        """What a model writes between its thought and its answer."""
        return self.before_end + self.end + self.after_end

    def opening_left(self, written: str) -> str:
        """The part of `opening` that a completion still has to write.

        Args:
            written: the end of the prompt, from where the model's turn begins.

        Returns:
            Empty where the prompt has opened the thought.

        Raises:
            InputError: the prompt has closed the thought already.
        """
        opened = self._last_start(written)
        if self.end in written[opened:] or self._opens_answer(written):
            raise InputError(
                f"the prompt already closes the thought (it ends in {written[-60:]!r}):"
                " there is no thought to study; change template_arguments of the model "
                "(enable_thinking: true, or thinking: true, as its template calls it)"
            )
        if not self.start or opened == 0:
            return self.opening
        behind = written[opened:]
        return self.after_start if not behind else ""

    def turn_of(self, bare: str, whole: str, question: str) -> str:
        """What a prompt holds of the model's turn.

        Args:
            bare: the prompt without the opening of the turn.
            whole: the prompt.
            question: of the user, in both.

        Returns:
            What opens the turn; empty where the template writes nothing for it.

        Raises:
            InputError: the template does not write the question, or writes markers
                behind it of which it cannot be told whose they are.
        """
        if question not in whole:
            raise InputError(
                "the chat template does not write the question into the prompt; a "
                "template for text is needed, not one for lists of parts"
            )
        if bare != whole:
            return whole[_parted(bare, whole) :]
        text = whole.rstrip()
        for marker in filter(None, (self.start, self.end)):
            if text.endswith(marker):
                return whole[len(text) - len(marker) :]
        behind = whole.rpartition(question)[2]
        if self.end in behind or (self.start and self.start in behind):
            raise InputError(
                "the chat template writes a marker of the thought behind the question, "
                "whether or not the model's turn is opened, so that it cannot be told "
                "whether the thought is open; let it write the marker under "
                "add_generation_prompt"
            )
        return ""

    def _opens_answer(self, written: str) -> bool:
        """Whether a prompt ends in the last part of what comes before an answer."""
        closing, text = self.closing.strip(), written.rstrip()
        if self.start and text.endswith(self.start):
            return False
        tails = [closing[k:] for k, letter in enumerate(closing) if letter in BRACKETS]
        return text.endswith(tuple(tails))

    def _last_start(self, written: str) -> int:
        """The character behind the last start marker; 0 where there is none."""
        place = written.rfind(self.start) if self.start else -1
        return 0 if place < 0 else place + len(self.start)

    def _opened_at(self, text: str, opens: bool) -> int:
        """Where a text writes the start marker; -1 where it does not.

        Args:
            text: of a completion, up to the end marker.
            opens: whether the prompt has left it to the completion; some models write
                it again, as the first thing, where the prompt has written it.
        """
        if not self.start:
            return -1
        place = text.find(self.start)
        return place if opens or not text[: max(place, 0)].strip() else -1

    def edges(self, text: str, left: str, *, cut_off: bool = False) -> Edges:
        """Where the thought lies in a completion.

        What a model writes before its start marker belongs to no thought. A model that
        has to open its thought itself, writes neither marker and comes to an end has
        not thought: all of its text is the answer. Of a completion that was cut off, a
        marker that has only begun is no part of the thought.

        Args:
            text: of the completion.
            left: `opening_left` of the prompt.
            cut_off: whether the completion was, and did not end by itself.
        """
        marker, start = text.find(self.end), 0
        opens = bool(self.start) and left.startswith(self.start)
        place = self._opened_at(text[: len(text) if marker < 0 else marker], opens)
        if place >= 0:
            start = _behind(text, place + len(self.start), self.after_start)
        elif opens and marker < 0 and text and not cut_off:
            return Edges(0, 0, 0, 0)
        elif left and not opens:
            start = _behind(text, 0, left)
        marker = text.find(self.end, start)
        if marker < 0:
            begun = _begun(text[start:], self.end, self.start) if cut_off else 0
            return Edges(start, len(text) - begun, None, None)
        stop = _before(text, start, marker, self.before_end)
        return Edges(start, stop, marker, marker + len(self.end))


def _parted(one: str, other: str) -> int:
    """Where two texts part, before a bracket that both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    place = next((k for k, (a, b) in pairs if a != b), min(len(one), len(other)))
    opened = max(other.rfind(bracket, 0, place) for bracket in BRACKETS)
    closed = max(other.rfind(bracket, 0, place) for bracket in ">]\u25b7")
    return opened if opened > closed else place


def _begun(text: str, *markers: str) -> int:
    """Characters at the end of a text that begin one of the markers, two at least."""
    begun = [mark[:size] for mark in markers for size in range(2, len(mark))]
    return max((len(part) for part in begun if text.endswith(part)), default=0)


def _behind(text: str, place: int, *wanted: str) -> int:
    """Behind the first of the `wanted` texts that stands at `place`; else `place`."""
    found = [mark for mark in wanted if text.startswith(mark, place)]
    return place + len(found[0]) if found else place


def _before(text: str, start: int, place: int, *wanted: str) -> int:
    """Before the first of the `wanted` texts that ends at `place`; else `place`."""
    found = [mark for mark in wanted if text.endswith(mark, start, place)]
    return place - len(found[0]) if found else place


KNOWN = (
    ThoughtFormat("<think>", "</think>"),
    ThoughtFormat(
        *("<|begin_of_thought|>", "<|end_of_thought|>"),
        *("\n\n", "\n\n", "\n\n<|begin_of_solution|>\n\n"),
    ),
    ThoughtFormat("[THINK]", "[/THINK]", "", "", ""),
    ThoughtFormat("<thought>", "</thought>"),
    ThoughtFormat("<thinking>", "</thinking>"),
    ThoughtFormat("<reasoning>", "</reasoning>", "\n", "\n", "\n"),
    ThoughtFormat("<seed:think>", "</seed:think>", "", "", ""),
    ThoughtFormat("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ThoughtFormat("<|START_THINKING|>", "<|END_THINKING|>", "", "", ""),
    ThoughtFormat("<|im_start|>think", "<|im_start|>answer", "\n", "\n", "\n", False),
    ThoughtFormat(
        *("<|channel|>analysis<|message|>", "<|end|>", "", ""),
        *("<|start|>assistant<|channel|>final<|message|>", False),
    ),
)
"""Formats in use: DeepSeek-R1, Qwen3, QwQ and Nemotron; OpenThinker and Sky-T1;
Magistral; EXAONE Deep; models trained to write `<thinking>` or `<reasoning>`; Seed-OSS;
Kimi-VL-Thinking; Command A Reasoning; s1; gpt-oss."""

_CLOSING_TAG = re.compile(r"(?P<bracket>[<\[\u25c1])/(?P<name>.+)")
HOW_TO_SET = "set start_of_thought and end_of_thought of the model"


def named(start: str | None, end: str) -> ThoughtFormat:
    """The format that a config asks for.

    Args:
        start: the start marker; empty for none; None to tell it from the end marker.
        end: the end marker.

    Raises:
        InputError: the markers are equal, or the start marker cannot be told.
    """
    if not end.strip() or (start and not start.strip()):
        raise InputError(
            f"start_of_thought {start!r}, end_of_thought {end!r}: a marker must hold "
            "more than white space"
        )
    if start is None:
        start = _start_of(end)
    if start == end:
        raise InputError(
            f"start_of_thought and end_of_thought are both {end!r}; the markers of a "
            "thought must differ"
        )
    same = [known for known in KNOWN if (known.start, known.end) == (start, end)]
    return same[0] if same else ThoughtFormat(start, end)


def _start_of(end: str) -> str:
    """The start marker that belongs to an end marker."""
    for known in KNOWN:
        if known.end == end:
            return known.start
    tag = _CLOSING_TAG.fullmatch(end)
    if tag is None:
        raise InputError(
            f"end_of_thought: which marker opens the thought cannot be told from "
            f"{end!r}; set start_of_thought of the model too (empty if its thoughts "
            "begin without a marker)"
        )
    return tag["bracket"] + tag["name"]


def recognised(template: str, tokens: Collection[str]) -> ThoughtFormat:
    """The format that a model's files show.

    Its chat template names the markers, or its tokenizer has each as one token.

    Args:
        template: the chat template.
        tokens: texts of the tokens added to the vocabulary.

    Raises:
        InputError: no known format, or more than one.
    """
    written = [known for known in KNOWN if _in_template(known, template)]
    added = [known for known in KNOWN if {known.start, known.end} <= set(tokens)]
    both = [known for known in written if known in added]
    for found in (both, written, added):
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(f"{known.start} ... {known.end}" for known in found)
            raise InputError(f"more than one format of thoughts: {names}; {HOW_TO_SET}")
    raise InputError(
        "neither the chat template nor the tokenizer shows how the model marks its "
        f"thought; {HOW_TO_SET} (for example <think> and </think>)"
    )


def _in_template(known: ThoughtFormat, template: str) -> bool:
    return known.start in template or (known.known_by_end and known.end in template)


def of_model(
    start: str | None,
    end: str | None,
    template: str,
    tokens: Collection[str],
    *,
    opened: bool = False,
) -> ThoughtFormat:
    """The format of a model: as its config says, else as its files show.

    Args:
        start: `start_of_thought` of the model.
        end: `end_of_thought`.
        template: its chat template.
        tokens: texts of the tokens added to its vocabulary.
        opened: `open_thought`.

    Raises:
        InputError: as `named` and `recognised`; a start marker without an end marker;
            a thought to be opened without a start marker.
    """
    if opened and start == "":
        raise InputError("open_thought is true, but start_of_thought is empty")
    if end is not None:
        return named(start, end)
    if start is None:
        return recognised(template, tokens)
    same = [known for known in KNOWN if start and known.start == start]
    if not same:
        raise InputError(
            f"start_of_thought is {start!r}, but end_of_thought is not set"
        )
    return same[0]


def check_marker(marker: str, written: str) -> None:
    """Refuse a marker that the tokenizer cannot write.

    Args:
        marker: a start or end marker.
        written: what its tokens stand for.

    Raises:
        InputError: they stand for something else.
    """
    if written != marker:
        raise InputError(
            f"the tokenizer cannot write the marker {marker!r}: it gives {written!r}; "
            f"{HOW_TO_SET}"
        )


def answer_prompt(prompt: str, form: ThoughtFormat) -> str:
    """An answer prompt with its placeholder filled in.

    Args:
        prompt: holds `{closing}`, `{end_of_thought}` or the end marker itself, once.
        form: of the model.

    Raises:
        InputError: it does not.
    """
    filled = prompt.replace(CLOSING, form.closing).replace(MARKER, form.end)
    if filled.count(form.end) != 1:
        raise InputError(
            f"early_exit.answer_prompt: must hold {CLOSING}, {MARKER} or the "
            f"end-of-thought marker {form.end!r} once, but is {prompt!r}"
        )
    return filled
