"""Cases of the contrasts, and the features of their position and depth."""

import polars as pl

from doubletake.stats.contrasts import (
    CONTRAST_BY_NAME,
    CONTRASTS,
    ClassCounts,
    cases_of,
    depth_features,
)
from events.tables import EVENTS
from turns.tables import TURNS

TRACES = pl.DataFrame(
    {
        "trace": ["a/0", "b/0"],
        "problem": ["a", "b"],
        "prompt_ids": [[0] * 10, [0] * 4],
    }
)


def event(trace, number, kind, token, gold=None):
    empty = dict.fromkeys(("value", "is_final", "cue", "cue_kind"))
    span = {"ordinal": 1, "start": 0, "end": 1}
    row = {"trace": trace, "event": number, "kind": kind, "token": token}
    return row | span | empty | {"is_gold": gold}


def turn(trace, number, kind, position, selected=True):
    row = {"trace": trace, "problem": trace[0], "event": number, "kind": kind}
    row |= {"ordinal": 1, "position": position, "next_id": 1, "logprob": -1.0}
    row |= {"predicted_id": 1, "predicted_text": "x", "is_word": True}
    return row | {"selected": selected}


EVENT_TABLE = EVENTS.frame(
    [
        event("a/0", 0, "control", 14),
        event("a/0", 1, "arrival", 20, True),
        event("a/0", 2, "backtrack", 25),
        event("a/0", 3, "arrival", 31, False),
        event("a/0", 4, "backtrack", 33),
        event("b/0", 0, "arrival", 9, True),
        event("b/0", 1, "wrap_up", 12),
    ]
)
TURN_TABLE = TURNS.frame(
    [
        turn("a/0", 0, "control", 13),
        turn("a/0", 2, "backtrack", 24),
        turn("a/0", 4, "backtrack", 32, selected=False),
        turn("b/0", 1, "wrap_up", 11),
    ]
)


def cases(name):
    return cases_of(CONTRAST_BY_NAME[name], TURN_TABLE, EVENT_TABLE, TRACES)


def test_only_selected_turns_are_cases():
    found = cases("backtrack_control")
    assert found.rows() == [("a/0", 0, "a", 13, False), ("a/0", 2, "a", 24, True)]


def test_arrivals_are_right_or_wrong():
    found = cases("right_arrival")
    assert found["label"].to_list() == [True, False, True]
    assert found["position"].to_list() == [20, 31, 9]
    assert found["problem"].to_list() == ["a", "a", "b"]


def test_depth_features_count_what_came_before():
    """Position, depth, tokens since the last arrival, arrivals before."""
    turns = depth_features(cases("backtrack_wrap_up"), EVENT_TABLE, TRACES)
    assert turns.tolist() == [[24, 14, 4, 1], [11, 7, 2, 1]]
    control = depth_features(cases("backtrack_control"), EVENT_TABLE, TRACES)
    assert control[0].tolist() == [13, 3, 3, 0]  # no arrival yet: since the start
    arrivals = depth_features(cases("right_arrival"), EVENT_TABLE, TRACES)
    assert arrivals.tolist() == [[20, 10, 10, 0], [31, 21, 11, 1], [9, 5, 5, 0]]


def test_depth_features_do_not_know_what_comes_after():
    turn_case = cases("backtrack_control").filter(event=2)
    whole = depth_features(turn_case, EVENT_TABLE, TRACES)
    before = EVENT_TABLE.filter(pl.col("event") <= 2)
    assert (depth_features(turn_case, before, TRACES) == whole).all()


def test_too_few_problems_are_named():
    counts = ClassCounts.of(cases("right_arrival"))
    assert (counts.positives, counts.negatives) == (2, 1)
    reason = counts.why_too_few(CONTRAST_BY_NAME["right_arrival"], 2)
    assert reason is not None
    assert "1 problem(s) with a wrong arrival, fewer than 2 folds" in reason
    assert counts.why_too_few(CONTRAST_BY_NAME["right_arrival"], 1) is None


def test_names_of_contrasts_differ():
    assert len(CONTRAST_BY_NAME) == len(CONTRASTS) == 4
