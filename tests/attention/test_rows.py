"""Attention rows are the model's own, and reading them leaves the model as it was."""

from types import SimpleNamespace

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of
from torch.utils._python_dispatch import TorchDispatchMode

from attention import rows as attention_rows
from attention.rows import eager_weights, prove_rows, reading
from doubletake.model.batches import padded
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError

LENGTHS = (23, 17, 9)
WANTED = [[3, 5, 22], [16], [0, 8]]


def sequences():
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(1, 96, (n,), generator=generator).tolist() for n in LENGTHS]


def read(decoder, ids, wanted):
    """Rows by layer and wanted position, and the pass's logits."""
    found, reach = {}, {}

    def see(rows):
        reach[rows.layer] = rows.reach
        for place, weights in enumerate(rows.weights, start=rows.wanted.start):
            found[rows.layer, place] = weights.clone()

    with torch.inference_mode(), reading(decoder, wanted, see):
        logits = decoder.hf(ids, use_cache=False).logits
    return found, reach, logits


def reference_rows(decoder, ids, position):
    """Eager attention of the whole model on one sequence: [layer, head, token]."""
    decoder.hf.set_attn_implementation("eager")
    with torch.inference_mode():
        weights = decoder.hf(
            torch.tensor([ids]), use_cache=False, output_attentions=True
        ).attentions
    decoder.hf.set_attn_implementation(decoder.layout.attention_kernel)
    return torch.stack([layer[0, :, position] for layer in weights])


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("block", [5, 128])
def test_rows_equal_eager_weights(architectures, monkeypatch, name, block):
    monkeypatch.setattr(attention_rows, "QUERY_BLOCK", block)
    monkeypatch.setattr(attention_rows, "ROW_BLOCK", 2 if block == 5 else 16)
    decoder = load_decoder(settings_of(architectures[name]))
    ids = sequences()
    found, _, _ = read(decoder, padded(ids), WANTED)
    place = 0
    for sequence, positions in zip(ids, WANTED, strict=True):
        for position in positions:
            wanted = reference_rows(decoder, sequence, position)
            assert not wanted[..., position + 1 :].count_nonzero()
            for layer in range(decoder.n_layers):
                row = found[layer, place]
                ours = torch.zeros(row.shape[0], len(sequence))
                ours[:, : row.shape[1]] = row
                assert (ours - wanted[layer]).abs().max() < 1e-5
            place += 1
    assert len(found) == place * decoder.n_layers


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_pass_is_the_models_own(architectures, monkeypatch, name):
    monkeypatch.setattr(attention_rows, "QUERY_BLOCK", 5)
    decoder = load_decoder(settings_of(architectures[name]))
    ids = padded(sequences())
    with torch.inference_mode():
        before = decoder.hf(ids, use_cache=False).logits
    _, _, during = read(decoder, ids, WANTED)
    with torch.inference_mode():
        after = decoder.hf(ids, use_cache=False).logits
    assert torch.equal(before, after)
    for k, length in enumerate(LENGTHS):
        assert torch.allclose(before[k, :length], during[k, :length], atol=1e-4)


def test_windows_and_caps_are_what_these_tests_meet(architectures):
    """Else the tests above would show nothing about them."""
    reaches = {}
    for name in ARCHITECTURES:
        decoder = load_decoder(settings_of(architectures[name]))
        reaches[name] = set(read(decoder, padded(sequences()), WANTED)[1].values())
    assert reaches["llama"] == {None}
    assert reaches["mistral"] == {4}
    assert reaches["gemma2"] == {4, None}


def test_capped_scores_are_capped(architectures):
    decoder = load_decoder(settings_of(architectures["gemma2"]))
    ids = sequences()[0]
    plain, _, _ = read(decoder, torch.tensor([ids]), [[22]])
    for layer in range(decoder.n_layers):  # so tight that it changes the weights
        decoder.attention(layer).attn_logit_softcapping = 0.05
    capped, _, _ = read(decoder, torch.tensor([ids]), [[22]])
    wanted = reference_rows(decoder, ids, 22)
    for layer in range(decoder.n_layers):
        assert (capped[layer, 0] - wanted[layer]).abs().max() < 1e-5
    assert max((capped[k] - plain[k]).abs().max() for k in plain) > 1e-2


def test_eager_weights_are_those_that_the_library_gives_out(architectures):
    decoder = load_decoder(settings_of(architectures["mistral"]))
    ids = sequences()[1]
    wanted = reference_rows(decoder, ids, len(ids) - 1)
    assert torch.equal(eager_weights(decoder, ids), wanted)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_passes_its_proof(architectures, name):
    prove_rows(load_decoder(settings_of(architectures[name])))


def test_a_model_whose_rows_are_not_its_weights_is_refused_by_name(
    architectures, monkeypatch
):
    decoder = load_decoder(settings_of(architectures["llama"]))
    rows = attention_rows._Heads.rows
    monkeypatch.setattr(
        attention_rows._Heads, "rows", lambda *parts: rows(*parts).flip(-1)
    )
    with pytest.raises(InputError, match="'llama' cannot be read: rows differ"):
        prove_rows(decoder)


def test_a_model_beside_the_attention_interface_is_refused_by_name(model, monkeypatch):
    decoder = load_decoder(model)
    monkeypatch.setattr(
        type(decoder.hf), "_can_set_attn_implementation", lambda _: False, raising=True
    )
    with (
        pytest.raises(InputError, match="'llama' cannot be read"),
        reading(decoder, [[0]], print),
    ):
        pass


def test_attention_with_sinks_is_refused_by_name(model):
    decoder = load_decoder(model)
    states = torch.zeros(1, 4, 3, 8)
    module = SimpleNamespace(layer_idx=0, config=SimpleNamespace(model_type="gpt_oss"))
    with (
        reading(decoder, [[0]], print),
        pytest.raises(InputError, match=r"'gpt_oss'.*s_aux"),
    ):
        attention_rows._attend(
            module, states, states, states, None, scaling=1.0, s_aux=torch.zeros(4)
        )


def test_the_model_attends_as_before_after_a_failure(model):
    decoder = load_decoder(model)

    def fail(_):
        raise RuntimeError("stop")

    ids = torch.tensor([[1, 2, 3]])
    with (
        pytest.raises(RuntimeError, match="stop"),
        reading(decoder, [[2]], fail),
    ):
        decoder.hf(ids, use_cache=False)
    assert decoder.config._attn_implementation == "sdpa"
    decoder.hf(ids, use_cache=False)


def test_sixteen_bit_models_are_read(architectures):
    settings = settings_of(architectures["gemma2"], dtype="bfloat16")
    decoder = load_decoder(settings)
    prove_rows(decoder)
    found, _, _ = read(decoder, padded(sequences()), WANTED)
    for row in found.values():
        assert row.dtype == torch.float32
        assert row.sum(-1).sub(1).abs().max() < 1e-5


class Largest(TorchDispatchMode):
    """Elements of the largest tensor that any operation gives."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        for tensor in output if isinstance(output, (tuple, list)) else [output]:
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage().size() // tensor.element_size()
                self.elements = max(self.elements, storage)
        return output


@pytest.mark.parametrize("name", ["llama", "mistral", "gemma2"])
def test_no_tensor_grows_with_the_square_of_the_tokens(architectures, name):
    """Peak memory as a process sees it is measured by bench_attention."""
    decoder = load_decoder(settings_of(architectures[name]))
    largest, eager = {}, {}
    for tokens in (1024, 2048):
        ids = torch.arange(tokens).remainder(96)[None]
        wanted = [[tokens // 2, tokens - 1]]
        reader = reading(decoder, wanted, lambda _: None)
        with torch.inference_mode(), reader, Largest() as seen:
            decoder.base(input_ids=ids, use_cache=False)
        largest[tokens] = seen.elements
        with torch.inference_mode(), attention_rows.eager(decoder), Largest() as seen:
            decoder.base(input_ids=ids, use_cache=False)
        eager[tokens] = seen.elements
    assert largest[2048] <= 2 * largest[1024]
    assert eager[2048] >= 4 * eager[1024]  # what this test would see
