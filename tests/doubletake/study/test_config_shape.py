"""A config that breaks its schema is refused with one line."""

from typing import Any

import pytest
import yaml
from checkouts import ROOT

from doubletake.running.errors import InputError
from doubletake.study.config_schema import config_schema
from doubletake.study.config_shape import check_shape

SCHEMA = config_schema()
LONGEST = 700
"""Characters of the longest line; it lists all models' keys."""


@pytest.fixture
def config() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))


def refusal(config: dict[str, Any]) -> str:
    """The message that refuses a config."""
    with pytest.raises(InputError) as refused:
        check_shape(config, SCHEMA)
    text = str(refused.value)
    assert "\n" not in text
    assert len(text) < LONGEST
    return text


def put(config: dict[str, Any], path: str, value: Any) -> None:
    *sections, key = path.split("/")
    for section in sections:
        config = config[section]
    config[key] = value


def test_the_default_config_has_its_schemas_shape(config):
    check_shape(config, SCHEMA)


@pytest.mark.parametrize(
    ("path", "key", "meant"),
    [
        ("early_exit/grups", "early_exit.grups", "groups"),
        ("models/pocket/sauce", "models.pocket.sauce", "source"),
        ("batch_size", "batch_size", "generation.batch_size or steering.batch_size"),
        ("attribution/dtype", "attribution.dtype", "models.<name>.dtype"),
        ("shard", "shard", "shards"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_and_the_allowed(
    config, path, key, meant
):
    put(config, path, 1)
    text = refusal(config)
    assert text.startswith(f"{key}: unknown key; did you mean {meant}? (allowed: ")
    assert "description" not in text


def test_a_key_that_resembles_none_has_no_nearest(config):
    config["qqq"] = 1
    assert refusal(config).startswith("qqq: unknown key (allowed: ablation, ")


def test_a_dotted_key_is_shown_nested(config):
    config["early_exit.groups"] = [1]
    assert "written nested: early_exit: {groups: VALUE} (" in refusal(config)
    config["early_exit.grups"] = config.pop("early_exit.groups")
    assert "nested" not in refusal(config)


def test_an_unknown_key_comes_before_the_one_that_it_replaced(config):
    models = config["models"]["pocket"]
    models["sourse"] = models.pop("source")
    assert refusal(config).startswith("models.pocket.sourse: unknown key; did you mean")
    del models["sourse"]
    assert refusal(config) == "models.pocket: the key source is missing"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("models", 5, "models: 5 is not a mapping of keys"),
        ("early_exit", None, "early_exit: None is not a mapping of keys"),
        ("shards", {"a" * 500: 1}, "shards: {'aaa"),
        ("shards", "4", "shards: '4' is not a whole number"),
        ("datasets/pocket-problems/limit", "x", "'x' is not a whole number or null"),
        ("turns/predicted_only", "yes", "'yes' is not true or false"),
        ("early_exit/groups", 3, "early_exit.groups: 3 is not a list"),
        (
            "models/pocket/revision",
            "main",
            "(A full commit id, which is 40 hex digits)",
        ),
        ("models/pocket/date", "today", "'today' is not allowed here (YYYY-MM-DD)"),
        ("models/My Model", {}, "(Name of a folder under results/, so only"),
        (
            "models/pocket/dtype",
            "fp8",
            "'fp8' is not one of float32, bfloat16, float16",
        ),
        ("verification/share", 1.5, "1.5 is greater than the maximum of 1"),
        ("early_exit/groups", [1, 1], "early_exit.groups: [1, 1] has non-unique"),
        ("studies", [], "studies: [] should be non-empty"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(config, path, value, message):
    put(config, path, value)
    assert message in refusal(config)
