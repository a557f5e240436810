"""Refuses a config that breaks its schema, with one line.

The line names the key, what is wrong and what is allowed; for an unknown key also the
nearest known one. It never shows the schema or a whole section.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from doubletake.running.errors import InputError

LONGEST_VALUE = 80
"""Characters of a wrong value that are shown."""
MOST_PLACES = 3
"""Other places of an unknown key that are named."""
TYPES = {
    "object": "a mapping of keys",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
Path = tuple[str, ...]


def check_shape(config: dict[str, Any], schema: dict[str, Any]) -> None:
    """Refuse a config that breaks the schema.

    Raises:
        InputError: the config breaks the schema. The message is one line.
    """
    errors = Draft202012Validator(schema).iter_errors(config)
    error = min(errors, key=_rank, default=None)
    if error is not None:
        raise InputError(_sentence(error, schema))


def _rank(error: ValidationError) -> tuple[bool, list[str]]:
    """Unknown keys come first, because they explain missing ones."""
    return error.validator != "additionalProperties", list(
        map(str, error.absolute_path)
    )


def _sentence(error: ValidationError, schema: dict[str, Any]) -> str:
    """The line that says where a config breaks its schema, and how."""
    if error.validator == "additionalProperties":
        return _unknown_key(error, schema)
    key = ".".join(map(str, error.absolute_path))
    return f"{key}: {_fault(error)}" if key else _fault(error)


def _unknown_key(error: ValidationError, schema: dict[str, Any]) -> str:
    """The line about a key that the schema does not know."""
    allowed = error.schema["properties"]
    name = min(str(key) for key in error.instance if key not in allowed)
    path = (*map(str, error.absolute_path), name)
    hint = _hint(path, sorted(allowed), schema)
    named = ", ".join(sorted(allowed))
    return f"{'.'.join(path)}: unknown key{hint} (allowed: {named})"


def _hint(path: Path, allowed: list[str], schema: dict[str, Any]) -> str:
    """Where the key that was probably meant stands; empty if none is near."""
    name = path[-1]
    known = list(_known_keys(schema, ()))
    dotted = tuple(name.split("."))
    if len(dotted) > 1 and (*path[:-1], *dotted) in known:
        inner = ": {".join(dotted) + ": VALUE" + "}" * (len(dotted) - 1)
        return f"; a key inside a section is written nested: {inner}"
    elsewhere = [".".join(other) for other in known if other[-1] == name]
    if not 0 < len(elsewhere) <= MOST_PLACES:
        elsewhere = get_close_matches(name, allowed, 1)
    return f"; did you mean {' or '.join(elsewhere)}?" if elsewhere else ""


def _known_keys(schema: dict[str, Any], path: Path) -> Iterator[Path]:
    """Paths of all keys of a schema; `<name>` stands for a name that a user chooses."""
    for key, part in schema.get("properties", {}).items():
        yield (*path, key)
        yield from _known_keys(part, (*path, key))
    named = schema.get("additionalProperties")
    if isinstance(named, dict):
        yield from _known_keys(named, (*path, "<name>"))


def _fault(error: ValidationError) -> str:
    """What is wrong with a value."""
    value, rule = _shown(error.instance), error.validator_value
    match error.validator:
        case "required":
            missing = next(key for key in rule if key not in error.instance)
            return f"the key {missing} is missing"
        case "type":
            types = [rule] if isinstance(rule, str) else rule
            return f"{value} is not {' or '.join(TYPES[name] for name in types)}"
        case "enum":
            return f"{value} is not one of {', '.join(map(str, rule))}"
        case "pattern" | "not":
            return f"{value} is not allowed here{_meaning(error.schema)}"
        case "maxLength":
            return f"{value} is too long (at most {rule} characters)"
    if len(error.message) <= 2 * LONGEST_VALUE:
        return error.message
    return f"{value} breaks the rule {error.validator}: {_shown(rule)}"


def _meaning(schema: dict[str, Any]) -> str:
    """What a schema says of a value, for an error message."""
    meaning = schema.get("unit") or schema.get("description", "").partition(". ")[0]
    return f" ({meaning})" if meaning else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
