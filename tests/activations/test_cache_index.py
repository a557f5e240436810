"""Which positions the cache holds, and in which row of which shard."""

import polars as pl
import pytest
from tiny_matches import pair_rows

from activations.cache_index import (
    cached_positions,
    index_of,
    without_unmatched_controls,
)
from doubletake.running.errors import InputError
from events.tables import EVENTS
from matches.tables import MATCHES


def event(kind: str, token: int, number: int = 0) -> dict:
    empty = dict.fromkeys(("value", "is_gold", "is_final", "cue", "cue_kind"))
    numbers = {"ordinal": 1, "start": 0, "end": 1}
    return {"trace": "0/0", "event": number, "kind": kind, "token": token} | (
        numbers | empty
    )


def test_position_of_each_kind_of_event():
    events = EVENTS.frame(
        [
            event("arrival", 7, 0),
            event("backtrack", 9, 1),
            event("control", 12, 2),
            event("wrap_up", 15, 3),
        ]
    )
    assert cached_positions(events)["token"].to_list() == [7, 8, 11, 14]


def test_of_the_controls_only_members_of_a_pair_are_cached():
    kinds = ["arrival", "control", "backtrack", "control", "wrap_up", "backtrack"]
    events = EVENTS.frame([event(kind, 9 + k, k) for k, kind in enumerate(kinds)])
    pair = (("0/0", 2, 10), ("0/0", 3, 11))
    elsewhere = (("0/0", 5, 13), ("1/0", 1, 9))
    matches = MATCHES.frame(pair_rows("backtrack_control", [pair, elsewhere]))
    kept = without_unmatched_controls(events, matches)
    assert kept["event"].to_list() == [0, 2, 3, 4, 5]


def test_sentence_that_begins_the_sequence_has_no_position():
    events = EVENTS.frame([event("control", 0, 0), event("arrival", 0, 1)])
    assert cached_positions(events)["event"].to_list() == [1]


TRACES = pl.DataFrame(
    {"trace": ["1/0", "0/0"], "prompt_ids": [[1]] * 2, "completion_ids": [[2] * 9] * 2}
)


def test_index_follows_the_traces_of_the_shard_then_the_events():
    other = event("control", 9, 2) | {"trace": "1/0"}
    rows = [other, event("backtrack", 4, 1), event("arrival", 5, 0)]
    index = index_of(TRACES, TRACES, EVENTS.frame(rows), "1-of-1")
    assert index.select("row", "trace", "event", "token").rows() == [
        (0, "1/0", 2, 8),
        (1, "0/0", 0, 5),
        (2, "0/0", 1, 3),
    ]
    second = index_of(TRACES, TRACES[1:], EVENTS.frame(rows), "2-of-2")
    assert second.select("row", "shard", "event").rows() == [
        (0, "2-of-2", 0),
        (1, "2-of-2", 1),
    ]


def test_event_of_an_unknown_trace_is_refused():
    events = EVENTS.frame([event("arrival", 3)])
    with pytest.raises(InputError, match="trace 0/0 is not in the traces table"):
        index_of(TRACES[:1], TRACES[:1], events, "1-of-1")


def test_event_beyond_its_trace_is_refused():
    events = EVENTS.frame([event("arrival", 10)])
    with pytest.raises(InputError, match="event 0 lies at token 10, beyond trace 0/0"):
        index_of(TRACES, TRACES, events, "1-of-1")
