"""Known formats of thoughts, and how the format of a model is found.

The module runs whenever the workflow starts, so it imports neither torch nor
transformers.
"""

import re
from collections.abc import Collection

from doubletake.running.errors import InputError
from doubletake.text.thought_format import ThoughtFormat

KNOWN_FORMATS = (
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
"""Formats of published models, in this order: DeepSeek-R1, Qwen3, QwQ and Nemotron;
OpenThinker and Sky-T1; Magistral; EXAONE Deep; models trained to write `<thinking>` or
`<reasoning>`; Seed-OSS; Kimi-VL-Thinking; Command A Reasoning; s1; gpt-oss."""

_CLOSING_TAG = re.compile(r"(?P<bracket>[<\[\u25c1])/(?P<name>.+)")
HOW_TO_SET = "set start_of_thought and end_of_thought of the model"


def format_of_markers(start: str | None, end: str) -> ThoughtFormat:
    """The format that a config names by its markers.

    Args:
        start: the start marker; empty if the thought has no start marker; None if it
            follows from the end marker.
        end: the end marker.

    Raises:
        InputError: the markers are equal, or the start marker does not follow from the
            end marker.
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
    same = [
        known for known in KNOWN_FORMATS if (known.start, known.end) == (start, end)
    ]
    return same[0] if same else ThoughtFormat(start, end)


def _start_of(end: str) -> str:
    """The start marker that belongs to an end marker."""
    for known in KNOWN_FORMATS:
        if known.end == end:
            return known.start
    tag = _CLOSING_TAG.fullmatch(end)
    if tag is None:
        raise InputError(
            f"end_of_thought: the start marker cannot be told from {end!r}; set "
            "start_of_thought of the model too (empty if its thoughts begin without a "
            "marker)"
        )
    return tag["bracket"] + tag["name"]


def recognised_format(template: str, tokens: Collection[str]) -> ThoughtFormat:
    """The format that a model's files show.

    The chat template names the markers, or the tokenizer has each marker as one token.

    Args:
        template: the chat template.
        tokens: texts of the tokens added to the vocabulary.

    Raises:
        InputError: the files show no known format, or more than one.
    """
    in_template = [known for known in KNOWN_FORMATS if _in_template(known, template)]
    in_tokens = [
        known for known in KNOWN_FORMATS if {known.start, known.end} <= set(tokens)
    ]
    in_both = [known for known in in_template if known in in_tokens]
    for formats in (in_both, in_template, in_tokens):
        if len(formats) == 1:
            return formats[0]
        if formats:
            names = ", ".join(f"{known.start} ... {known.end}" for known in formats)
            raise InputError(f"more than one format of thoughts: {names}; {HOW_TO_SET}")
    raise InputError(
        "neither the chat template nor the tokenizer shows how the model marks its "
        f"thought; {HOW_TO_SET} (for example <think> and </think>)"
    )


def _in_template(known: ThoughtFormat, template: str) -> bool:
    return known.start in template or (
        known.end_is_unambiguous and known.end in template
    )


def format_of_model(
    start: str | None,
    end: str | None,
    template: str,
    tokens: Collection[str],
    *,
    opened: bool = False,
) -> ThoughtFormat:
    """The format of a model: from its config, else from its files.

    Args:
        start: `start_of_thought` of the model.
        end: `end_of_thought`.
        template: its chat template.
        tokens: texts of the tokens added to its vocabulary.
        opened: `open_thought`.

    Raises:
        InputError: `format_of_markers` or `recognised_format` finds no format, a start
            marker has no end marker, or `open_thought` has no start marker.
    """
    if opened and start == "":
        raise InputError("open_thought is true, but start_of_thought is empty")
    if end is not None:
        return format_of_markers(start, end)
    if start is None:
        return recognised_format(template, tokens)
    same = [known for known in KNOWN_FORMATS if start and known.start == start]
    if not same:
        raise InputError(
            f"start_of_thought is {start!r}, but end_of_thought is not set"
        )
    return same[0]


def check_marker(marker: str, written: str) -> None:
    """Refuse a marker that the tokenizer cannot write.

    Args:
        marker: a start or end marker.
        written: the text of its tokens.

    Raises:
        InputError: the text differs from the marker.
    """
    if written != marker:
        raise InputError(
            f"the tokenizer cannot write the marker {marker!r}: it gives {written!r}; "
            f"{HOW_TO_SET}"
        )
