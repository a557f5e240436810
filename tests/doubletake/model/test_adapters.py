"""Models with an adapter are refused, by every reader of a model."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from doubletake.model.adapters import adapter_files
from doubletake.model.checkpoint import Checkpoint
from doubletake.model.configuration import read_config
from doubletake.model.folders import check_adapter
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError

MERGED = r".*merge_and_unload\(\)\.save_pretrained\(NEW\), .*AutoTokenizer"


def add_adapter(folder: Path, config: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "adapter_model.safetensors").write_bytes(b"")


@pytest.fixture
def folder(tiny_model, tmp_path) -> Path:
    """A copy of the tiny model's folder."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


READERS = pytest.mark.parametrize("read", [read_config, load_decoder, Checkpoint])


@READERS
@pytest.mark.parametrize("base", ["owner/base", None])
def test_an_adapter_beside_the_weights_is_refused(folder, model, read, base):
    add_adapter(folder, {"base_model_name_or_path": base, "peft_type": "LORA"})
    wanted = (
        r"has an adapter beside its weights \(adapter_config\.json, "
        r"adapter_model\.safetensors\).*move these files away.*from_pretrained\("
        rf"'{base or folder}'\), ADAPTER\){MERGED}"
    )
    with pytest.raises(InputError, match=wanted):
        read(replace(model, source=str(folder)))


@READERS
@pytest.mark.parametrize(
    ("config", "base"),
    [
        ({"base_model_name_or_path": "owner/base"}, "'owner/base'"),
        ({"base_model_name_or_path": 3}, "BASE"),
        ({}, "BASE"),
        ([], "BASE"),
    ],
)
def test_an_adapter_alone_is_refused(tmp_path, model, read, config, base):
    add_adapter(tmp_path / "lora", config)
    source = str(tmp_path / "lora")
    wanted = rf"from_pretrained\({base}\), '{source}'\){MERGED}"
    with pytest.raises(InputError, match=wanted) as caught:
        read(replace(model, source=source))
    assert "beside" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["adapter_model.bin", "adapter_model.safetensors", "adapters.safetensors"]
)
def test_weights_of_an_adapter_alone_are_enough(folder, name):
    assert adapter_files(folder) == []
    check_adapter(folder, "x")
    (folder / name).write_bytes(b"")
    with pytest.raises(InputError, match=rf"^x has an adapter .*\({name}\)"):
        check_adapter(folder, "x")


def test_a_damaged_config_of_an_adapter_is_refused_as_one(folder):
    (folder / "adapter_config.json").write_bytes(b"\xff{")
    with pytest.raises(InputError, match=r"x has an adapter beside"):
        check_adapter(folder, "x")


@READERS
def test_an_adapter_in_the_cache_of_the_hub_is_refused(hub_model, hub_settings, read):
    read(hub_settings)  # an adapter that is not in the cache is no error
    add_adapter(hub_model, {"base_model_name_or_path": "owner/base"})
    wanted = rf"^owner/name has an adapter.*'owner/base'\), 'owner/name'\){MERGED}"
    with pytest.raises(InputError, match=wanted):
        read(hub_settings)


@READERS
def test_a_model_known_to_have_no_adapter_is_read(hub_model, hub_settings, read):
    missing = hub_model.parents[1] / ".no_exist" / hub_model.name
    missing.mkdir(parents=True)
    (missing / "adapter_config.json").touch()
    read(hub_settings)


def test_an_adapter_on_the_hub_that_is_only_that_is_refused(
    hub_model, hub_settings, tmp_path
):
    shutil.rmtree(hub_model)
    add_adapter(hub_model, {"base_model_name_or_path": "owner/base"})
    with pytest.raises(InputError, match="has an adapter"):
        read_config(hub_settings)
