"""Code that a model brings along: never run unless the config says so.

No torch and no transformers here, so that a folder is refused before the first job.
"""

from typing import Any

from doubletake.running.errors import InputError


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


def refuse_code(source: str, trusted: bool, *configs: dict[str, Any]) -> None:
    """Refuse a model that names code to run, unless it is trusted.

    Args:
        source: the model, for the message.
        trusted: `models.<name>.trust_remote_code`.
        configs: contents of its config files.

    Raises:
        InputError: names the files that would run.
    """
    files = named_files(*configs)
    if files and not trusted:
        raise InputError(
            f"{source}: the model would run code of its own ({', '.join(files)}), "
            "which is not done unless its entry under models says trust_remote_code: "
            "true; read that code first, or remove auto_map from its config files"
        )


def _file_of(reference: str) -> str:
    owner, mark, name = reference.rpartition("--")
    module = name.rpartition(".")[0] or name
    return f"{owner}{':' if mark else ''}{module.replace('.', '/')}.py"
