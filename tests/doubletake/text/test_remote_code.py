"""Models with code or pickles are refused; the message names the files."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from doubletake.model.configuration import read_config
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError
from doubletake.study.settings import Sources, check
from doubletake.text.remote_code import code_files
from doubletake.text.tokenizer import load_tokenizer

CODE = """
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM
(Path(__file__).parent / "ran").touch()
Path({marker!r}).touch()
class MyConfig(LlamaConfig):
    model_type = "llama"
class MyModel(LlamaForCausalLM):
    config_class = MyConfig
"""
AUTO_MAP = {"AutoConfig": "evil.MyConfig", "AutoModelForCausalLM": "evil.MyModel"}


class Pickled:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def edit(path: Path, **entries) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


@pytest.fixture
def folder(tiny_model, tmp_path, monkeypatch) -> Path:
    """A copy of the tiny model; copies of its code stay in the test's folder."""
    monkeypatch.setattr(
        "transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "hf")
    )
    shutil.copytree(tiny_model, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def hostile(folder, tmp_path) -> Path:
    """The same copy, with code."""
    edit(folder / "config.json", auto_map=AUTO_MAP)
    (folder / "evil.py").write_text(CODE.format(marker=str(tmp_path / "ran")))
    return folder


def config_of(folder: Path, root: Path, **entry) -> tuple[dict, Sources]:
    """A config with one study, which uses this model."""
    (root / "p.jsonl").touch()
    model = {"source": str(folder), "dtype": "float32", "device": "cpu"} | entry
    config = {
        "studies": [{"model": "m", "dataset": "d"}],
        "models": {"m": model},
        "datasets": {"d": {"source": "p.jsonl"}},
        "events": {"labels": str(root / "p.jsonl")},
        "attribution": {"stop_words": str(root / "p.jsonl")},
        "early_exit": {
            "answer_prompt": "</think>",
            "answer_stop": "}",
            "max_answer_tokens": 1,
        },
        "verification": {"share": 0.1, "minimum": 1, "seed": 0},
    }
    return config, Sources((root,))


def test_code_is_refused_before_the_first_job(hostile, tmp_path):
    with pytest.raises(InputError, match=r"code of its own \(evil\.py\)") as caught:
        check(*config_of(hostile, tmp_path))
    assert "trust_remote_code" in str(caught.value)
    check(*config_of(hostile, tmp_path, trust_remote_code=True))
    assert not (tmp_path / "ran").exists()


def test_code_of_a_hub_model_is_refused_by_what_a_study_loads_first(
    hub_model, hub_settings
):
    load_tokenizer(hub_settings)
    edit(hub_model / "config.json", auto_map=AUTO_MAP)
    with pytest.raises(InputError, match=r"^owner/name: .*of its own \(evil\.py\)"):
        load_tokenizer(hub_settings)


@pytest.mark.parametrize("load", [read_config, load_decoder])
def test_code_never_runs_without_trust(hostile, tmp_path, model, load):
    load(replace(model, source=str(hostile)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("load", [read_config, load_decoder])
def test_a_type_that_only_the_models_own_code_knows_is_refused(
    hostile, tmp_path, model, load
):
    edit(hostile / "config.json", model_type="evil")
    with pytest.raises(InputError, match="contains custom code"):
        load(replace(model, source=str(hostile)))
    assert not (tmp_path / "ran").exists()


def test_code_of_a_tokenizer_is_refused(folder, tmp_path, model):
    edit(
        folder / "tokenizer_config.json",
        auto_map={"AutoTokenizer": ["evil.Slow", "fast.Fast"]},
    )
    with pytest.raises(InputError, match=r"evil\.py, fast\.py"):
        load_tokenizer(replace(model, source=str(folder)))
    with pytest.raises(InputError, match=r"evil\.py, fast\.py"):
        check(*config_of(folder, tmp_path))


def test_trusted_code_runs(hostile, tmp_path, model):
    settings = replace(model, source=str(hostile), trust_remote_code=True)
    assert type(load_decoder(settings).hf).__name__ == "MyModel"
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("auto_map", "files"),
    [
        ({"A": "m.C", "B": "m.D", "E": "n.F"}, ["m.py", "n.py"]),
        ({"A": "owner/name--m.C"}, ["owner/name:m.py"]),
        ({"A": [None, "m.C"]}, ["m.py"]),
        (["m.Slow", None], ["m.py"]),
        ({}, []),
        (None, []),
    ],
)
def test_the_files_that_would_run(auto_map, files):
    assert code_files({"auto_map": auto_map}, {}) == files


def test_pickled_weights_are_never_opened(folder, tmp_path, model):
    (folder / "model.safetensors").unlink()
    for name in ("pytorch_model.bin", "more.pt"):
        torch.save({"a": Pickled(tmp_path / "ran")}, folder / name)
    message = r"only pickled weights \(more\.pt, pytorch_model\.bin\).*save_pretrained"
    with pytest.raises(InputError, match=message):
        check(*config_of(folder, tmp_path))
    with pytest.raises(InputError, match=r"no file named model\.safetensors"):
        load_decoder(replace(model, source=str(folder)))
    assert not (tmp_path / "ran").exists()


def test_pickles_beside_safetensors_are_left_alone(folder, tmp_path, model):
    torch.save({"a": Pickled(tmp_path / "ran")}, folder / "pytorch_model.bin")
    check(*config_of(folder, tmp_path))
    load_decoder(replace(model, source=str(folder)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["../../x.safetensors", "pytorch_model.bin", "/x"])
def test_an_index_names_only_files_beside_it(folder, tmp_path, name):
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(InputError, match="not the name of a safetensors file"):
        check(*config_of(folder, tmp_path))


def test_a_missing_shard_is_named(folder, tmp_path):
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "part-2.safetensors"}}))
    with pytest.raises(InputError, match=r"lacks part-2\.safetensors"):
        check(*config_of(folder, tmp_path))


@pytest.mark.parametrize("text", ["[]", "[" * 100_000, '"x"', "{", "\x00"])
def test_a_config_that_is_no_object_is_refused(folder, tmp_path, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json"):
        check(*config_of(folder, tmp_path))
