"""Thoughts by their length."""

import polars as pl
import pytest

from length.measure import by_length
from length.tables import LENGTH


@pytest.mark.parametrize(("parts", "accuracy"), [(1, [0.5]), (2, [1.0, 0.0])])
def test_parts_go_from_short_to_long(parts, accuracy):
    rows = {"trace": ["a", "b"], "completion_ids": [[1, 2], [1]]}
    traces = pl.DataFrame(rows | {"correct": [False, True]})
    assert by_length(traces, parts)["accuracy"].to_list() == accuracy


def test_no_thought_gives_an_empty_table():
    schema = {"trace": pl.String, "completion_ids": pl.List(pl.Int32)}
    traces = pl.DataFrame(schema=schema | {"correct": pl.Boolean})
    assert LENGTH.check(by_length(traces, 4)).is_empty()
