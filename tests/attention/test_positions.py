"""Which positions of a trace attention is read at."""

import polars as pl
import pytest

from attention.positions import items_of, wanted
from doubletake.running.errors import InputError
from events.tables import EVENTS


def test_selected_backtracks_and_controls_are_wanted_by_place():
    rows = [
        {"event": event, "kind": kind, "position": at, "selected": selected}
        for event, (kind, at, selected) in enumerate(
            [
                ("backtrack", 10, True),
                ("control", 4, True),
                ("control", 5, False),
                ("wrap_up", 15, True),
                ("backtrack", 20, False),
            ]
        )
    ]
    assert [found.event for found in wanted(rows)] == [1, 0]
    assert wanted([]) == []


def test_a_position_beyond_its_trace_is_refused_by_name():
    traces = pl.DataFrame(
        {"trace": ["a/0"], "prompt_ids": [[1, 2]], "completion_ids": [[3, 4, 5]]}
    )
    turn = {"trace": "a/0", "event": 0, "kind": "backtrack", "selected": True}
    turns = pl.DataFrame([turn | {"position": 5}])
    with pytest.raises(InputError, match="position 5 lies beyond trace a/0 of 5"):
        items_of(traces, EVENTS.frame([]), turns)
