"""Code that a model brings along: never run unless the config says so.

The library runs none by itself (`trust_remote_code=False`). But where it knows the
model's type it silently takes its own code instead, which may compute something else
than the model's. So such a model is refused: a folder before the first job, a model of
the hub when its tokenizer is loaded, with which every study begins.

No torch and no transformers here, so that a folder is refused before the first job.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.running.json_files import read_json

CONFIGS = ("config.json", "tokenizer_config.json")
"""The files of a model that can name code."""


def named_files(*configs: dict[str, Any]) -> list[str]:
    """Python files that `auto_map` entries of a model's config files name.

    `modeling_x.MyModel` is `modeling_x.py` beside the config;
    `owner/name--modeling_x.MyModel` is that file of another hub model.
    """
    found = set()
    for config in configs:
        entries = config.get("auto_map") or {}
        values = entries.values() if isinstance(entries, dict) else [entries]
        for value in values:
            for reference in value if isinstance(value, list | tuple) else [value]:
                if reference is not None:
                    found.add(_file_of(str(reference)))
    return sorted(found)


def refuse_code(source: str, paths: Iterable[Path]) -> None:
    """Refuse a model that names code to run.

    Args:
        source: the model, for the message.
        paths: those of its `CONFIGS` that it has.

    Raises:
        InputError: names the files that would run.
    """
    files = named_files(*map(read_json, paths))
    if files:
        raise InputError(
            f"{source}: the model would run code of its own ({', '.join(files)}), "
            "which is not done unless its entry under models says trust_remote_code: "
            "true; read that code first, or remove auto_map from its config files"
        )


def _file_of(reference: str) -> str:
    owner, mark, name = reference.rpartition("--")
    module = name.rpartition(".")[0] or name
    return f"{owner}{':' if mark else ''}{module.replace('.', '/')}.py"
