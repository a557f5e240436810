"""Divergences equal those of plain passes, and are 0 at strength 0."""

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

from doubletake.model.loading import load_decoder
from injection.contexts import Context
from injection.forward_pass import divergences
from injection.injections import Injection
from injection.tables import ALWAYS, ARRIVAL, MODES, ONCE

TOKEN, DISTANCE, GIB = 9, 7, 0.01


def ids_of(count):
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randint(1, 96, (count,), generator=generator).tolist())


CONTEXT = Context("0/0", "0", ARRIVAL, TOKEN, ids_of(TOKEN + DISTANCE + 1))


def injection(decoder, boundary=1, strength=2.0, mode=ONCE, factor=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    vector = torch.randn(decoder.d_model, generator=generator) * strength
    return Injection("ward", None, boundary, 0.5, strength, mode, factor, vector)


def plain_kl(decoder, one):
    """Two passes of the whole sequence, with a hook on the layer: ten lines."""
    end = None if one.mode == ALWAYS else TOKEN + 1

    def add(_, inputs):
        states = inputs[0].clone()
        states[:, TOKEN:end] += one.vector
        return (states, *inputs[1:])

    logprobs = []
    for is_injected in (False, True):
        if is_injected:
            hook = decoder.layers[one.boundary].register_forward_pre_hook(add)
        logits = decoder.hf(torch.tensor([CONTEXT.ids]), use_cache=False).logits
        logprobs.append(logits[0, TOKEN:].double().log_softmax(-1))
    hook.remove()
    plain, injected = logprobs
    return (plain.exp() * (plain - injected)).sum(-1)


@pytest.fixture(scope="module")
def llama(architectures):
    return load_decoder(settings_of(architectures["llama"]))


@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.inference_mode()
def test_divergences_are_those_of_plain_passes(name, architectures):
    decoder = load_decoder(settings_of(architectures[name]))
    several = [
        injection(decoder, boundary, mode=mode, seed=seed)
        for seed, mode in enumerate(MODES)
        for boundary in (0, 1, 2)
    ]
    found = divergences(decoder, CONTEXT, several, GIB)
    for one, own in zip(several, found, strict=True):
        expected = plain_kl(decoder, one)
        assert expected[0] > 1e-4
        torch.testing.assert_close(own, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("factor", [1.0, 16.0])
def test_strength_zero_moves_nothing_at_any_distance(llama, mode, factor):
    none = injection(llama, strength=0.0, mode=mode, factor=factor)
    beside = injection(llama, factor=factor, mode=mode)
    kl = divergences(llama, CONTEXT, [beside, none, beside], GIB)
    assert kl[1].tolist() == [0.0] * (DISTANCE + 1)
    assert (kl[0] > 0).all()


def test_batches_change_nothing(llama):
    several = [injection(llama, mode=mode, seed=k) for k in range(4) for mode in MODES]
    together = divergences(llama, CONTEXT, several, 1.0)
    alone = divergences(llama, CONTEXT, several, 1e-9)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-9)


def test_an_injection_at_one_token_does_not_reach_the_tokens_before_it(llama):
    """The first divergence is that of the injected token itself."""
    short = Context("0/0", "0", ARRIVAL, TOKEN, CONTEXT.ids[: TOKEN + 1])
    one = injection(llama)
    first = divergences(llama, short, [one], GIB)[0, 0]
    whole = divergences(llama, CONTEXT, [one], GIB)[0, 0]
    torch.testing.assert_close(first, whole, rtol=1e-5, atol=1e-9)


@torch.inference_mode()
def test_more_attention_multiplies_the_weights_to_the_token(llama):
    """Weights multiplied by hand and divided by their sum give the same divergences."""
    factor = 16.0

    def boosted(module, query, key, value, attention_mask, scaling=None, **_):
        groups = module.num_key_value_groups
        key, value = (part.repeat_interleave(groups, 1) for part in (key, value))
        scores = query @ key.mT * scaling + attention_mask
        weights = scores.softmax(-1)
        weights[..., TOKEN + 1 :, TOKEN] *= factor
        weights = weights / weights.sum(-1, keepdim=True)
        return (weights @ value).transpose(1, 2), None

    AttentionInterface.register("boosted", boosted)
    AttentionMaskInterface.register("boosted", eager_mask)
    one = injection(llama, factor=factor)
    found, plain = divergences(llama, CONTEXT, [one, injection(llama)], GIB)
    llama.hf.set_attn_implementation("boosted")
    try:
        expected = plain_kl(llama, one)
    finally:
        llama.hf.set_attn_implementation(llama.layout.attention_kernel)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-7)
    assert not torch.allclose(found[1:], plain[1:], rtol=0.1)
    torch.testing.assert_close(found[0], plain[0], rtol=1e-4, atol=1e-7)
