"""The published claims of the repository's reference files, read and checked."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from doubletake.running.errors import InputError
from doubletake.study.config_shape import check_shape

NUMBER_OR_NULL = {"type": ["number", "null"]}
TEXT = {"type": "string", "minLength": 1}
PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
WORK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["title", "url", "model", "dataset"],
    "properties": {
        "title": TEXT,
        "url": {"type": ["string", "null"]},
        "model": TEXT,
        "dataset": TEXT,
    },
}
ENTRY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["work", "stated", "value", "recipe"],
    "properties": {
        "work": TEXT,
        "stated": TEXT,
        "value": NUMBER_OR_NULL,
        "recipe": TEXT,
        "not_stated": TEXT,
        "within": PAIR,
        "depth": PAIR,
        "unit_of": {
            "type": "object",
            "additionalProperties": False,
            "required": ["layer", "vector"],
            "properties": {
                "layer": {"type": "integer"},
                "vector": {"type": "integer"},
            },
        },
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["works", "claims"],
    "properties": {
        "works": {"type": "object", "additionalProperties": WORK},
        "claims": {"type": "object", "additionalProperties": ENTRY},
    },
}
"""Form of the file of published claims."""


@dataclass(frozen=True)
class Work:
    """Where claims were published, and on which model and problems."""

    title: str
    url: str | None
    model: str
    dataset: str

    @property
    def source(self) -> str:
        """Title and address."""
        return f"{self.title}, {self.url}" if self.url else self.title


@dataclass(frozen=True)
class Entry:
    """A published claim."""

    work: Work
    stated: str
    value: float | None
    recipe: str
    not_stated: str = ""
    """What would have to be known to compare the number; empty: nothing."""
    within: list[float] | None = None
    """Ends of a published range."""
    depth: list[float] = field(default_factory=list)
    """Ends of a range of layers, as shares of the depth."""
    unit_of: dict[str, int] = field(default_factory=dict)
    """Layer and number of an MLP unit."""


@dataclass(frozen=True)
class References:
    """All published claims."""

    entries: dict[str, Entry]
    logits: dict[int, list[float]]
    """Mean logits at exit 0, 1, ..., by number of arrivals."""
    parts: list[float]
    """Importance of the question and of five parts of the thought."""

    @classmethod
    def read(cls, claims: Path, exits: Path, attribution: Path) -> "References":
        """Read the three reference files.

        Raises:
            InputError: the file of claims breaks its schema, or names an unknown work.
        """
        content = yaml.safe_load(claims.read_text(encoding="utf-8"))
        try:
            check_shape(content, SCHEMA)
        except InputError as error:
            raise InputError(f"{claims}: {error}") from None
        works = {name: Work(**work) for name, work in content["works"].items()}
        entries: dict[str, Entry] = {}
        for name, entry in content["claims"].items():
            if entry["work"] not in works:
                raise InputError(
                    f"{claims}: claims.{name}.work: {entry['work']!r} is not defined "
                    f"under works (defined: {', '.join(sorted(works))})"
                )
            entries[name] = Entry(**entry | {"work": works[entry["work"]]})
        parts = _json(attribution)["context_parts"]
        logits = _json(exits)["mean_logit"]
        return cls(
            entries,
            {int(arrivals): curve for arrivals, curve in logits.items()},
            [parts["question"], *parts["thought"]],
        )

    def entry(self, name: str) -> Entry:
        """A claim's entry; a KeyError if the file does not have it."""
        return self.entries[name]


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
