"""The documents name every table, file, key and config of the repository."""

import re

import pytest
from checkouts import ROOT
from documents import PARTS, written

from doubletake.study.config_schema import config_schema
from doubletake.study.registry import experiments, stages, tables


@pytest.mark.parametrize("document", PARTS)
def test_a_document_says_what_the_code_says(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert text == written(document), "make documents"


def test_every_config_is_named():
    text = (ROOT / "README.md").read_text()
    for path in (ROOT / "config").glob("*.yaml"):
        assert path.name in text, path.name


def test_no_config_has_a_section_twice():
    """The second one would replace the first without a word."""
    for path in (ROOT / "config").glob("*.yaml"):
        sections = re.findall(r"^(\w+):", path.read_text(), flags=re.MULTILINE)
        assert len(sections) == len(set(sections)), path.name


def test_every_table_and_file_is_named():
    text = (ROOT / "docs/tables.md").read_text()
    for name in tables():
        assert "*" in name or f"{name}.parquet`" in text, name
    for stage in stages():
        for name in stage.files(["{shard}"]):
            assert name.endswith(".svg") or f"`{name}`" in text


def test_every_key_of_a_section_says_what_it_means():
    for name, part in config_schema()["properties"].items():
        assert part["description"].endswith((".", "/")), name
        for key, inner in part.get("properties", {}).items():
            assert inner["description"].endswith("."), f"{name}.{key}"


def test_the_methods_of_every_experiment_are_described():
    text = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    for experiment in experiments():
        title = experiment.title.partition(":")[0]
        _, head, section = text.partition(f"\n## {title}\n")
        assert head, title
        assert "\n| sentence |" in section.partition("\n## ")[0], title


def test_every_test_that_the_methods_name_exists():
    text = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", text)
    assert len(named) > 30
    for path, name in named:
        code = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {name}(" in code, f"{path}::{name}"
