"""Shards part a table or a range, and none is left out."""

import polars as pl
import pytest

from doubletake.study.shards import indices_of_shard, rows_of_shard, shard_names


@pytest.mark.parametrize("count", [1, 3, 7])
@pytest.mark.parametrize("height", [0, 2, 20])
def test_shards_part_the_places(count, height):
    parts = [list(indices_of_shard(height, name)) for name in shard_names(count)]
    assert sorted(place for part in parts for place in part) == list(range(height))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("height", [0, 2, 20])
def test_rows_are_those_at_the_shards_places(height):
    table = pl.DataFrame({"row": range(height)}, schema={"row": pl.Int64})
    for name in shard_names(3):
        found = rows_of_shard(table, name)
        assert found["row"].to_list() == list(indices_of_shard(height, name))
        assert found.schema == table.schema


def test_the_second_of_three_takes_every_third_item_from_the_second_on():
    assert list(indices_of_shard(9, "2-of-3")) == [1, 4, 7]
