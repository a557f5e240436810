"""A run by the published recipe: read, and checked to be one of the same thoughts."""

from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.running.manifests import Manifest
from doubletake.study.other_results import KEY
from doubletake.study.settings import value_of
from doubletake.study.study_tables import StudyTables
from reproduction.run import Run
from reproduction.settings import MANIFEST

PUBLISHED_RECIPE: dict[str, Any] = {
    "events.detector": "string",
    "turns.backtracks": "first",
    "turns.predicted_only": True,
    "attribution.metric": "target",
}
"""Keys of the config, and their values in the published recipe."""
SAME = ("model", "dataset", "generation")
"""Sections that must be equal, so that both runs have the same thoughts."""
FREE = ("device", "date", "trust_remote_code")
"""Keys of these sections that change no thought."""


def is_published_recipe(sections: dict[str, Any]) -> bool:
    """Whether a study was made by the published recipe."""
    return not list(_other_values(sections))


def read_other(folder: Path, study: str, sections: dict[str, Any]) -> Run | None:
    """The run by the published recipe of a study; None if the folder has none.

    Args:
        folder: of the results of the run.
        study: model/dataset.
        sections: of the study's own config.

    Raises:
        InputError: the run was made by another recipe, or has another model, other
            problems or other thoughts.
    """
    manifest = folder / study / MANIFEST
    if not manifest.is_file():
        return None
    config = Manifest.read(manifest).content["config"]
    for key, value, wanted in _other_values(config):
        raise InputError(
            f"{KEY}: {folder / study} was made with {key}: {value}, the published "
            f"recipe has {wanted} (config/published-recipe.yaml)"
        )
    for name in SAME:
        own, other = (_compared(part.get(name)) for part in (sections, config))
        if own != other:
            different = sorted(
                key for key in {*own, *other} if own.get(key) != other.get(key)
            )
            raise InputError(
                f"{KEY}: {folder / study} has another {name} than this study "
                f"({', '.join(different)})"
            )
    return Run(StudyTables(folder / study), config, published=True)


def _other_values(config: dict[str, Any]) -> Any:
    """Keys with another value than in the published recipe: key, value, published."""
    for key, wanted in PUBLISHED_RECIPE.items():
        value = value_of(config, key)
        if value != wanted:
            yield key, value, wanted


def _compared(section: dict[str, Any] | None) -> dict[str, Any]:
    """A section without the keys that change no thought."""
    return {k: v for k, v in (section or {}).items() if k not in FREE}
