"""A shard's file appears under its name only when it is complete."""

import pytest
import torch

from activations.reading import Origin
from activations.shard_format import ShardSizes
from activations.shard_writer import open_shard_writer

ORIGIN = Origin("some/model", "a" * 40, "bfloat16", "e" * 64)


def test_interrupted_writing_leaves_nothing(tmp_path):
    path = tmp_path / "1-of-1.safetensors"

    class Interruption(Exception):
        pass

    with (
        pytest.raises(Interruption),
        open_shard_writer(path, "1-of-1", ORIGIN, ShardSizes(2, 1, 4), torch.float32),
    ):
        raise Interruption
    assert list(tmp_path.iterdir()) == []


def test_file_with_unwritten_rows_never_gets_its_name(tmp_path):
    path = tmp_path / "1-of-1.safetensors"
    with (
        pytest.raises(ValueError, match="2 rows of resid were not written"),
        open_shard_writer(path, "1-of-1", ORIGIN, ShardSizes(2, 1, 4), torch.float32),
    ):
        pass
    assert not path.exists()
