"""The grid of the screening, published settings, and vectors of cells."""

import dataclasses

import pytest
import torch
from tiny_directions import tiny_directions
from tiny_steering import GRID, SETTINGS

from doubletake.model.loading import load_decoder
from steering.cells import Cell, boundaries_of, by_turns, screening_cells
from steering.ladder import Chosen, ladder_cells, steered_cells
from steering.vectors import Vectors


@pytest.fixture(scope="module")
def decoder(model):
    return load_decoder(model)


@pytest.fixture(scope="module")
def directions(decoder):
    return tiny_directions(decoder, names=("venhoff", "wrap_up", "ward"), draws=3)


def test_boundaries_are_shares_of_the_depth():
    assert boundaries_of([0.25, 0.5, 0.75], 9) == [2, 4, 7]
    assert boundaries_of([0, 1, 1.0], 28) == [0, 28]


def test_the_grid_has_every_cell_once(directions):
    cells = screening_cells(directions, [("unit_0_5", 1)], GRID, 3)
    assert len({cell.name for cell in cells}) == len(cells)
    count = {}
    for cell in cells:
        key = cell.setting, cell.source
        count[key] = count.get(key, 0) + 1
    per_place = 2 * 2 * 2  # positions, strengths, signs
    assert count == {
        ("grid", "none"): 1,
        # Two directions at two boundaries and a value vector; seal is absent.
        ("grid", "direction"): 5 * per_place,
        ("grid", "shuffled"): 4 * per_place / 2,  # the largest strength only
        ("grid", "random"): 3 * 2 * per_place / 2,  # one sign; boundaries 1 and 2
        ("grid", "within"): 2 * per_place / 2,
        ("published", "direction"): 4,
    }


def test_a_direction_of_zeros_has_no_cell(directions):
    vectors = dict(directions.vectors)
    vectors["venhoff"] = vectors["venhoff"].clone()
    vectors["venhoff"][1] = 0
    changed = dataclasses.replace(directions, vectors=vectors)
    cells = screening_cells(changed, [], GRID, 1)
    assert {
        c.boundary for c in cells if c.direction == "venhoff" and c.setting == "grid"
    } == {2}


def test_published_strengths_follow_from_the_lengths(directions):
    cells = screening_cells(directions, [], GRID, 1)
    found = {
        (cell.direction, round(cell.strength, 6)): (cell.boundary, cell.positions)
        for cell in cells
        if cell.setting == "published"
    }
    # Differences have the length 1, means 2, residual norms 3.
    assert found == {
        ("ward", -4.0): (1, "every"),
        ("ward", 4.0): (1, "every"),
        ("venhoff", round(-2 / 3, 6)): (1, "every"),
        ("venhoff", round(2 / 3, 6)): (1, "every"),
    }


def test_draws_take_turns_and_directions_have_none():
    control = Cell("shuffled", "venhoff", 1, "every", 0.5)
    assert [by_turns(control, k, 3).draw for k in range(5)] == [0, 1, 2, 0, 1]
    assert by_turns(Cell("direction", "venhoff", 1, "every", 0.5), 4, 3).draw == 0


def test_what_is_added_has_the_length_and_the_direction(decoder, directions):
    vectors = Vectors(decoder, directions, seed=0)
    cell = Cell("direction", "wrap_up", 2, "every", -0.5)
    (made,) = vectors.interventions(cell)
    assert (made.layer, made.part, made.positions.kind) == (2, "resid", "every")
    assert torch.allclose(made.added, -0.5 * 3 * directions.vectors["wrap_up"][2])
    assert vectors.interventions(Cell("none")) == ()
    shuffled = dataclasses.replace(cell, source="shuffled", draw=2)
    assert torch.equal(vectors.unit(shuffled), directions.shuffled["wrap_up"][2, 2])
    within = vectors.unit(Cell("within", None, 2, "every", 0.5, draw=1))
    basis = directions.components[2]
    assert torch.allclose(within @ basis.T @ basis, within, atol=1e-5)
    value = vectors.unit(Cell("direction", "unit_1_7", 2, "every", 0.5))
    weight = decoder.mlp_down(1).weight[:, 7]
    assert torch.allclose(value, weight / weight.norm())
    for unit in (within, value, vectors.unit(Cell("random", None, 2, "every", 1.0))):
        assert float(unit.norm()) == pytest.approx(1, abs=1e-5)


def test_more_draws_begin_with_the_same(decoder, directions):
    vectors = Vectors(decoder, directions, seed=0)
    cells = [Cell("random", None, 1, "every", 1.0, draw=k) for k in range(30)]
    first = vectors.unit(cells[2]).clone()
    assert not torch.allclose(vectors.unit(cells[29]), first)
    assert torch.equal(vectors.unit(cells[2]), first)


def test_the_ladder_has_all_strengths_and_draws(decoder, directions):
    chosen = Chosen("wrap_up", 2, "every", 0.5)
    cells = steered_cells(chosen, SETTINGS.steps)
    # Away from wrapping up is toward turning back.
    assert [cell.strength for cell in cells] == [0.0, 0.5, 0.25, -0.25, -0.5]
    vectors = Vectors(decoder, directions, seed=0)
    every = ladder_cells(chosen, SETTINGS, vectors)
    assert len({cell.name for cell in every}) == len(every)
    sources = [cell.source for cell in every]
    assert {name: sources.count(name) for name in set(sources)} == {
        "none": 1,
        "direction": 4,
        "random": 4 * 2,
        "within": 2 * 2,
        "shuffled": 2 * 4,
    }
