"""Cosines of directions, beside shuffled labels."""

import numpy as np
import pytest
import torch
from tiny_directions import tiny_directions

from directions.direction_cosines import cosine_rows
from directions.tables import DIRECTION_COSINES
from doubletake.model.loading import load_decoder
from doubletake.study.settings import ModelSettings


def test_cosines(model: ModelSettings) -> None:
    """Against plain products, at every boundary and pair of directions."""
    directions = tiny_directions(load_decoder(model), ["ward", "probe", "seal"])
    table = DIRECTION_COSINES.frame(cosine_rows(directions))
    assert table.height == 3 * 4
    row = table.filter(first="ward", second="seal", boundary=2).to_dicts()[0]
    one, other = (directions.vectors[name][2] for name in ("ward", "seal"))
    assert row["cosine"] == pytest.approx(float(one @ other), abs=1e-6)
    sizes = [
        abs(float(torch.dot(a[2], b[2])))
        for a in directions.shuffled["ward"]
        for b in directions.shuffled["seal"]
    ]
    assert row["shuffled"] == pytest.approx(np.mean(sizes), abs=1e-6)
    assert row["shuffled_highest"] == pytest.approx(max(sizes), abs=1e-6)
