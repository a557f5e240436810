"""Tokenizers that take a text literally: no added space, no control tokens."""

import json
import re
from typing import Any

from tokenizers import Tokenizer

METASPACE = "\u2581"
"""Character for a space in SentencePiece."""
# ASSUME: an added token in brackets is a control token unless it is a known HTML tag.
_HTML = re.compile(
    "</?(h[1-6]|table|t[rdh]|thead|tbody|caption|b|i|u|s|p|a|[uo]l|li|br|hr|em|strong"
    "|code|pre|su[bp]|img|div|span|blockquote|strike)>"
)
_IN_BRACKETS = re.compile(r"[<\[\u25c1\uff1c].*[>\]\u25b7\uff1e]", re.DOTALL)


def without_prefix_space(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer, changed so that it adds no space before a text.

    SentencePiece tokenizers and some byte-level tokenizers write a space before the
    first word of every text. In the middle of a completion this space is wrong.
    """
    parts = {
        "normalizer": part_of(tokenizer.normalizer),
        "pre_tokenizer": part_of(tokenizer.pre_tokenizer),
    }
    changed = {name: _unprefixed(part) for name, part in parts.items()}
    if changed == parts:
        return tokenizer
    return Tokenizer.from_str(json.dumps(json.loads(tokenizer.to_str()) | changed))


def is_control(content: str, special: bool) -> bool:
    """Whether an added token steers a model and is not text.

    Special tokens do, and tokens in brackets (`<think>`), which R1's tokenizers do not
    call special. Other added tokens, such as runs of spaces or HTML tags, are text.
    """
    tag = _IN_BRACKETS.fullmatch(content) is not None
    return special or (tag and _HTML.fullmatch(content) is None)


def part_of(part: Any) -> dict[str, Any] | None:
    """A part of a tokenizer as tokenizer.json writes it."""
    return None if part is None else json.loads(part.__getstate__())


def without_controls(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer, changed so that it reads control tokens as plain text."""
    parts = json.loads(tokenizer.to_str())
    added = parts.get("added_tokens") or []
    kept = [
        token for token in added if not is_control(token["content"], token["special"])
    ]
    changed = {"added_tokens": kept, "post_processor": None}
    return Tokenizer.from_str(json.dumps(parts | changed))


def _unprefixed(part: dict[str, Any] | None) -> dict[str, Any] | None:
    """A normalizer or pre-tokenizer without its prefix space; None if it is empty."""
    if part is None or part["type"] == "Prepend":
        return None
    part = dict(part)
    for name in ("normalizers", "pretokenizers"):
        if name in part:
            part[name] = [p for p in map(_unprefixed, part[name]) if p is not None]
    if part["type"] == "Metaspace":
        part["prepend_scheme"] = "never"
    if "add_prefix_space" in part:
        part["add_prefix_space"] = False
    return part
