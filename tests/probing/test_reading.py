"""Directions on disk: what is written is read, from the same model only."""

import numpy as np
import pytest

from doubletake.running.errors import InputError
from doubletake.tensors.sealed_tensors import write_tensors
from probing.reading import read_directions

TENSORS = {
    "x": np.arange(12, dtype=np.float32).reshape(3, 4),
    "x.gap": np.arange(3, dtype=np.float32),
}
METADATA = {"source": "m", "revision": "", "dtype": "float32", "n_layers": "2"}


def test_what_is_written_is_read(tmp_path):
    write_tensors(TENSORS, METADATA, tmp_path / "d")
    directions = read_directions(tmp_path / "d", {"source": "m"})
    assert np.array_equal(directions.vectors["x"], TENSORS["x"])
    assert np.array_equal(directions.mean_gaps["x"], TENSORS["x.gap"])
    with pytest.raises(InputError, match="source is 'm' instead of 'n'"):
        read_directions(tmp_path / "d", {"source": "n"})
