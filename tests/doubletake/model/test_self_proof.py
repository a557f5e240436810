"""The self-proof holds on all architectures, and fails on models with extra parts."""

from dataclasses import replace

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of

from doubletake.model.architectures import LAYOUTS
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.self_proof import prove
from doubletake.running.errors import InputError

torch.set_num_threads(1)


@pytest.fixture
def llama(architectures) -> Decoder:
    return load_decoder(settings_of(architectures["llama"]))


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_self_proof_holds(architectures, name, dtype):
    proof = prove(load_decoder(settings_of(architectures[name], dtype)))
    assert proof.holds
    if dtype == "float32":
        assert max(proof.errors.values()) < 1e-6


def sabotage_scale(decoder: Decoder) -> None:
    """A residual multiplier, as in Granite."""
    decoder.layers[1].register_forward_hook(lambda _, __, output: output * 1.5)


def sabotage_logits(decoder: Decoder) -> None:
    decoder.hf.register_forward_hook(
        lambda _, __, output: setattr(output, "logits", output.logits * 1.01)
    )


def sabotage_norm(decoder: Decoder) -> None:
    """A norm with a shift."""
    decoder.final_norm.register_forward_hook(lambda _, __, output: output + 0.1)


def sabotage_causality(decoder: Decoder) -> None:
    """A layer in which tokens see later tokens."""
    decoder.mlp(0).register_forward_hook(
        lambda _, __, output: output + 0.01 * output.mean(1, keepdim=True)
    )


def sabotage_attention(decoder: Decoder) -> None:
    """Attention that writes something else than its output projection."""
    decoder.attention(1).register_forward_hook(
        lambda _, __, output: (output[0] * 1.5, *output[1:])
    )


def sabotage_mlp(decoder: Decoder) -> None:
    """An MLP that writes something else than its down-projection."""
    decoder.mlp(1).register_forward_hook(lambda _, __, output: output * 1.5)


def sabotage_unembedding(decoder: Decoder) -> None:
    """An unembedding with a bias, which the lens ignores."""
    bias = torch.linspace(-1, 1, decoder.unembed.out_features)
    decoder.unembed.bias = torch.nn.Parameter(bias, requires_grad=False)


@pytest.mark.parametrize(
    ("sabotage", "error"),
    [
        (sabotage_scale, "steps"),
        (sabotage_scale, "residual"),
        (sabotage_logits, "logits"),
        (sabotage_unembedding, "logits"),
        (sabotage_norm, "norm"),
        (sabotage_causality, "causality"),
        (sabotage_attention, "heads"),
        (sabotage_mlp, "units"),
    ],
)
def test_self_proof_fails_on_a_model_that_does_more(llama, sabotage, error):
    sabotage(llama)
    proof = prove(llama)
    assert not proof.holds
    assert proof.errors[error] > proof.bound


@pytest.mark.parametrize("wrong", ["input_layernorm", None])
def test_an_mlp_that_reads_another_norm_is_found(llama, wrong):
    """Everything else adds up, whatever the layout says about this norm."""
    proof = prove(replace(llama, layout=replace(llama.layout, mlp_norm=wrong)))
    assert {name for name, e in proof.errors.items() if e > proof.bound} == {"mlp"}


def test_unproven_model_is_refused_by_name(architectures, monkeypatch):
    """A model whose layout ignores the norm after its MLP."""
    forgetful = replace(LAYOUTS["gemma3_text"], mlp_write="mlp")
    monkeypatch.setitem(LAYOUTS, "gemma3_text", forgetful)
    with pytest.raises(InputError, match=r"gemma3_text.*self-proof.*residual \d"):
        load_decoder(settings_of(architectures["gemma3_text"]))
