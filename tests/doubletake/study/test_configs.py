"""The configs in config/ have the schema's shape; the distills share one study."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from checkouts import ROOT
from snakemake.utils import update_config

from doubletake.study import settings as studies
from doubletake.study.config_schema import config_schema
from doubletake.study.config_shape import check_shape

STUDIES = sorted(
    path.stem
    for path in (ROOT / "config").glob("*.yaml")
    if path.stem != "pocket-training"
)
FLAGSHIP = "r1-llama-8b"
DISTILLS = [name for name in STUDIES if name.startswith("r1-qwen-")]
OF_THE_MODEL = {
    *("studies", "models", "batch_memory", "generation.batch_size"),
    *("wrong_samples.layer", "loop.layer"),
}
"""Keys that differ between the models of the flagship study."""


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / f"config/{name}.yaml").read_text(encoding="utf-8"))


def whole(name: str) -> dict[str, Any]:
    """A config on top of the default one."""
    config = read("config")
    update_config(config, read(name))
    return config


def flat(config: dict[str, Any]) -> dict[str, Any]:
    """Values of a config; those of some sections by key."""
    values: dict[str, Any] = {}
    for name, part in config.items():
        opened = name in ("generation", "wrong_samples", "loop")
        values |= (
            {f"{name}.{k}": v for k, v in part.items()} if opened else {name: part}
        )
    return values


@pytest.mark.parametrize("name", STUDIES)
def test_a_config_has_the_schemas_shape(name):
    check_shape(whole(name), config_schema())


@pytest.mark.parametrize("name", DISTILLS)
def test_a_distill_has_the_flagships_study(name):
    ours, flagship = flat(read(name)), flat(read(FLAGSHIP))
    differ = {key for key in flagship if ours.get(key) != flagship[key]}
    assert ours.keys() == flagship.keys()
    assert {"studies", "models"} <= differ <= OF_THE_MODEL
    (entry,), (other,) = (part["models"].values() for part in (ours, flagship))
    assert set(entry) == set(other)
    size = name.removeprefix("r1-qwen-").upper()
    assert entry["source"] == f"deepseek-ai/DeepSeek-R1-Distill-Qwen-{size}"
    assert entry["revision"] != other["revision"]


@pytest.mark.parametrize("name", [FLAGSHIP, *DISTILLS])
def test_a_distills_tokenizer_fits_its_config(
    tokenizers_folder, tmp_path, monkeypatch, name
):
    """Markers, prompt and answer prompt, with the tokenizer in the hub's cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    config = whole(name)
    (entry,) = read(name)["models"].values()
    kind = "Llama-8B" if "Llama" in entry["source"] else "Qwen"
    cache = f"models--{entry['source'].replace('/', '--')}/snapshots"
    (tmp_path / cache).mkdir(parents=True)
    (tmp_path / cache / entry["revision"]).symlink_to(
        tokenizers_folder / f"DeepSeek-R1-Distill-{kind}"
    )
    sources = studies.Sources((Path(tmp_path), ROOT))
    studies.check(config, sources)
    (model,) = (study["model"] for study in config["studies"])
    config["models"][model]["start_of_thought"] = "<other>"
    with pytest.raises(studies.InputError, match="end_of_thought is not set"):
        studies.check(config, sources)
