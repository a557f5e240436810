"""The documents name what there is."""

from pathlib import Path
from typing import Any

import yaml

from doubletake.schemas.tables import every_table

ROOT = Path(__file__).parents[2]


def keys_of(schema: dict[str, Any]) -> set[str]:
    """Every key that a config may have, at any depth."""
    names = set(schema.get("properties", {}))
    for part in schema.get("properties", {}).values():
        names |= keys_of(part)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            names |= keys_of(schema[keyword])
    return names


def test_the_config_readme_names_every_key():
    schema = (ROOT / "workflow/schemas/config.schema.yaml").read_text()
    text = (ROOT / "config/README.md").read_text()
    for key in keys_of(yaml.safe_load(schema)):
        assert f"`{key}`" in text or f"**`{key}" in text or f"{{{key}" in text, key


def test_every_config_is_documented_and_names_its_keys():
    text = (ROOT / "README.md").read_text()
    for path in (ROOT / "config").glob("*.yaml"):
        assert path.name in text, path.name


def test_the_readme_names_every_table():
    text = (ROOT / "README.md").read_text()
    for table in every_table():
        assert table.name.split("/")[-1] in text, table.name
