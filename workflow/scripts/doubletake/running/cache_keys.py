"""Keys of kept results: a digest of everything that decides a model's output."""

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from doubletake.running.digests import file_digest

LIBRARIES = ("numpy", "tokenizers", "torch", "transformers")
"""Libraries whose versions decide outputs of a model, draws and texts."""


def cache_key(settings: dict[str, Any], model_paths: Iterable[str | Path]) -> str:
    """SHA-256 of settings, files of a model, and versions of libraries.

    Args:
        settings: all settings that decide the result, as JSON values.
        model_paths: files of a local model. Of a hub model, the settings hold the
            revision.
    """
    files = [(Path(path).name, file_digest(path)) for path in sorted(model_paths)]
    versions = {name: version(name) for name in LIBRARIES}
    text = json.dumps([settings, files, versions], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
