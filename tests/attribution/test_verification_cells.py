"""The draw of cells to patch exactly: their number, their cost, their spread."""

from dataclasses import replace

import polars as pl
import pytest

from attribution.agreement import CELLS
from attribution.patching import cost_of
from attribution.verification_cells import (
    LAYERS,
    Costs,
    cells_to_patch,
    sampled_cells,
)
from doubletake.stats.verification import Verification

COSTS = Costs(used=2, other=11)
TURNS = pl.DataFrame(
    {
        "trace": [f"{k}/0" for k in range(300)],
        "event": [k % 7 for k in range(300)],
        "position": [60 + k % 50 for k in range(300)],
    }
)
SETTINGS = Verification(share=0.1, minimum=3, seed=0)


def cost(samples, n_layers: int) -> int:
    """Tokens times layers of a draw, counted again."""
    lengths = {(t, e): p + 1 for t, e, p in TURNS.iter_rows()}
    total = 0
    for name, sample in samples.items():
        whole = lengths[name] * n_layers
        total += whole * (1 + COSTS.other * sample.other_method + len(sample.full_pass))
        total += sum(cost_of(cell, lengths[name], n_layers) for cell in sample.cells)
    return total


@pytest.mark.parametrize("components", [["resid"], ["resid", "attn_out", "mlp_out"]])
@pytest.mark.parametrize("n_layers", [1, 5, 30])
def test_the_share_is_kept_and_used(n_layers, components):
    samples = cells_to_patch(TURNS, n_layers, components, COSTS, SETTINGS)
    work = (TURNS["position"] + 1).sum() * n_layers * COSTS.used
    spent = cost(samples, n_layers)
    assert 0.05 * work < spent <= 0.1 * work
    assert len(samples) > 1


def test_the_minimum_is_kept_where_the_share_pays_for_less():
    few = Verification(share=1e-9, minimum=10, seed=0)
    samples = cells_to_patch(TURNS, 30, ["resid"], COSTS, few)
    assert sum(len(sample.cells) for sample in samples.values()) == 10 * CELLS
    assert len(samples) == 3


def test_every_fourth_decision_has_the_other_method():
    samples = cells_to_patch(TURNS, 5, ["resid"], COSTS, replace(SETTINGS, share=0.5))
    assert len(samples) > 8
    other = [sample.other_method for sample in samples.values()]
    assert other == [number % 4 == 3 for number in range(len(other))]


def test_seed_and_names_alone_decide():
    drawn = cells_to_patch(TURNS, 5, ["resid"], COSTS, SETTINGS)
    assert drawn == cells_to_patch(TURNS.reverse(), 5, ["resid"], COSTS, SETTINGS)
    other = replace(SETTINGS, seed=1)
    assert drawn != cells_to_patch(TURNS, 5, ["resid"], COSTS, other)


def test_all_layers_are_drawn_alike_though_a_decision_has_a_few():
    samples = cells_to_patch(TURNS, 30, ["resid"], COSTS, replace(SETTINGS, share=1.0))
    whole = list(samples.values())[:-1]  # the last one may be cut short
    layers = [{cell.layer for cell in sample.cells} for sample in whole]
    assert all(len(drawn) <= LAYERS for drawn in layers)
    assert set.union(*layers[:8]) == set(range(30))
    assert sum(map(len, layers[:8])) == 30


def test_one_cell_of_each_component_is_patched_by_a_full_pass_too():
    components = ["resid", "attn_out", "mlp_out"]
    samples = cells_to_patch(TURNS, 5, components, COSTS, SETTINGS)
    cells = [cell for sample in samples.values() for cell in sample.full_pass]
    assert sorted(cell.component for cell in cells) == sorted(components)


def test_cells_are_drawn_from_the_tokens_before_the_position():
    cells = sampled_cells(("a/0", 0), 6, "resid", 1, 0)
    assert [cell.token for cell in cells] == [0, 1, 2, 3, 4]
    long = sampled_cells(("a/0", 0), 60, "resid", 1, 0)
    assert len({cell.token for cell in long}) == CELLS
    assert long == sampled_cells(("a/0", 0), 60, "resid", 1, 0)
    assert long != sampled_cells(("a/0", 0), 60, "resid", 2, 0)


def test_a_first_token_has_nothing_before_it():
    first = pl.DataFrame({"trace": ["a"], "event": [0], "position": [0]})
    assert cells_to_patch(first, 5, ["resid"], COSTS, SETTINGS) == {}
