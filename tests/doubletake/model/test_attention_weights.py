"""Attention rows equal the model's weights, and reading them changes no output."""

from types import SimpleNamespace

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of
from torch.utils._python_dispatch import TorchDispatchMode

from doubletake.model import attention_weights, queries_and_keys
from doubletake.model.attention_weights import eager_weights, prove_rows, reading_rows
from doubletake.model.batches import padded
from doubletake.model.loading import load_decoder
from doubletake.model.queries_and_keys import QueriesAndKeys
from doubletake.running.errors import InputError

LENGTHS = (23, 17, 9)
POSITIONS = [[3, 5, 22], [16], [0, 8]]


def sequences():
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(1, 96, (n,), generator=generator).tolist() for n in LENGTHS]


def read(decoder, ids, positions):
    """Rows by layer and index of the position, windows by layer, and the logits."""
    by_position, windows = {}, {}

    def receive(rows):
        windows[rows.layer] = rows.window
        for index, weights in enumerate(rows.weights, start=rows.in_batch.start):
            by_position[rows.layer, index] = weights.clone()

    with torch.inference_mode(), reading_rows(decoder, positions, receive):
        logits = decoder.hf(ids, use_cache=False).logits
    return by_position, windows, logits


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
    monkeypatch.setattr(queries_and_keys, "QUERY_BLOCK", block)
    monkeypatch.setattr(attention_weights, "ROW_BLOCK", 2 if block == 5 else 16)
    decoder = load_decoder(settings_of(architectures[name]))
    ids = sequences()
    by_position, _, _ = read(decoder, padded(ids), POSITIONS)
    index = 0
    for sequence, positions in zip(ids, POSITIONS, strict=True):
        for position in positions:
            expected = reference_rows(decoder, sequence, position)
            assert not expected[..., position + 1 :].count_nonzero()
            for layer in range(decoder.n_layers):
                row = by_position[layer, index]
                padded_row = torch.zeros(row.shape[0], len(sequence))
                padded_row[:, : row.shape[1]] = row
                assert (padded_row - expected[layer]).abs().max() < 1e-5
            index += 1
    assert len(by_position) == index * decoder.n_layers


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_reading_changes_no_output(architectures, monkeypatch, name):
    monkeypatch.setattr(queries_and_keys, "QUERY_BLOCK", 5)
    decoder = load_decoder(settings_of(architectures[name]))
    ids = padded(sequences())
    with torch.inference_mode():
        before = decoder.hf(ids, use_cache=False).logits
    _, _, during = read(decoder, ids, POSITIONS)
    with torch.inference_mode():
        after = decoder.hf(ids, use_cache=False).logits
    assert torch.equal(before, after)
    for k, length in enumerate(LENGTHS):
        assert torch.allclose(before[k, :length], during[k, :length], atol=1e-4)


def test_the_architectures_have_windows(architectures):
    """Without windows, the tests above would show nothing about them."""
    windows = {}
    for name in ARCHITECTURES:
        decoder = load_decoder(settings_of(architectures[name]))
        windows[name] = set(read(decoder, padded(sequences()), POSITIONS)[1].values())
    assert windows["llama"] == {None}
    assert windows["mistral"] == {4}
    assert windows["gemma2"] == windows["gpt_oss"] == {4, None}


def test_a_sink_takes_the_rest_of_the_attention(architectures):
    """Against the library's eager weights, which leave the sink out."""
    decoder = load_decoder(settings_of(architectures["gpt_oss"]))
    ids = sequences()[0]
    sinks = []
    receive = lambda rows: sinks.append(rows.sink[0])  # noqa: E731
    with torch.inference_mode(), reading_rows(decoder, [[22]], receive):
        decoder.base(input_ids=torch.tensor([ids]), use_cache=False)
    expected = 1 - reference_rows(decoder, ids, 22).sum(-1)
    assert (torch.stack(sinks) - expected).abs().max() < 1e-6
    assert expected.max() > 0.1


def test_capped_scores_are_capped(architectures):
    decoder = load_decoder(settings_of(architectures["gemma2"]))
    ids = sequences()[0]
    plain, _, _ = read(decoder, torch.tensor([ids]), [[22]])
    for layer in range(
        decoder.n_layers
    ):  # a cap that is low enough to change the weights
        decoder.attention(layer).attn_logit_softcapping = 0.05
    capped, _, _ = read(decoder, torch.tensor([ids]), [[22]])
    expected = reference_rows(decoder, ids, 22)
    for layer in range(decoder.n_layers):
        assert (capped[layer, 0] - expected[layer]).abs().max() < 1e-5
    assert max((capped[k] - plain[k]).abs().max() for k in plain) > 1e-2


def test_eager_weights_are_those_of_the_library(architectures):
    decoder = load_decoder(settings_of(architectures["mistral"]))
    ids = sequences()[1]
    expected = reference_rows(decoder, ids, len(ids) - 1)
    assert torch.equal(eager_weights(decoder, ids), expected)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_passes_its_proof(architectures, name):
    prove_rows(load_decoder(settings_of(architectures[name])))


def test_a_model_whose_rows_are_not_its_weights_is_refused_by_name(
    architectures, monkeypatch
):
    decoder = load_decoder(settings_of(architectures["llama"]))
    weights_of = QueriesAndKeys.weights_of

    def flipped(*parts):
        weights, sink = weights_of(*parts)
        return weights.flip(-1), sink

    monkeypatch.setattr(QueriesAndKeys, "weights_of", flipped)
    with pytest.raises(InputError, match="'llama' cannot be read: rows differ"):
        prove_rows(decoder)


def test_rounding_that_adds_up_over_layers_refuses_no_model(architectures, monkeypatch):
    """Kernels round differently; each layer's rows are judged on the same states."""
    decoder = load_decoder(settings_of(architectures["llama"]))
    own = attention_weights._attention_function

    def rounded(*args, **named):
        output, weights = own(*args, **named)
        return output * 1.1, weights

    monkeypatch.setattr(attention_weights, "_attention_function", rounded)
    by_layer = []
    ids = sequences()[0]
    with reading_rows(
        decoder, [[len(ids) - 1]], lambda rows: by_layer.append(rows.weights[0])
    ):
        decoder.base(input_ids=torch.tensor([ids]), use_cache=False)
    assert (torch.stack(by_layer) - eager_weights(decoder, ids)).abs().max() > 1e-3
    prove_rows(decoder)


def test_a_model_without_the_attention_interface_is_refused_by_name(model, monkeypatch):
    decoder = load_decoder(model)
    monkeypatch.setattr(
        type(decoder.hf), "_can_set_attn_implementation", lambda _: False, raising=True
    )
    with (
        pytest.raises(InputError, match="'llama' cannot be read"),
        reading_rows(decoder, [[0]], print),
    ):
        pass


def test_attention_with_a_bias_is_refused_by_name(model):
    decoder = load_decoder(model)
    states = torch.zeros(1, 4, 3, 8)
    module = SimpleNamespace(layer_idx=0, config=SimpleNamespace(model_type="other"))
    with (
        reading_rows(decoder, [[0]], print),
        pytest.raises(InputError, match=r"'other'.*position_bias"),
    ):
        attention_weights._attention_function(
            module, states, states, states, None, scaling=1.0, position_bias=states
        )


def test_the_model_attends_as_before_after_a_failure(model):
    decoder = load_decoder(model)

    def fail(_):
        raise RuntimeError("stop")

    ids = torch.tensor([[1, 2, 3]])
    with (
        pytest.raises(RuntimeError, match="stop"),
        reading_rows(decoder, [[2]], fail),
    ):
        decoder.hf(ids, use_cache=False)
    assert decoder.config._attn_implementation == "sdpa"
    decoder.hf(ids, use_cache=False)


def test_sixteen_bit_models_are_read(architectures):
    settings = settings_of(architectures["gemma2"], dtype="bfloat16")
    decoder = load_decoder(settings)
    prove_rows(decoder)
    by_position, _, _ = read(decoder, padded(sequences()), POSITIONS)
    for row in by_position.values():
        assert row.dtype == torch.float32
        assert row.sum(-1).sub(1).abs().max() < 1e-5


class LargestTensor(TorchDispatchMode):
    """Elements of the largest tensor that any operation returns."""

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
    """The peak memory of a process is measured by bench_attention."""
    decoder = load_decoder(settings_of(architectures[name]))
    largest, eager = {}, {}
    for tokens in (1024, 2048):
        ids = torch.arange(tokens).remainder(96)[None]
        positions = [[tokens // 2, tokens - 1]]
        reader = reading_rows(decoder, positions, lambda _: None)
        with torch.inference_mode(), reader, LargestTensor() as seen:
            decoder.base(input_ids=ids, use_cache=False)
        largest[tokens] = seen.elements
        eager_mode = attention_weights.eager_attention(decoder)
        with torch.inference_mode(), eager_mode, LargestTensor() as seen:
            decoder.base(input_ids=ids, use_cache=False)
        eager[tokens] = seen.elements
    assert largest[2048] <= 2 * largest[1024]
    assert eager[2048] >= 4 * eager[1024]  # the growth that this test would detect
