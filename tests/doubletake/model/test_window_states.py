"""States and gradients of models with attention windows against plain passes."""

import pytest
import torch
from tiny_windows import DENSE, WINDOWED, WINDOWS, plain_logits, random_ids

from attribution.gradients import attribute
from doubletake.model.attention_weights import reading_rows
from doubletake.model.batches import padded
from doubletake.model.hooks import record
from doubletake.model.patching import Cell, exact_changes
from doubletake.model.turn_metric import Decision, Metric
from value_vectors.unit_zeroing import Zeroing, full_pass_states, zeroed_states

GROUPS = {"backtrack": torch.tensor([3, 17]), "wrap_up": torch.tensor([5])}


@pytest.mark.parametrize(("window", "length"), WINDOWS)
@pytest.mark.parametrize("name", DENSE)
def test_zeroed_units_equal_plain_passes(decoder_of, name, window, length):
    decoder = decoder_of(name, window)
    zeroings = [
        Zeroing(0, ()),
        Zeroing(0, (3, 9)),
        Zeroing(1, (5,)),
        Zeroing(2, (1, 2, 60)),
    ]
    near = range(max(1, window - 1), window + 3) if length < 1000 else ()
    for count in (*near, length):
        ids = random_ids(count)
        shared = zeroed_states(decoder, ids, zeroings, 0.1, "x")
        plain = full_pass_states(decoder, ids, zeroings, 0.1, "x")
        torch.testing.assert_close(shared, plain, atol=5e-5, rtol=1e-4)
        with torch.inference_mode():
            wanted = decoder.base(torch.tensor([ids]), use_cache=False)
        torch.testing.assert_close(
            shared[0], wanted.last_hidden_state[0, -1], atol=5e-5, rtol=1e-4
        )


@pytest.mark.parametrize(("window", "length"), WINDOWS)
@pytest.mark.parametrize("name", WINDOWED)
def test_attention_rows_equal_eager_weights(decoder_of, name, window, length):
    decoder = decoder_of(name, window)
    sequences = [random_ids(length, seed=1), random_ids(length // 2, seed=2)]
    positions = [[0, length // 3, length - 1], [length // 2 - 1]]
    found = {}

    def see(rows):
        for place, weights in enumerate(rows.weights, start=rows.in_batch.start):
            found[rows.layer, place] = weights.clone()

    with torch.inference_mode(), reading_rows(decoder, positions, see):
        logits = decoder.hf(padded(sequences), use_cache=False).logits
    place = 0
    for k, (ids, wanted) in enumerate(zip(sequences, positions, strict=True)):
        weights = eager_weights(decoder, ids)
        for position in wanted:
            for layer in range(decoder.n_layers):
                row = torch.zeros(decoder.config.num_attention_heads, len(ids))
                ours = found[layer, place]
                row[:, : ours.shape[1]] = ours
                assert (row - weights[layer][:, position]).abs().max() < 1e-5
            place += 1
        assert (logits[k, : len(ids)] - plain_logits(decoder, ids)).abs().max() < 2e-4


@torch.inference_mode()
def eager_weights(decoder, ids):
    """Weights of transformers' eager attention, by layer: [head, query, key]."""
    decoder.hf.set_attn_implementation("eager")
    output = decoder.hf(torch.tensor([ids]), use_cache=False, output_attentions=True)
    decoder.hf.set_attn_implementation(decoder.layout.attention_kernel)
    return [layer[0] for layer in output.attentions]


@pytest.mark.parametrize(("window", "length"), WINDOWS)
@pytest.mark.parametrize("name", WINDOWED)
def test_padded_batches_equal_plain_passes(decoder_of, name, window, length):
    """As in the cache of activations: states of every part, sequence by sequence."""
    decoder = decoder_of(name, window)
    sequences = [random_ids(n, seed=n) for n in (length, length - 7, length // 2, 2)]
    with torch.inference_mode(), record(decoder) as together:
        decoder.base(input_ids=padded(sequences), use_cache=False)
    for k, ids in enumerate(sequences):
        with torch.inference_mode(), record(decoder) as alone:
            decoder.base(input_ids=torch.tensor([ids]), use_cache=False)
        for part, states in alone.items():
            for ours, wanted in zip(together[part], states, strict=True):
                size = wanted.abs().max()
                assert (ours[k, : len(ids)] - wanted[0]).abs().max() < 1e-4 * size


def means_of(decoder):
    generator = torch.Generator().manual_seed(0)
    shape = (decoder.n_layers, decoder.d_model)
    return {
        part: torch.randn(shape, generator=generator)
        for part in ("resid", "attn_out", "mlp_out")
    }


def plain_scores(decoder, item, means):
    """Scores from autograd through transformers' model: [layer, token]."""
    ids = torch.tensor([item.ids])
    start = decoder.hf.get_input_embeddings()(ids).detach().requires_grad_()
    with torch.enable_grad():
        output = decoder.hf(
            inputs_embeds=start, output_hidden_states=True, use_cache=False
        )
        states = output.hidden_states[: decoder.n_layers]
        value = difference(output.logits[0, -1].float())
        gradients = torch.autograd.grad(value, states)
    pairs = zip(means["resid"], states, gradients, strict=True)
    return torch.stack([((m - x) * g)[0].sum(-1).detach() for m, x, g in pairs])


def difference(logits):
    """The metric by its definition, from all logits of a position."""
    logprobs = logits.log_softmax(-1)
    back, wrap = (logprobs[GROUPS[group]].logsumexp(0) for group in GROUPS)
    return back - wrap


@pytest.mark.parametrize(("window", "length"), WINDOWS)
@pytest.mark.parametrize("name", WINDOWED)
def test_attribution_equals_autograd_of_plain_passes(decoder_of, name, window, length):
    decoder = decoder_of(name, window)
    means, metric = means_of(decoder), Metric(decoder, "difference", GROUPS)
    items = [
        Decision(f"{n}/0", n, random_ids(n, seed=n), 3) for n in (length, length // 2)
    ]
    found = attribute(decoder, metric, means, items)
    for k, item in enumerate(items):
        wanted = plain_scores(decoder, item, means)
        scores = found.scores["resid"][k, :, : len(item.ids)]
        assert (scores - wanted).abs().max() < 3e-4 * wanted.abs().max()
        value = difference(plain_logits(decoder, item.ids)[-1]).item()
        assert found.metric_values[k].item() == pytest.approx(value, abs=2e-4)


@pytest.mark.parametrize(("window", "length"), WINDOWS)
@pytest.mark.parametrize("name", WINDOWED)
def test_patching_equals_plain_passes(decoder_of, name, window, length):
    """One residual state is replaced by hand, in and out of the last token's window."""
    decoder = decoder_of(name, window)
    means, metric = means_of(decoder), Metric(decoder, "difference", GROUPS)
    item = Decision("a/0", 0, random_ids(length), 3)
    cells = [
        Cell("resid", layer, token)
        for layer in ((0, 2) if length < 1000 else (1,))
        for token in (length - window, length - window - 1, 0)
    ]
    changes, clean = exact_changes(decoder, metric, means, item, cells, 1.0)
    assert clean == pytest.approx(
        difference(plain_logits(decoder, item.ids)[-1]).item(), abs=2e-4
    )
    for cell, change in zip(cells, changes, strict=True):

        def overwrite(_, inputs, cell=cell):
            inputs[0][0, cell.token] = means["resid"][cell.layer]

        handle = decoder.layers[cell.layer].register_forward_pre_hook(overwrite)
        wanted = difference(plain_logits(decoder, item.ids)[-1]).item()
        handle.remove()
        assert change == pytest.approx(wanted - clean, abs=3e-4)
