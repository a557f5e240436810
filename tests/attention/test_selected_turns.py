"""The positions of a trace at which attention is read."""

import polars as pl
import pytest

from attention.selected_turns import selected_turns, traces_with_turns
from doubletake.running.errors import InputError
from events.tables import EVENTS


def test_selected_backtracks_and_controls_are_in_the_order_of_positions():
    rows = [
        {"event": event, "kind": kind, "position": position, "selected": selected}
        for event, (kind, position, selected) in enumerate(
            [
                ("backtrack", 10, True),
                ("control", 4, True),
                ("control", 5, False),
                ("wrap_up", 15, True),
                ("backtrack", 20, False),
            ]
        )
    ]
    assert [turn.event for turn in selected_turns(rows)] == [1, 0]
    assert selected_turns([]) == []


def test_a_position_beyond_its_trace_is_refused_by_name():
    traces = pl.DataFrame(
        {"trace": ["a/0"], "prompt_ids": [[1, 2]], "completion_ids": [[3, 4, 5]]}
    )
    turn = {"trace": "a/0", "event": 0, "kind": "backtrack", "selected": True}
    turns = pl.DataFrame([turn | {"position": 5}])
    with pytest.raises(InputError, match=r"position 5 .* trace a/0, which has 5"):
        traces_with_turns(traces, EVENTS.frame([]), turns)
