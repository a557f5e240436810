"""Directions on disk: equal content, equal bytes; damage is noticed."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from doubletake.running.errors import InputError
from probing.reading import read_directions, write_tensors

TENSORS = {
    "x": np.arange(12, dtype=np.float32).reshape(3, 4),
    "x.gap": np.arange(3, dtype=np.float32),
}
METADATA = {"source": "m", "revision": "", "dtype": "float32", "n_layers": "2"}


def test_equal_content_gives_equal_bytes(tmp_path):
    for name in range(8):
        write_tensors(TENSORS, METADATA, tmp_path / str(name))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_what_is_written_is_read(tmp_path):
    write_tensors(TENSORS, METADATA, tmp_path / "d")
    directions = read_directions(tmp_path / "d", {"source": "m"})
    assert np.array_equal(directions.vectors["x"], TENSORS["x"])
    assert np.array_equal(directions.mean_gaps["x"], TENSORS["x.gap"])
    assert np.array_equal(load_file(tmp_path / "d")["x"], TENSORS["x"])


def test_every_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / "d"
    write_tensors(TENSORS, METADATA, path)
    whole = path.read_bytes()
    for index in range(len(whole)):
        flipped = bytearray(whole)
        flipped[index] ^= 1 << index % 8
        path.write_bytes(flipped)
        with pytest.raises(InputError, match="d is damaged"):
            read_directions(path, {"source": "m"})
