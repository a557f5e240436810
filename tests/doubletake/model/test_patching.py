"""Exact patching against one forward pass per cell, hooked by hand."""

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of

from doubletake.model.loading import load_decoder
from doubletake.model.patching import (
    Cell,
    cost_of,
    exact_changes,
    metric_by_full_pass,
)
from doubletake.model.turn_metric import Decision, Metric

GROUPS = {"backtrack": torch.tensor([3, 17]), "wrap_up": torch.tensor([5])}
ITEM = Decision("a/0", 4, [7, 9, 11, 2, 80, 31, 64, 12, 50], 3)  # beyond the windows
COMPONENTS = ("resid", "attn_out", "mlp_out")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def decoder(request, architectures):
    return load_decoder(settings_of(architectures[request.param]))


def brute_force(decoder, means, cell: Cell | None) -> float:
    """The metric of one pass in which one state is overwritten."""
    layout = decoder.layout
    handle = None
    if cell is not None:
        layer = decoder.layers[cell.layer]
        mean = means[cell.component][cell.layer]

        def overwrite(states):
            states = states.clone()
            states[0, cell.token] = mean
            return states

        if cell.component == "resid":
            handle = layer.register_forward_pre_hook(
                lambda _, inputs: (overwrite(inputs[0]), *inputs[1:])
            )
        else:
            paths = {"attn_out": layout.attention_write, "mlp_out": layout.mlp_write}
            path = paths[cell.component]
            handle = layer.get_submodule(path).register_forward_hook(
                lambda _, __, out: (
                    (overwrite(out[0]), *out[1:])
                    if isinstance(out, tuple)
                    else overwrite(out)
                )
            )
    with torch.no_grad():
        logits = decoder.hf(torch.tensor([ITEM.ids]), use_cache=False).logits[0, -1]
    if handle is not None:
        handle.remove()
    share = logits.double().softmax(-1)[GROUPS["backtrack"]].sum()
    return float(share.log() - (1 - share).log())


def means_of(decoder) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shape = (decoder.n_layers, decoder.d_model)
    return {
        component: torch.randn(shape, generator=generator) for component in COMPONENTS
    }


@pytest.mark.parametrize("batch_memory", [1e-9, 6e-5, 1.0])
def test_every_cell_equals_a_pass_of_its_own(decoder, batch_memory):
    means = means_of(decoder)
    cells = [
        Cell(component, layer, token)
        for token in (0, 2, 5, 7, 8)
        for component in COMPONENTS
        for layer in range(decoder.n_layers)
    ]
    metric = Metric(decoder, "log_odds", GROUPS)
    changes, clean = exact_changes(decoder, metric, means, ITEM, cells, batch_memory)
    plain = brute_force(decoder, means, None)
    assert clean == pytest.approx(plain, abs=1e-5)
    wanted = [brute_force(decoder, means, cell) - plain for cell in cells]
    assert max(map(abs, wanted)) > 0.05
    assert changes == pytest.approx(wanted, abs=1e-4)


def test_the_full_pass_equals_a_pass_hooked_by_hand(decoder):
    means, metric = means_of(decoder), Metric(decoder, "log_odds", GROUPS)
    for component in COMPONENTS:
        cell = Cell(component, 1, 3)
        found = metric_by_full_pass(decoder, metric, means, ITEM, cell)
        assert found == pytest.approx(brute_force(decoder, means, cell), abs=1e-5)


def test_nothing_is_left_in_the_model(decoder):
    means, metric = means_of(decoder), Metric(decoder, "log_odds", GROUPS)
    before = brute_force(decoder, means, None)
    exact_changes(decoder, metric, means, ITEM, [Cell("resid", 2, 4)], 1.0)
    assert brute_force(decoder, means, None) == before
    assert not any("forward" in vars(layer) for layer in decoder.layers)


def test_the_cost_is_what_the_layers_compute(decoder):
    """Tokens that enter the layers' MLPs, beyond those of the clean pass."""
    means, metric = means_of(decoder), Metric(decoder, "log_odds", GROUPS)
    seen = []
    handles = [
        decoder.mlp(layer).register_forward_pre_hook(
            lambda _, inputs: seen.append(inputs[0].shape[:-1].numel())
        )
        for layer in range(decoder.n_layers)
    ]
    cells = [Cell("resid", 1, 2), Cell("mlp_out", 2, 7), Cell("attn_out", 0, 0)]
    exact_changes(decoder, metric, means, ITEM, cells, 1e-9)
    for handle in handles:
        handle.remove()
    tokens = len(ITEM.ids)
    wanted = sum(cost_of(cell, tokens, decoder.n_layers) for cell in cells)
    assert sum(seen) == tokens * decoder.n_layers + wanted
