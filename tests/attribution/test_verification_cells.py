"""The draw of cells to patch exactly: their number, their cost, their spread."""

from dataclasses import replace

import polars as pl
import pytest

from attribution.agreement import CELLS
from attribution.verification_cells import (
    Costs,
    cells_to_patch,
    layer_of,
    positions_in_turn,
    sampled_cells,
)
from doubletake.model.patching import cost_of
from doubletake.stats.verification import Verification

COSTS = Costs(used=2, other=11)
TURNS = pl.DataFrame(
    {
        "trace": [f"{k}/0" for k in range(300)],
        "problem": [f"{k % 60}" for k in range(300)],
        "event": [k % 7 for k in range(300)],
        "position": [60 + k % 50 for k in range(300)],
    }
)
SETTINGS = Verification(share=0.1, minimum=3, seed=0)
PROBLEMS = dict(TURNS.select("trace", "problem").iter_rows())
LEAST = 10


def draw(turns, n_layers, components=("resid",), settings=SETTINGS, least=LEAST):
    return cells_to_patch(turns, n_layers, list(components), COSTS, settings, least)


def problems_of(samples) -> list[str]:
    return [PROBLEMS[trace] for trace, _ in samples]


def cost(samples, n_layers: int) -> int:
    """Tokens times layers of a draw, counted again."""
    rows = TURNS.select("trace", "event", "position").iter_rows()
    lengths = {(t, e): p + 1 for t, e, p in rows}
    total = 0
    for name, sample in samples.items():
        whole = lengths[name] * n_layers
        total += whole * (1 + COSTS.other * sample.other_method + len(sample.full_pass))
        total += sum(cost_of(cell, lengths[name], n_layers) for cell in sample.cells)
    return total


@pytest.mark.parametrize("components", [["resid"], ["resid", "attn_out", "mlp_out"]])
@pytest.mark.parametrize("n_layers", [1, 5, 30])
def test_the_share_is_kept_and_used(n_layers, components):
    samples = draw(TURNS, n_layers, components, least=2)
    work = (TURNS["position"] + 1).sum() * n_layers * COSTS.used
    spent = cost(samples, n_layers)
    assert 0.05 * work < spent <= 0.1 * work
    assert len(samples) > 1


@pytest.mark.parametrize("components", [["resid"], ["resid", "attn_out", "mlp_out"]])
def test_as_many_problems_as_an_interval_needs_are_covered_above_the_share(components):
    poor = replace(SETTINGS, share=1e-9)
    samples = draw(TURNS, 9, components, poor)
    assert len(set(problems_of(samples))) == len(samples) == LEAST
    each = {component for sample in samples.values() for component, *_ in sample.cells}
    assert each == set(components)
    cells = sum(len(sample.cells) for sample in samples.values())
    assert cells == LEAST * len(components) * CELLS


def test_a_study_of_fewer_problems_spends_no_more_than_its_share():
    few = TURNS.filter(pl.col("problem").cast(pl.Int64) < LEAST - 1)
    samples = draw(few, 9, settings=replace(SETTINGS, share=1e-9))
    assert len(samples) == SETTINGS.minimum
    enough = TURNS.filter(pl.col("problem").cast(pl.Int64) < LEAST)
    samples = draw(enough, 9, settings=replace(SETTINGS, share=1e-9))
    assert len(set(problems_of(samples))) == LEAST


def test_no_problem_has_a_second_position_before_all_have_one():
    samples = draw(TURNS, 5, settings=replace(SETTINGS, share=1.0))
    problems = problems_of(samples)
    assert len(problems) > 65
    assert len(set(problems[:60])) == 60
    order = [PROBLEMS[str(trace)] for trace, _ in positions_in_turn(TURNS, 0)]
    assert all(len(set(order[k : k + 60])) == 60 for k in range(0, 300, 60))


def test_the_minimum_is_kept_where_the_share_pays_for_less():
    few = Verification(share=1e-9, minimum=12, seed=0)
    samples = draw(TURNS, 30, settings=few)
    assert sum(len(sample.cells) for sample in samples.values()) == 12 * CELLS
    assert len(samples) == 12


def test_every_fourth_decision_has_the_other_method():
    samples = draw(TURNS, 5, settings=replace(SETTINGS, share=0.5))
    assert len(samples) > 8
    other = [sample.other_method for sample in samples.values()]
    assert other == [number % 4 == 3 for number in range(len(other))]


def test_seed_and_names_alone_decide():
    drawn = draw(TURNS, 5)
    assert drawn == draw(TURNS.reverse(), 5)
    assert drawn != draw(TURNS, 5, settings=replace(SETTINGS, seed=1))


@pytest.mark.parametrize("n_layers", [5, 9, 28, 32])
@pytest.mark.parametrize("every", [1, 4])
def test_the_first_layers_drawn_are_spread_evenly(n_layers, every):
    """Of all positions, and of those that both methods score."""
    for count in (8, 16, 40):
        numbers = range(every - 1, every * count, every)
        layers = [layer_of(number, n_layers) for number in numbers]
        for third in range(3):
            low, high = third * n_layers / 3, (third + 1) * n_layers / 3
            share = sum(low <= layer + 0.5 < high for layer in layers) / count
            inside = sum(low <= layer + 0.5 < high for layer in range(n_layers))
            assert share == pytest.approx(inside / n_layers, abs=0.2)
    samples = draw(TURNS, n_layers)
    found = [{cell.layer for cell in sample.cells} for sample in samples.values()]
    assert found == [{layer_of(number, n_layers)} for number in range(len(samples))]


def test_one_cell_of_each_component_is_patched_by_a_full_pass_too():
    components = ["resid", "attn_out", "mlp_out"]
    samples = draw(TURNS, 5, components)
    cells = [cell for sample in samples.values() for cell in sample.full_pass]
    assert sorted(cell.component for cell in cells) == sorted(components)
    # Not in layer 0: there, a patched pass starts where a full pass starts too.
    assert {cell.layer for cell in cells} == {2}


def test_cells_are_drawn_from_the_tokens_before_the_position():
    cells = sampled_cells(("a/0", 0), 6, "resid", 1, 0)
    assert [cell.token for cell in cells] == [0, 1, 2, 3, 4]
    long = sampled_cells(("a/0", 0), 60, "resid", 1, 0)
    assert len({cell.token for cell in long}) == CELLS
    assert long == sampled_cells(("a/0", 0), 60, "resid", 1, 0)
    assert long != sampled_cells(("a/0", 0), 60, "resid", 2, 0)


def test_a_first_token_has_nothing_before_it():
    first = pl.DataFrame({"trace": ["a"], "event": [0], "position": [0]})
    assert draw(first.with_columns(problem=pl.lit("a")), 5) == {}
