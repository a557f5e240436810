"""Files of found or labelled events."""

import json

import polars as pl
import pytest

from detector.marked_events import Mark, read_marks
from doubletake.running.errors import InputError

MARKED = {
    "id": "a",
    "arrivals": [{"end": 7, "value": "8"}],
    "backtracks": [{"start": 0, "cue": "It"}],
}


@pytest.fixture
def write(tmp_path):
    def write_rows(*rows) -> str:
        path = tmp_path / "rows.jsonl"
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("\n".join(lines))
        return str(path)

    return write_rows


@pytest.mark.parametrize(
    ("written", "value"),
    [("1,200", "1200"), (8.0, "8"), (8, "8"), ("25%", "25"), ("7:30", "7:30")],
)
def test_values_are_canonical(write, written, value):
    row = MARKED | {"arrivals": [{"end": 7, "value": written}]}
    (trace,) = read_marks(write(row))
    assert trace.arrivals == (Mark(7, value),)
    assert trace.backtracks == (Mark(0, cue="It"),)
    assert trace.model == "unknown"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arrivals": None}, "line 2: no 'arrivals'"),
        ({"arrivals": 3}, "line 2: 'arrivals' is not a list of objects"),
        ({"backtracks": [4]}, "line 2: 'backtracks' is not a list of objects"),
        ({"arrivals": [{"end": 7}]}, r"arrivals\[0\]: 'value' is None, neither text"),
        ({"arrivals": [{"value": "8"}]}, r"arrivals\[0\]: 'end' is None, not a char"),
        ({"backtracks": [{"start": -1}]}, r"backtracks\[0\]: 'start' is -1"),
        ({"backtracks": [{"start": True}]}, r"backtracks\[0\]: 'start' is True"),
        ({"model": 0}, "line 2: 'model' is 0, not a text"),
        ({"backtracks": [{"start": 0, "cue": 0}]}, "'cue' is 0, not a text"),
        ({"thought": "It"}, r"'end' is 7, but the thought ends at 2"),
        ({"id": "a"}, "line 2: a second row with the id 'a'"),
    ],
)
def test_a_bad_label_is_named_with_its_line(write, change, message):
    with pytest.raises(InputError, match=message):
        read_marks(write(MARKED, MARKED | {"id": "b"} | change))


def test_a_file_without_rows_is_named(write, tmp_path):
    with pytest.raises(InputError, match="holds no trace"):
        read_marks(write())
    with pytest.raises(InputError, match="cannot read"):
        read_marks(tmp_path / "gone.jsonl")


def test_rows_may_come_as_parquet(tmp_path):
    path = tmp_path / "rows.parquet"
    pl.DataFrame([MARKED | {"thought": "It is 8."}]).write_parquet(path)
    (trace,) = read_marks(path)
    assert trace.arrivals == (Mark(7, "8"),)
