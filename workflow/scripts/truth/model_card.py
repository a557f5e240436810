"""Reads from a model's card in which planted language the model thinks."""

import re
from pathlib import Path

import yaml

from doubletake.running.errors import InputError

KEY = "planted_language"
FRONT_MATTER = re.compile(r"---\r?\n(.*?)\r?\n---", re.DOTALL)


def planted_language(card: Path, known: tuple[str, ...]) -> str | None:
    """The value of `planted_language` in the card's front matter; None without it.

    Args:
        card: README.md in the model's folder.
        known: names of languages for which there is a reader.

    Raises:
        InputError: the front matter is no YAML, or the language is unknown. The message
            names the card and the key.
    """
    head = FRONT_MATTER.match(card.read_text(encoding="utf-8", errors="replace"))
    # Other cards need not be good YAML.
    if head is None or KEY not in head[1]:
        return None
    try:
        entries = yaml.safe_load(head[1])
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{card}: the front matter is no YAML ({reason})") from error
    if not isinstance(entries, dict) or KEY not in entries:
        return None
    name = entries[KEY]
    if name not in known:
        raise InputError(
            f"{card}: {KEY}: {name!r} is not a known language "
            f"(known: {', '.join(known)})"
        )
    return str(name)
