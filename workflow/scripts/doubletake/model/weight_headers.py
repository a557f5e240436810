"""Headers of safetensors files: which tensors a file holds, read in milliseconds.

A header tells before the first job that a file is only a pointer, is incomplete or
holds quantised weights. This module imports neither torch nor transformers.
"""

import json
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError

POINTER = b"version https://git-lfs"
LENGTH_BYTES = 8
"""A file begins with the length of its header, in so many bytes."""
FULL_DTYPES = {"F64", "F32", "F16", "BF16"}


def check_headers(source: str, paths: list[Path]) -> str | None:
    """Refuse files that are not whole.

    Args:
        source: first words of the message.
        paths: files; those that are not safetensors files are left out.

    Returns:
        A tensor with quantised weights and its type; None if there is none.

    Raises:
        InputError: a file is a pointer, damaged or incomplete.
    """
    quantised = (
        f"{name} has the type {entry['dtype']}"
        for path in paths
        if path.suffix == ".safetensors"
        for name, entry in _header(source, path).items()
        if name.endswith(("weight", "weight_packed"))
        and entry["dtype"] not in FULL_DTYPES
    )
    return next(iter(list(quantised)), None)  # every header is checked


def _header(source: str, path: Path) -> dict[str, Any]:
    """The entries of a file's tensors, by name."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(len(POINTER))
        if start == POINTER:
            raise InputError(
                f"{source}: {path.name} is a pointer of Git LFS, not the file itself; "
                "fetch it with `git lfs pull`"
            )
        length = int.from_bytes(start[:LENGTH_BYTES], "little")
        file.seek(LENGTH_BYTES)
        text = file.read(length) if length < size else b""
    try:
        entries = json.loads(text)
        entries.pop("__metadata__", None)
        ends = [entry["data_offsets"][1] for entry in entries.values()]
    except (ValueError, AttributeError, KeyError, TypeError, IndexError) as error:
        raise InputError(
            f"{source}: {path.name} is not a whole safetensors file ({size} bytes); "
            "download or copy it again"
        ) from error
    needed = LENGTH_BYTES + length + max(ends, default=0)
    if size < needed:
        raise InputError(
            f"{source}: {path.name} is incomplete ({size} of {needed} bytes); download "
            "or copy it again"
        )
    return dict(entries)
