"""Small safetensors files that are sealed as a whole."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from doubletake.running.files import write_whole
from doubletake.running.seals import BLANK, MARK, read_sealed, sealed


def write_tensors(
    tensors: dict[str, np.ndarray], metadata: dict[str, str], path: str | Path
) -> None:
    """Write a sealed file, complete or not at all; equal content gives equal bytes."""
    data = save(tensors)
    header, start = _header(data)
    # The library writes metadata in an order that differs from run to run.
    ordered = dict(sorted((metadata | {MARK: BLANK}).items()))
    whole = {"__metadata__": ordered} | header
    text = json.dumps(whole, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write_whole(path, sealed(len(text).to_bytes(8, "little") + text + data[start:]))


def read_tensors(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors by name, sorted, and the metadata of a sealed file.

    Raises:
        InputError: the file is missing or damaged.
    """
    data = read_sealed(path)
    metadata = _header(data)[0]["__metadata__"]
    del metadata[MARK]
    return dict(sorted(load(data).items())), metadata


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """Header of a safetensors file, and the offset at which its tensors begin."""
    start = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:start]), start
