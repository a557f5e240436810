"""Tensors of a checkpoint and the lens, against the loaded model."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_architectures import ARCHITECTURES, settings_of
from transformers import AutoModelForCausalLM

from doubletake.model.checkpoint import Checkpoint
from doubletake.model.hooks import record
from doubletake.model.lens import Lens
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError

IDS = torch.arange(3, 43, 2)[None]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_tensors_are_those_of_the_loaded_model(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    stored = Checkpoint(settings_of(architectures[name]))
    parts = decoder.hf.named_parameters()
    names = [key for key, _ in parts if key.startswith(decoder.layout.layers)]
    if decoder.layout.mlp_down is None:  # experts are stored one by one, not fused
        names = [key for key in names if ".mlp." not in key]
    for key in names:
        expected = decoder.hf.get_parameter(key)
        assert torch.equal(stored.tensor(key), expected), key
    first = stored.layer_tensor(0, f"{decoder.layout.attention_out}.weight")
    assert torch.equal(first, decoder.attention_out(0).weight)
    assert torch.equal(stored.embed, decoder.embed.weight)
    assert torch.equal(stored.unembed, decoder.unembed.weight)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_lens_equals_norm_and_head_on_hidden_states(architectures, name):
    """Logit lens: the model's own final norm and head on `output_hidden_states`."""
    settings = settings_of(architectures[name])
    decoder = load_decoder(settings)
    with torch.no_grad():
        states = decoder.hf(IDS, output_hidden_states=True).hidden_states[:-1]
        with record(decoder) as seen:
            decoder.hf(IDS)
        expected = [decoder.unembed(decoder.final_norm(x))[0] for x in states]
        if decoder.softcap is not None:
            cap = decoder.softcap
            expected = [cap * torch.tanh(x / cap) for x in expected]
        last = decoder.hf(IDS).logits[0]
    for lens in (Lens.load(settings, "cpu"), Lens.of(decoder)):
        for resid, wanted in zip(states, expected, strict=True):
            found = lens.logits(lens.normed(resid[0]))
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
            some = torch.tensor([5, 0, 17])
            rows = lens.logits(lens.normed(resid[0]), some)
            torch.testing.assert_close(rows, wanted[:, some], rtol=1e-4, atol=1e-4)
        final = torch.cat(list(lens.chunks(seen["resid"][-1][0])))
        torch.testing.assert_close(final, last, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_shares_of_all_parts_add_up_to_the_logits(architectures, name):
    """Direct logit attribution with one scale for all components."""
    decoder = load_decoder(settings_of(architectures[name]))
    lens = Lens.of(decoder)
    with torch.no_grad(), record(decoder) as seen:
        logits = decoder.hf(IDS).logits[0]
    tokens = torch.tensor([1, 30, 95])
    parts = torch.cat([seen["resid"][0], *seen["attn_out"], *seen["mlp_out"]])
    scale = lens.scale(seen["resid"][-1][0])
    total = lens.shares(parts.transpose(0, 1), scale, lens.W_U[tokens]).sum(1)
    if decoder.softcap is not None:
        total = decoder.softcap * torch.tanh(total / decoder.softcap)
    error = (total - logits[:, tokens]).norm() / logits[:, tokens].norm()
    assert error < 1e-4


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_logprobs_equal_a_plain_log_softmax(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    ids = torch.randint(0, 96, (1, 120), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = decoder.hf(ids).logits[0, :-1].log_softmax(-1)
        normed = decoder.base(ids).last_hidden_state[0, :-1].repeat(3, 1)
        found = Lens.of(decoder).logprobs(normed, ids[0, 1:].repeat(3))
    wanted = wanted.gather(1, ids[0, 1:, None])[:, 0].repeat(3)
    assert torch.allclose(found, wanted, atol=1e-5)


@pytest.fixture
def split(architectures, tmp_path) -> Path:
    """The Llama's checkpoint in two files with an index."""
    shutil.copytree(architectures["llama-biases"], tmp_path / "split")
    folder = tmp_path / "split"
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    halves = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, keys in halves.items():
        save_file({key: weights[key] for key in keys}, folder / file)
    places = {key: file for file, keys in halves.items() for key in keys}
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_a_checkpoint_in_several_files_is_read(split, architectures):
    whole = Checkpoint(settings_of(architectures["llama-biases"]))
    parts = Checkpoint(settings_of(split))
    assert torch.equal(parts.unembed, whole.unembed)
    name = "mlp.down_proj.bias"
    assert torch.equal(parts.layer_tensor(2, name), whole.layer_tensor(2, name))


def test_of_a_whole_file_and_an_index_both_readers_take_the_whole(split):
    other = load_file(split / "a.safetensors") | load_file(split / "b.safetensors")
    whole = {name: 2 * weight for name, weight in other.items()}
    save_file(whole, split / "model.safetensors", {"format": "pt"})
    stored = Checkpoint(settings_of(split))
    loaded = AutoModelForCausalLM.from_pretrained(split)
    assert torch.equal(stored.embed, loaded.get_input_embeddings().weight)
    assert torch.equal(stored.embed, whole["model.embed_tokens.weight"])


def test_a_missing_file_is_named(split):
    (split / "b.safetensors").unlink()
    stored = Checkpoint(settings_of(split))
    index = json.loads((split / "model.safetensors.index.json").read_text())
    lost = [key for key, file in index["weight_map"].items() if file[0] == "b"]
    with pytest.raises(InputError, match=r"b\.safetensors"):
        stored.tensor(lost[0])


def test_a_weight_that_is_not_there_is_named(architectures):
    stored = Checkpoint(settings_of(architectures["llama"]))
    with pytest.raises(InputError, match=r"no weight model\.layers\.7\.x"):
        stored.layer_tensor(7, "x")


def test_a_truncated_file_is_named(architectures, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(architectures["llama"], folder)
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match="damaged"):
        _ = Checkpoint(settings_of(folder)).embed


def test_a_folder_without_weights_is_named(architectures, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(architectures["llama"], folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="model"):
        _ = Checkpoint(settings_of(folder)).embed
