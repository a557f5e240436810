"""Origins: keys of all that decides what a model computes."""

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from doubletake.running.digests import file_digest

LIBRARIES = ("numpy", "tokenizers", "torch", "transformers")
"""Whose versions decide what a model computes, what is drawn and what text it is."""


def origin_key(settings: dict[str, Any], model_paths: Iterable[str | Path]) -> str:
    """SHA-256 of what decides what a model computes, the libraries' versions included.

    Args:
        settings: whatever counts, as JSON can hold it.
        model_paths: files of a local model; a hub model is known by its revision.
    """
    files = [(Path(path).name, file_digest(path)) for path in sorted(model_paths)]
    versions = {name: version(name) for name in LIBRARIES}
    text = json.dumps([settings, files, versions], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
