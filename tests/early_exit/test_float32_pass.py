"""A 16-bit model in float32 against a float32 model with the same weights."""

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of

from doubletake.model.loading import load_decoder
from early_exit.float32_pass import in_float32


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_pass_equals_that_of_a_float32_model(architectures, name):
    coarse = load_decoder(settings_of(architectures[name], "bfloat16"))
    wide = load_decoder(settings_of(architectures[name]))
    wide.hf.load_state_dict(coarse.hf.state_dict())  # the rounded weights
    for one, other in zip(wide.hf.buffers(), coarse.hf.buffers(), strict=True):
        one.copy_(other)  # Gemma's scale of the embedding is rounded, too
    ids = torch.arange(1, 60)[None]
    before = coarse.hf(ids).logits
    dtypes = [weight.dtype for weight in coarse.hf.parameters()]
    with in_float32(coarse):
        logits = coarse.hf(ids).logits
    assert logits.dtype == torch.float32
    assert torch.allclose(logits, wide.hf(ids).logits, atol=1e-4, rtol=0)
    assert (logits - before).abs().max() > 1e-3
    assert [weight.dtype for weight in coarse.hf.parameters()] == dtypes
    assert dtypes.count(torch.bfloat16) > 20
    assert torch.equal(coarse.hf(ids).logits, before)


def test_weights_are_put_back_after_an_error(architectures):
    decoder = load_decoder(settings_of(architectures["llama"], "bfloat16"))

    def fail(*_):
        raise RuntimeError("stopped inside a layer")

    decoder.layers[1].mlp.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="stopped inside"), in_float32(decoder):
        decoder.hf(torch.arange(1, 9)[None])
    assert {weight.dtype for weight in decoder.hf.parameters()} == {torch.bfloat16}
