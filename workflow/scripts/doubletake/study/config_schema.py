"""The config's JSON schema, joined from a common file and a file per section.

`workflow/schemas/config.schema.yaml` describes the keys that belong to no stage. A file
`STAGE/NAME.schema.yaml` in the folder of a stage describes the section NAME.
"""

from pathlib import Path
from typing import Any

import yaml

from doubletake.running.digests import SCRIPTS
from doubletake.study.registry import stages

COMMON_SCHEMA = SCRIPTS.parent / "schemas/config.schema.yaml"
SUFFIX = ".schema.yaml"


def section_files() -> list[Path]:
    """Schema files of the sections: stages in their order, then all other files."""
    order = {stage.name: index for index, stage in enumerate(stages())}
    files = SCRIPTS.glob(f"*/*{SUFFIX}")
    return sorted(files, key=lambda p: (order.get(p.parent.name, len(order)), str(p)))


def config_schema() -> dict[str, Any]:
    """The closed schema of the whole config; every section is required."""
    schema = yaml.safe_load(COMMON_SCHEMA.read_text(encoding="utf-8"))
    for path in section_files():
        name = path.name.removesuffix(SUFFIX)
        schema["properties"][name] = yaml.safe_load(path.read_text(encoding="utf-8"))
        schema["required"].append(name)
    return schema
