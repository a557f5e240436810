"""The file of directions: read as written, of one model only; random vectors."""

from pathlib import Path

import pytest
import torch
from tiny_directions import tiny_directions, write_tiny_directions

from directions.reading import problems_to_test, read_directions
from directions.tables import DIRECTION_UNITS, DIRECTIONS
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings


def test_directions_are_read_as_written(tmp_path: Path, model: ModelSettings) -> None:
    """All tensors survive; an absent direction has a reason and no vector."""
    decoder = load_decoder(model)
    problems = [f"p{k}" for k in range(6)]
    names = ["ward", "probe"]
    paths = write_tiny_directions(tmp_path, decoder, problems, names, "no arrival")
    written = tiny_directions(decoder, names)
    read = read_directions(paths["vectors"], model_name(model))
    assert sorted(read.vectors) == sorted(names)
    for name in names:
        for group in ("vectors", "norms", "shuffled", "shuffled_norms"):
            assert torch.equal(
                getattr(read, group)[name], getattr(written, group)[name]
            )
    assert torch.equal(read.components, written.components)
    assert torch.equal(read.residual_norms, written.residual_norms)
    absent = DIRECTIONS.read(paths["directions"]).filter(direction="arrivals")
    assert set(absent["why_not"]) == {"no arrival"}
    assert absent["norm"].null_count() == absent.height == decoder.n_layers + 1
    assert problems_to_test(paths["problems"]) == {"p1", "p3", "p5"}
    assert DIRECTION_UNITS.read(paths["units"]).height == 4


def test_directions_of_another_model_are_refused(
    tmp_path: Path, model: ModelSettings
) -> None:
    """The message names both models."""
    paths = write_tiny_directions(tmp_path, load_decoder(model), ["a", "b"])
    with pytest.raises(InputError, match=r"of another model: .*'other@1'"):
        read_directions(paths["vectors"], "other@1")


def test_random_vectors(model: ModelSettings) -> None:
    """They are unit vectors, seeded, and lie in the components' span if asked."""
    directions = tiny_directions(load_decoder(model))
    for within in (False, True):
        drawn = directions.random(8, 3, within=within, layer=2)
        assert torch.allclose(drawn.norm(dim=-1), torch.ones(8))
        again = directions.random(4, 3, within=within, layer=2)
        assert torch.equal(drawn[:4], again)
        assert not torch.equal(again, directions.random(4, 4, within=within, layer=2))
        basis = directions.components[2]
        inside = (drawn @ basis.T @ basis).norm(dim=-1)
        assert torch.allclose(inside, torch.ones(8)) == within
