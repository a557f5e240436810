"""JSON objects from files, refused by name."""

import json
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        InputError: the file cannot be read, or holds none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a JSON object")
    return found
