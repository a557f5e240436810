"""Results of another run, which the config names."""

from typing import Any

from doubletake.running.errors import InputError
from doubletake.running.home_paths import home_path
from doubletake.study.settings import input_path

KEY = "reproduction.published_recipe"


def published_run(config: dict[str, Any]) -> str | None:
    """Folder of the results of a run by the published recipe; None: there is none.

    Raises:
        InputError: the folder does not exist, or its path has a special character.
    """
    name = config["reproduction"]["published_recipe"]
    if name is None:
        return None
    folder = home_path(name)
    if not folder.is_dir():
        raise InputError(
            f"{KEY}: no such folder: {name} (make it with --configfile "
            "config/published-recipe.yaml, or set the key to null)"
        )
    return input_path(KEY, str(folder))
