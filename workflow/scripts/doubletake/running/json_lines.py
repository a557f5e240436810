"""Writes files with one JSON object per line, complete or not at all."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.running.files import replacing


def write_rows(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """Write the rows under a temporary name, and rename the complete file.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with (
            replacing(path) as partial,
            partial.open("w", encoding="utf-8", newline="\n") as file,
        ):
            file.writelines(json.dumps(row) + "\n" for row in rows)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
