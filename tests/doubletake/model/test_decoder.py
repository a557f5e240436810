"""The adapter on a tiny random model of every architecture."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_architectures import (
    ARCHITECTURES,
    SIZES,
    configurations,
    settings_of,
    write_architecture,
)

from doubletake.model.architectures import LAYOUTS, attention_windows
from doubletake.model.decoder import Decoder, load_decoder, prove
from doubletake.model.hooks import record
from doubletake.running.errors import InputError

torch.set_num_threads(1)


@pytest.fixture
def llama(architectures) -> Decoder:
    return load_decoder(settings_of(architectures["llama"]))


def test_every_layout_is_tested():
    assert {name.partition("-")[0] for name in ARCHITECTURES} == set(LAYOUTS)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_self_proof_holds(architectures, name, dtype):
    proof = load_decoder(settings_of(architectures[name], dtype)).proof
    assert proof.holds
    if dtype == "float32":
        assert max(proof.errors.values()) < 1e-6


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parts_add_up_to_the_logits(architectures, name):
    """Direct logit attribution: components times one scale give the true logits."""
    decoder = load_decoder(settings_of(architectures[name]))
    ids = torch.arange(3, 43, 2)[None]
    with torch.no_grad(), record(decoder) as seen:
        logits = decoder.hf(ids).logits[0].double()
    parts = torch.stack([seen["resid"][0], *seen["attn_out"], *seen["mlp_out"]])[:, 0]
    scale = decoder.final_scale(seen["resid"][-1][0])
    direction = (decoder.unembed.weight * decoder.norm_gain).double()
    shares = (parts.double() * scale.double()[None, :, None]) @ direction.T
    total = shares.sum(0)
    if decoder.softcap is not None:
        total = decoder.softcap * torch.tanh(total / decoder.softcap)
    assert ((total - logits).norm() / logits.norm()).item() < 1e-5


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_resid_is_what_the_model_calls_hidden_states(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    ids = torch.tensor([[1, 50, 7, 33, 90, 2, 2, 14]])
    with torch.no_grad(), record(decoder) as seen:
        states = decoder.hf(ids, output_hidden_states=True).hidden_states
    assert len(seen["resid"]) == decoder.n_layers + 1 == len(states)
    for mine, theirs in zip(seen["resid"][:-1], states, strict=False):
        assert torch.equal(mine, theirs)
    assert torch.equal(decoder.final_norm(seen["resid"][-1]), states[-1])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_value_vectors_and_heads_are_the_writing_weights(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    for layer in range(decoder.n_layers):
        if decoder.layout.mlp_down is not None:
            assert decoder.mlp_down(layer).weight.shape == (32, 64)
        assert decoder.attention_out(layer).weight.shape == (32, 32)
    assert decoder.d_model == 32
    assert decoder.unembed.weight.shape == (96, 32)
    assert decoder.max_positions == 128


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_logprobs_equal_a_plain_log_softmax(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    ids = torch.randint(0, 96, (1, 120), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = decoder.hf(ids).logits[0, :-1].log_softmax(-1)
        normed = decoder.base(ids).last_hidden_state[0, :-1].repeat(3, 1)
        found = decoder.logprobs(normed, ids[0, 1:].repeat(3))
    wanted = wanted.gather(1, ids[0, 1:, None])[:, 0].repeat(3)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_model_is_frozen(llama):
    assert not llama.hf.training
    assert not any(weight.requires_grad for weight in llama.hf.parameters())


def test_hooks_are_gone_after_the_block(llama):
    with record(llama) as seen:
        pass
    llama.hf(torch.tensor([[1, 2]]))
    assert seen == {"resid": [], "attn_out": [], "mlp_out": []}


def sabotage_scale(decoder: Decoder) -> None:
    """A residual multiplier, as Granite has one."""
    decoder.layers[1].register_forward_hook(lambda _, __, output: output * 1.5)


def sabotage_logits(decoder: Decoder) -> None:
    decoder.hf.register_forward_hook(
        lambda _, __, output: setattr(output, "logits", output.logits * 1.01)
    )


def sabotage_norm(decoder: Decoder) -> None:
    """A norm with a shift."""
    decoder.final_norm.register_forward_hook(lambda _, __, output: output + 0.1)


def sabotage_causality(decoder: Decoder) -> None:
    """A layer that lets tokens see those behind them."""
    decoder.mlp(0).register_forward_hook(
        lambda _, __, output: output + 0.01 * output.mean(1, keepdim=True)
    )


@pytest.mark.parametrize(
    ("sabotage", "error"),
    [
        (sabotage_scale, "steps"),
        (sabotage_scale, "residual"),
        (sabotage_logits, "logits"),
        (sabotage_norm, "norm"),
        (sabotage_causality, "causality"),
    ],
)
def test_self_proof_fails_on_a_model_that_does_more(llama, sabotage, error):
    sabotage(llama)
    proof = prove(llama)
    assert not proof.holds
    assert proof.errors[error] > proof.bound


def test_unproven_model_is_refused_by_name(architectures, monkeypatch):
    """A sandwich-norm model whose layout forgot the norms before its writes."""
    forgetful = replace(LAYOUTS["gemma3_text"], mlp_write="mlp")
    monkeypatch.setitem(LAYOUTS, "gemma3_text", forgetful)
    with pytest.raises(InputError, match=r"gemma3_text.*self-proof.*residual \d"):
        load_decoder(settings_of(architectures["gemma3_text"]))


def edit_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def broken(tmp_path) -> Path:
    """A folder to break."""
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


WINDOW = {"sliding_window": 7}
GLOBAL, LOCAL = "full_attention", "sliding_attention"


@pytest.mark.parametrize(
    ("config", "windows"),
    [
        (transformers.LlamaConfig(**SIZES), {GLOBAL: None}),
        (transformers.LlamaConfig(**SIZES, **WINDOW), {GLOBAL: None}),
        (transformers.MistralConfig(**SIZES, **WINDOW), {LOCAL: 7}),
        (transformers.MistralConfig(**SIZES, sliding_window=None), {GLOBAL: None}),
        (
            transformers.MistralConfig(**SIZES, **WINDOW, layer_types=[GLOBAL] * 3),
            {LOCAL: 7},
        ),
        (transformers.Qwen2Config(**SIZES), {GLOBAL: None}),
        (
            transformers.Qwen2Config(
                **SIZES, **WINDOW, use_sliding_window=True, max_window_layers=1
            ),
            {GLOBAL: None, LOCAL: 7},
        ),
        (
            transformers.Qwen2Config(
                **SIZES, **WINDOW, use_sliding_window=True, max_window_layers=3
            ),
            {GLOBAL: None},
        ),
        (transformers.Qwen3MoeConfig(**SIZES, **WINDOW), {GLOBAL: None}),
        (
            transformers.Qwen3MoeConfig(**SIZES, **WINDOW, use_sliding_window=True),
            {LOCAL: 7},
        ),
        (transformers.Gemma2Config(**SIZES, **WINDOW), {GLOBAL: None, LOCAL: 7}),
        (transformers.Gemma3TextConfig(**SIZES, **WINDOW), {LOCAL: 7}),
    ],
)
def test_attention_windows_are_those_that_the_model_applies(config, windows):
    """And no other: counted on the weights that the library's attention gives out."""
    assert attention_windows(config) == windows
    torch.manual_seed(0)
    hf = transformers.AutoModelForCausalLM.from_config(
        config, attn_implementation="eager"
    )
    seen = hf(torch.arange(1, 21)[None], output_attentions=True).attentions
    reaches = {(weights[0, :, -1] > 0).any(0).sum().item() for weights in seen}
    assert reaches == {20 if window is None else window for window in windows.values()}
