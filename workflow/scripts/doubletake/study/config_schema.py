"""The schema of the config: the frame, and one section from the folder it belongs to.

`workflow/schemas/config.schema.yaml` describes what belongs to no stage. A file
`STAGE/NAME.schema.yaml` among the scripts describes the section NAME.
"""

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from doubletake.running.digests import SCRIPTS
from doubletake.running.errors import InputError
from doubletake.study.registry import stages

FRAME = SCRIPTS.parent / "schemas/config.schema.yaml"
SUFFIX = ".schema.yaml"


def section_files() -> list[Path]:
    """Files of the sections: those of stages in their order, then the others."""
    order = {stage.name: place for place, stage in enumerate(stages())}
    files = SCRIPTS.glob(f"*/*{SUFFIX}")
    return sorted(files, key=lambda p: (order.get(p.parent.name, len(order)), str(p)))


def config_schema() -> dict[str, Any]:
    """The closed schema of the whole config; every section is required."""
    frame = yaml.safe_load(FRAME.read_text(encoding="utf-8"))
    for path in section_files():
        name = path.name.removesuffix(SUFFIX)
        frame["properties"][name] = yaml.safe_load(path.read_text(encoding="utf-8"))
        frame["required"].append(name)
    return frame


def check_shape(config: dict[str, Any]) -> None:
    """Refuse a config that does not keep the schema.

    Raises:
        InputError: names the key and what is wrong with it.
    """
    error = best_match(Draft202012Validator(config_schema()).iter_errors(config))
    if error is not None:
        key = ".".join(map(str, error.absolute_path))
        raise InputError(f"{key}: {error.message}" if key else error.message)
