"""Models that bring Python code are refused, unless the config trusts the code.

Without `trust_remote_code`, transformers never runs a model's code. But if it knows the
model's type, it silently takes its own code instead, which may compute other results.
So the workflow refuses such a model: a folder before the first job, a model of the hub
when its tokenizer is loaded, which is the first step of every study.

This module imports neither torch nor transformers, so that a folder is refused before
the first job.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.running.json_files import read_json

CONFIGS = ("config.json", "tokenizer_config.json")
"""The files of a model that can name code."""


def code_files(*configs: dict[str, Any]) -> list[str]:
    """Python files that are named by `auto_map` in a model's config files.

    `modeling_x.MyModel` stands for `modeling_x.py` beside the config.
    `owner/name--modeling_x.MyModel` stands for this file of another hub model.
    """
    files = set()
    for config in configs:
        entries = config.get("auto_map") or {}
        values = entries.values() if isinstance(entries, dict) else [entries]
        for value in values:
            for reference in value if isinstance(value, list | tuple) else [value]:
                if reference is not None:
                    files.add(_file_of(str(reference)))
    return sorted(files)


def refuse_code(source: str, paths: Iterable[Path]) -> None:
    """Refuse a model that names code to run.

    Args:
        source: name of the model, for the message.
        paths: the files of `CONFIGS` that the model has.

    Raises:
        InputError: the model names code. The message names the files that would run.
    """
    files = code_files(*map(read_json, paths))
    if files:
        raise InputError(
            f"{source}: the model would run code of its own ({', '.join(files)}); this "
            "is refused unless its entry under models says trust_remote_code: true; "
            "read the code first, or remove auto_map from the model's config files"
        )


def _file_of(reference: str) -> str:
    owner, mark, name = reference.rpartition("--")
    module = name.rpartition(".")[0] or name
    return f"{owner}{':' if mark else ''}{module.replace('.', '/')}.py"
