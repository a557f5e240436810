"""The documents name what there is."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from doubletake.study.outputs import study_files
from doubletake.study.settings import Sources
from doubletake.tables.table import every_table

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


def files_in_the_readme() -> list[str]:
    """What the README's table of results names, by path in the study's folder."""
    text = (ROOT / "README.md").read_text()
    lines = text.partition("| file | holds |\n|---|---|\n")[2].splitlines()
    found = []
    for line in lines[: lines.index("")]:
        _, places, holds, _ = line.split("|")
        named = re.findall(r"`(.+?)`", places)
        folders = [name for name in named if name.endswith("/")]
        found += [name for name in named if name not in folders]
        for file in re.findall(r"`(\w+\.\w+)`", holds):
            found.append(f"{folders[-1]}{file}")
    return found


def test_the_manifest_lists_every_result_that_the_readme_names():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    files = study_files(config, Sources((ROOT,)), config["studies"][0], "study")
    named = files_in_the_readme()
    assert {"attention.parquet", "activations/index.parquet"} <= set(named)
    for name in named:
        found = [path for path in files.outputs if fnmatch(path, f"study/{name}")]
        assert found, name
