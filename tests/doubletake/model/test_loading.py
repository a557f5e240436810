"""A folder that cannot be loaded is refused with the reason."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_architectures import configurations, settings_of, write_architecture

from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError


def test_model_is_frozen(architectures):
    llama = load_decoder(settings_of(architectures["llama"]))
    assert not llama.hf.training
    assert not any(weight.requires_grad for weight in llama.hf.parameters())


def test_weights_are_pages_of_the_file(architectures):
    folder = architectures["llama"]
    llama = load_decoder(settings_of(folder))
    assert llama.dtype == torch.float32
    address = llama.embed.weight.data_ptr()
    lines = Path("/proc/self/maps").read_text().splitlines()
    mapped = [line for line in lines if str(folder / "model.safetensors") in line]
    ends = [line.split()[0].split("-") for line in mapped]
    assert any(int(start, 16) <= address < int(end, 16) for start, end in ends)


def edit_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def broken(tmp_path) -> Path:
    """A folder with a model that a test may damage."""
    write_architecture(configurations()["llama"], tmp_path)
    return tmp_path


def test_unknown_architecture_is_refused(broken):
    edit_config(broken, model_type="gpt2")
    with pytest.raises(InputError, match="unsupported architecture 'gpt2'"):
        load_decoder(settings_of(broken))


def test_a_config_that_names_its_own_weights_is_refused(broken):
    shutil.copy(broken / "model.safetensors", broken / "other.safetensors")
    edit_config(broken, transformers_weights="other.safetensors")
    with pytest.raises(InputError, match=r"\(transformers_weights: 'other"):
        load_decoder(settings_of(broken))


def test_folder_without_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be loaded"):
        load_decoder(settings_of(tmp_path))


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        load_decoder(settings_of(tmp_path / "nowhere"))


def test_pickled_weights_are_refused(broken):
    weights = transformers.LlamaForCausalLM.from_pretrained(broken).state_dict()
    (broken / "model.safetensors").unlink()
    torch.save(weights, broken / "pytorch_model.bin")
    with pytest.raises(InputError, match="safetensors"):
        load_decoder(settings_of(broken))


@pytest.mark.parametrize("keep", [5, 100, 20_000])
def test_truncated_weights_are_refused(broken, keep):
    path = broken / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=str(broken)):
        load_decoder(settings_of(broken))


def test_checkpoint_with_a_missing_layer_is_refused(broken):
    edit_config(broken, num_hidden_layers=4)
    with pytest.raises(InputError, match=r"missing, first model\.layers\.3"):
        load_decoder(settings_of(broken))


def test_checkpoint_of_another_shape_is_refused(broken):
    edit_config(broken, intermediate_size=48)
    with pytest.raises(InputError, match=r"down_proj.* \[32, 64\].* \[32, 48\]"):
        load_decoder(settings_of(broken))


def test_weights_that_are_not_finite_are_refused(broken):
    model = transformers.LlamaForCausalLM.from_pretrained(broken)
    model.model.layers[1].mlp.up_proj.weight.data[3, 4] = float("nan")
    model.save_pretrained(broken)
    with pytest.raises(InputError, match=r"layers\.1\.mlp\.up_proj.*not finite"):
        load_decoder(settings_of(broken))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_gpu_that_is_not_there_is_refused(architectures):
    with pytest.raises(InputError, match="device"):
        load_decoder(settings_of(architectures["llama"], device="cuda"))


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA")])
def test_out_of_memory_at_load_is_one_sentence(architectures, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(transformers.LlamaForCausalLM, "to", fail)
    with pytest.raises(InputError, match="out of memory"):
        load_decoder(settings_of(architectures["llama"]))
