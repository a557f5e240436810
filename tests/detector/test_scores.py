"""Agreement of found events with labelled events."""

import pytest

from detector.marked_events import Mark, MarkedTrace
from detector.scores import (
    CONTEXT,
    compare,
    match_marks,
    metrics,
    mistake_rows,
    score_rows,
)
from doubletake.running.errors import InputError
from doubletake.stats.intervals import IntervalSettings, wilson_interval

INTERVALS = IntervalSettings(confidence=0.9, least_problems=3)


def arrival(character: int, value: str = "8") -> Mark:
    return Mark(character, value)


def trace(name="a", arrivals=(), backtracks=(), model="m") -> MarkedTrace:
    return MarkedTrace(name, model, tuple(arrivals), tuple(map(Mark, backtracks)))


@pytest.mark.parametrize(
    ("found", "labelled", "missed", "false_hits"),
    [
        ([], [], [], []),
        ([arrival(10)], [arrival(10)], [], []),
        ([arrival(13)], [arrival(10)], [], []),
        ([arrival(7)], [arrival(10)], [], []),
        ([arrival(14)], [arrival(10)], [arrival(10)], [arrival(14)]),
        ([arrival(10, "9")], [arrival(10)], [arrival(10)], [arrival(10, "9")]),
        # A label counts once.
        ([arrival(10), arrival(11)], [arrival(10)], [], [arrival(11)]),
        # The nearest label is taken, so both find theirs.
        ([arrival(12), arrival(10)], [arrival(10), arrival(13)], [], []),
        ([arrival(10)], [], [], [arrival(10)]),
        ([], [arrival(10)], [arrival(10)], []),
    ],
)
def test_marks_that_match(found, labelled, missed, false_hits):
    assert match_marks(found, labelled) == (tuple(missed), tuple(false_hits))


def test_scores_counted_by_hand():
    labelled = [
        trace("a", [arrival(10), arrival(50)], [20], "m"),
        trace("b", [arrival(10)], [20, 40], "n"),
    ]
    found = [
        trace("b", [arrival(10), arrival(30), arrival(60, "9")], [], "?"),
        trace("a", [arrival(11)], [20, 90], "?"),
        trace("not labelled", [arrival(1)], [2]),
    ]
    rows = score_rows(compare(found, labelled), INTERVALS)
    short = [
        (r["model"], r["kind"], r["traces"], r["labelled"], r["found"], r["hits"])
        for r in rows
    ]
    assert short == [
        (None, "arrival", 2, 3, 4, 2),
        (None, "backtrack", 2, 3, 2, 1),
        ("m", "arrival", 1, 2, 1, 1),
        ("m", "backtrack", 1, 1, 2, 1),
        ("n", "arrival", 1, 1, 3, 1),
        ("n", "backtrack", 1, 2, 0, 0),
    ]
    first, last = rows[0], rows[-1]
    assert first["precision"] == 2 / 4
    assert first["recall"] == 2 / 3
    assert first["f1"] == 4 / 7
    assert (last["precision"], last["recall"], last["f1"]) == (None, 0, 0)


def test_intervals_are_over_traces():
    """Several events of a trace that are right or wrong together count once."""
    labelled = [trace(f"{k}", [arrival(9 * j) for j in range(4)]) for k in range(12)]
    found = [*labelled[:6], *(trace(f"{k}") for k in range(6, 12))]
    row = score_rows(compare(found, labelled), INTERVALS)[0]
    assert row["recall"] == 0.5
    expected = wilson_interval(6, 12, 0.9)
    assert (row["recall_low"], row["recall_high"]) == pytest.approx(expected, abs=0.03)
    # Every found event is right, in 6 traces that have one.
    expected = wilson_interval(6, 6, 0.9)
    assert (row["precision_low"], row["precision_high"]) == pytest.approx(expected)
    assert row["f1_low"] < row["f1"] == 2 * 24 / (24 + 48) < row["f1_high"]


def test_scores_of_few_traces_have_no_interval():
    labelled = [trace(f"{k}", [arrival(10)]) for k in range(9)]
    row = score_rows(compare(labelled, labelled), IntervalSettings())[0]
    assert row["f1"] == 1
    assert [row[f"f1_{end}"] for end in ("low", "high")] == [None, None]


def test_f1_is_1_without_labels_and_without_found_events():
    row = metrics(compare([trace("a")], [trace("a")]), INTERVALS)
    assert (row["precision"], row["recall"], row["f1"]) == (None, None, 1)
    assert row["f1_low"] is None


def test_same_events_same_interval():
    labelled = [trace(f"{k}", [arrival(10)]) for k in range(30)]
    found = [trace(f"{k}", [arrival(10 + k % 5)]) for k in range(30)]
    comparisons = compare(found, labelled)
    one, two = (score_rows(comparisons, INTERVALS) for _ in range(2))
    assert one == two
    other = score_rows(comparisons, IntervalSettings(confidence=0.8, least_problems=3))
    assert other[0]["f1"] == one[0]["f1"]
    assert one[0]["f1_low"] < one[0]["f1"] < one[0]["f1_high"]


def test_a_labelled_trace_without_events_is_named():
    labelled = [trace("a"), trace("b"), trace("c")]
    with pytest.raises(InputError, match=r"no events of 2 of 3 labelled .* first 'b'"):
        compare([trace("a")], labelled)


def test_mistakes_come_in_context():
    text = "x" * 100 + "= 8" + "y" * 100
    labelled = trace("a", [arrival(103)], [0])
    found = trace("a", [arrival(150, "9")], [])
    arrivals, backtracks = compare([found], [labelled])
    missed, false_hit = mistake_rows(arrivals, text)
    assert (missed["mistake"], missed["value"], missed["cue"]) == ("missed", "8", None)
    assert missed["before"] == text[103 - CONTEXT : 103]
    assert missed["after"] == "y" * CONTEXT
    assert (false_hit["mistake"], false_hit["character"]) == ("false hit", 150)
    assert false_hit["after"] == "y" * 53
    (start,) = mistake_rows(backtracks, text)
    assert (start["before"], start["after"]) == ("", "x" * CONTEXT)
