"""A model with multipliers is the model of transformers, and its parts add up."""

import pytest
import torch
import transformers
from tiny_architectures import MULTIPLIERS, SIZES, settings_of, write_architecture

from doubletake.model.configuration import DTYPES
from doubletake.model.hooks import record
from doubletake.model.loading import load_decoder
from doubletake.model.self_proof import prove

IDS = torch.arange(3, 43, 2)[None]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_no_bit_of_the_model_changes(architectures, dtype):
    decoder = load_decoder(settings_of(architectures["granite"], dtype))
    plain = transformers.AutoModelForCausalLM.from_pretrained(
        architectures["granite"], dtype=DTYPES[dtype]
    )
    with torch.no_grad(), record(decoder) as seen:
        ours = decoder.hf(IDS, output_hidden_states=True)
        wanted = plain(IDS, output_hidden_states=True)
    assert torch.equal(ours.logits, wanted.logits)
    for one, other in zip(seen["resid"][:-1], wanted.hidden_states, strict=False):
        assert torch.equal(one, other)


def test_a_divisor_that_is_no_power_of_two_costs_a_rounding(tmp_path):
    config = transformers.GraniteConfig(
        **SIZES, **(MULTIPLIERS | {"logits_scaling": 10.0})
    )
    write_architecture(config, tmp_path)
    plain = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    decoder = load_decoder(settings_of(tmp_path))
    with torch.no_grad():
        ours, wanted = decoder.hf(IDS).logits, plain(IDS).logits
    assert (ours - wanted).abs().max() < 1e-6 * wanted.abs().max()


def test_a_write_is_the_modules_sum_times_the_multiplier(architectures):
    decoder = load_decoder(settings_of(architectures["granite"]))
    sums = []
    hook = decoder.attention_out(1).register_forward_hook(
        lambda _, __, output: sums.append(output)
    )
    with torch.no_grad(), record(decoder) as seen:
        decoder.hf(IDS)
    hook.remove()
    assert torch.equal(sums[0] * 0.22, seen["attn_out"][1])
    assert decoder.write_multiplier == 0.22


@pytest.mark.parametrize(
    "reset",
    [
        lambda hf: setattr(hf.base_model, "embedding_multiplier", 3.0),
        lambda hf: setattr(hf.base_model.layers[0], "residual_multiplier", 0.22),
        lambda hf: setattr(hf.config, "logits_scaling", 8.0),
    ],
)
def test_a_multiplier_that_the_model_still_applies_fails_the_proof(
    architectures, reset
):
    decoder = load_decoder(settings_of(architectures["granite"]))
    assert prove(decoder).holds
    reset(decoder.hf)
    assert not prove(decoder).holds
