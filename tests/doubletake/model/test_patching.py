"""Exact patching against one forward pass per cell, hooked by hand."""

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of

from doubletake.model.loading import load_decoder
from doubletake.model.patching import (
    Cell,
    Patch,
    _groups_of_similar_length,
    cost_of,
    exact_changes,
    metric_by_full_pass,
    slopes,
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


def patched_by_hand(decoder, means, patch: Patch) -> float:
    """The metric of one pass in which several states have moved."""
    mean = means["resid"][patch.layer]

    def move(states):
        states = states.clone()
        for token in patch.tokens:
            states[0, token] += patch.step * (mean - states[0, token])
        return states

    handle = decoder.layers[patch.layer].register_forward_pre_hook(
        lambda _, inputs: (move(inputs[0]), *inputs[1:])
    )
    value = brute_force(decoder, means, None)
    handle.remove()
    return value


def test_patches_of_several_tokens_equal_passes_hooked_by_hand(decoder):
    """Also where a pass costs so much that passes of all lengths are joined."""
    means, metric = means_of(decoder), Metric(decoder, "log_odds", GROUPS)
    patches = [
        Patch(layer, tokens, step)
        for layer in range(decoder.n_layers)
        for tokens in ((0, 1, 2), (3,), (4, 7), (6, 7, 8))
        for step in (0.25, 1.0)
    ]
    changes, clean = exact_changes(decoder, metric, means, ITEM, patches, 1.0)
    wanted = [patched_by_hand(decoder, means, patch) - clean for patch in patches]
    assert changes == pytest.approx(wanted, abs=1e-4)
    full = metric_by_full_pass(decoder, metric, means, ITEM, patches[4])
    assert full == pytest.approx(wanted[4] + clean, abs=1e-5)


@pytest.fixture(scope="module", params=["llama", "ministral3", "gemma2"])
def smooth(request, architectures):
    """Models without experts, whose choice jumps."""
    return load_decoder(settings_of(architectures[request.param]))


def test_a_slope_is_the_difference_of_two_near_steps(smooth):
    means, metric = means_of(smooth), Metric(smooth, "log_odds", GROUPS)
    common, half = (smooth, metric, means, ITEM), 0.002
    places = [(1, (2, 3)), (2, (5,)), (0, (1, 8))]
    middle = [Patch(*place, 0.3) for place in places]
    near = [
        Patch(*place, step) for place in places for step in (0.3 - half, 0.3 + half)
    ]
    values, _ = exact_changes(*common, near, 1.0)
    differences = [
        (after - before) / (2 * half)
        for before, after in zip(values[::2], values[1::2], strict=True)
    ]
    found = slopes(*common, middle, 1.0)
    assert found == pytest.approx(differences, rel=0.05, abs=5e-3)
    assert max(map(abs, found)) > 0.02


def test_the_mean_slope_of_the_path_is_the_exact_change(smooth):
    means, metric = means_of(smooth), Metric(smooth, "log_odds", GROUPS)
    common, points = (smooth, metric, means, ITEM), 200
    path = [Patch(1, (4, 5), (k + 0.5) / points) for k in range(points)]
    (change,), _ = exact_changes(*common, [Patch(1, (4, 5))], 1.0)
    mean = sum(slopes(*common, path, 1.0)) / points
    assert mean == pytest.approx(change, rel=0.03, abs=3e-3)


def test_short_passes_join_long_ones_only_if_that_is_cheaper():
    cells = [Patch(1, (token,)) for token in (0, 10, 50, 90)] + [Patch(2, (0,))]
    alone = _groups_of_similar_length(cells, 100, 0.0)
    assert [[cell.token for cell in group] for group in alone] == [
        [0],
        [10],
        [50],
        [90],
        [0],
    ]
    some = _groups_of_similar_length(cells, 100, 50.0)
    assert [[cell.token for cell in group] for group in some] == [
        [0, 10],
        [50, 90],
        [0],
    ]
    joined = _groups_of_similar_length(cells, 100, 1e9)
    assert [len(group) for group in joined] == [4, 1]
