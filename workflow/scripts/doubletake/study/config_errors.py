"""One line for each way in which a config can break its schema.

The line names the key, what is wrong and what is allowed; for an unknown key also the
nearest known one. It never shows the schema or a whole section.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from jsonschema.exceptions import ValidationError

LONGEST_VALUE = 80
"""Characters of a wrong value that are shown."""
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


def first_error(errors: list[ValidationError]) -> ValidationError | None:
    """The error to show: unknown keys first, since they explain missing ones."""

    def rank(error: ValidationError) -> tuple[bool, list[str]]:
        unknown = error.validator in ("additionalProperties", "propertyNames")
        return not unknown, [str(part) for part in error.absolute_path]

    return min(errors, key=rank, default=None)


def sentence(error: ValidationError, schema: dict[str, Any]) -> str:
    """The line that says where a config breaks its schema, and how.

    Args:
        error: the fault, as jsonschema describes it.
        schema: the whole schema, in which a misplaced key is looked for.
    """
    key = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties":
        return _unknown_key(error, schema)
    fault = _fault(error)
    return f"{key}: {fault}" if key else fault


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
    near = get_close_matches(name, allowed, 1)
    if near:
        return f"; did you mean {near[0]}?"
    elsewhere = [".".join(other) for other in known if other[-1] == name]
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
