"""Small tensors on disk: equal content, equal bytes; damage is noticed."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from doubletake.running.errors import InputError
from doubletake.tensors.sealed_tensors import read_tensors, write_tensors

TENSORS = {
    "b": np.arange(3, dtype=np.float64),
    "a": np.arange(12, dtype=np.float32).reshape(3, 4),
}
METADATA = {"source": "m", "revision": ""}


def test_equal_content_gives_equal_bytes(tmp_path):
    for name in range(8):
        write_tensors(TENSORS, METADATA, tmp_path / str(name))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_what_is_written_is_read(tmp_path):
    write_tensors(TENSORS, METADATA, tmp_path / "d")
    tensors, metadata = read_tensors(tmp_path / "d")
    assert metadata == METADATA
    assert list(tensors) == ["a", "b"]
    for name, values in tensors.items():
        assert np.array_equal(values, TENSORS[name])
        assert np.array_equal(load_file(tmp_path / "d")[name], values)


def test_every_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / "d"
    write_tensors(TENSORS, METADATA, path)
    whole = path.read_bytes()
    for index in range(len(whole)):
        flipped = bytearray(whole)
        flipped[index] ^= 1 << index % 8
        path.write_bytes(flipped)
        with pytest.raises(InputError, match="d is damaged"):
            read_tensors(path)
