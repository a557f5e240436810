"""Shards divide all rows of a table, without gaps."""

import polars as pl
import pytest

from doubletake.study.shards import indices_of_shard, rows_of_shard, shard_names


@pytest.mark.parametrize("count", [1, 3, 7])
@pytest.mark.parametrize("height", [0, 2, 20])
def test_every_index_belongs_to_one_shard(count, height):
    parts = [list(indices_of_shard(height, name)) for name in shard_names(count)]
    assert sorted(index for part in parts for index in part) == list(range(height))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("height", [0, 2, 20])
def test_rows_are_those_at_the_indices_of_the_shard(height):
    table = pl.DataFrame({"row": range(height)}, schema={"row": pl.Int64})
    for name in shard_names(3):
        found = rows_of_shard(table, name)
        assert found["row"].to_list() == list(indices_of_shard(height, name))
        assert found.schema == table.schema


def test_the_second_of_three_takes_every_third_item_from_the_second_on():
    assert list(indices_of_shard(9, "2-of-3")) == [1, 4, 7]
