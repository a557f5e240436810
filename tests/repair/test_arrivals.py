"""Arrivals of hand-made thoughts: where they lie, and what follows them."""

import polars as pl
import pytest
from tiny_report import trace_row

from doubletake.detector.causal import detect_causal
from doubletake.exit_rules.places import ThoughtPlaces, places_of
from doubletake.exit_rules.points import KINDS
from events.tables import EVENTS
from repair.arrivals import Turn, arrivals_of, cut_at, turn_after
from repair.tables import AHEAD, BEGUN, STRAIGHT
from truth.tables import TRUTH

QUESTION = "Mia has 24 pencils. She finds 13 more. How many pencils does Mia have now?"
SLIP = "24 + 13 = 11."
TURN = "Wait, 24 + 13 = 11 is not right."
DOUBT = "But could now mean something else?"
THOUGHT = (
    f"{SLIP} {TURN} 24 + 13 = 37. {DOUBT} No, it asks for all. So the answer is 37. "
    "That was not hard. Therefore, the answer is 37."
)
EMPTY_TRUTH = TRUTH.frame([])


def study_of(thought, answer="37", gold="37", name="a"):
    """A trace and its trial points; the forced answer is the value arrived at."""
    trace = trace_row(name, thought, answer) | {"correct": answer == gold}
    places = places_of(
        ThoughtPlaces(trace, [], "</think>"), QUESTION, KINDS, every=10_000
    )
    first = places[0].cut
    points = [
        {
            "trace": trace["trace"],
            "problem": name,
            "point": number,
            "token": place.cut,
            "tokens_before": place.cut - first,
            "arrivals": place.arrivals,
            "arrival": "arrival" in place.kinds,
            "answer": place.value,
            "correct": place.value == gold,
        }
        for number, place in enumerate(places)
    ]
    return trace, points


def found_in(thought, truth=EMPTY_TRUTH, events=None, **study):
    trace, points = study_of(thought, **study)
    frames = (pl.DataFrame(points, infer_schema_length=None), pl.DataFrame([trace]))
    events = EVENTS.frame([]) if events is None else events
    rows = arrivals_of(*frames, {"a": QUESTION}, events, truth).to_dicts()
    return rows, [thought[: cut_at(trace, points[row["point"]])] for row in rows]


def truth_of(*sentences):
    """Planted turns at sentences of `THOUGHT`, each with its cause."""
    rows = [
        {name: None for name in TRUTH.schema}
        | {"trace": "a/0", "problem": "a", "boundary": number, "choice": "turn"}
        | {"start": THOUGHT.index(text), "end": THOUGHT.index(text) + len(text)}
        | {"word": "Wait", "cause": cause, "causes": 1, "turns": 0, "probability": 0.5}
        for number, (text, cause) in enumerate(sentences, 1)
    ]
    return TRUTH.frame(rows)


def test_turns_and_answers_that_follow_each_arrival():
    rows, cuts = found_in(THOUGHT)
    last = [text.rsplit(". ", 1)[-1] for text in cuts]
    assert last == [SLIP, DOUBT, "So the answer is 37."]
    assert [row["turn"] for row in rows] == [AHEAD, BEGUN, STRAIGHT]
    assert [row["answer"] for row in rows] == ["11", "37", "37"]
    assert [row["correct"] for row in rows] == [False, True, True]
    assert [row["next_correct"] for row in rows] == [True, True, True]
    assert {row["turns"] for row in rows} == {2}
    tokens = [len(text) for text in cuts]  # a token is a character here
    assert [row["tokens_after"] for row in rows] == [len(THOUGHT) - n for n in tokens]
    assert rows[0]["tokens_next"] == tokens[1] - tokens[0]
    assert rows[-1]["tokens_next"] == rows[-1]["tokens_after"]


def test_the_planted_cause_is_that_of_the_turn_after_the_arrival():
    truth = truth_of((TURN, "slip"), (DOUBT, "open_word"))
    rows, _ = found_in(THOUGHT, truth)
    assert [row["cause"] for row in rows] == ["slip", "open_word", None]
    rows, _ = found_in(THOUGHT, truth.with_columns(choice=pl.lit("go_on")))
    assert {row["cause"] for row in rows} == {None}


def test_arrivals_that_the_other_detector_finds_too_are_counted():
    arrivals = detect_causal(QUESTION, THOUGHT).arrivals
    event = dict.fromkeys(EVENTS.schema) | {"trace": "a/0", "kind": "arrival"}
    starts = [arrivals[0].event.start, arrivals[1].event.start + 1]
    events = EVENTS.frame(
        [
            event | {"event": k, "ordinal": k, "start": s, "end": s + 2, "token": s}
            for k, s in enumerate(starts)
        ]
    )
    rows, _ = found_in(THOUGHT, events=events)
    assert [row["in_events"] for row in rows] == [1, 0, 0]
    assert sum(row["known"] for row in rows) == len(arrivals)


def test_an_arrival_at_the_end_has_no_thought_after_it():
    thought = "24 + 13 = 37. So the answer is 37."
    ((row,), (cut,)) = found_in(thought)
    assert (cut, row["tokens_after"], row["turn"]) == (thought, 0, STRAIGHT)


def test_a_thought_that_is_cut_off_ends_wrong():
    rows, _ = found_in(f"{THOUGHT} And", answer=None)
    assert {row["end_correct"] for row in rows} == {False}
    assert rows[-1]["forced_end_correct"]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([], (STRAIGHT, None)),
        ([Turn(20, 30, "a")], (AHEAD, "a")),
        ([Turn(12, 18, "a")], (AHEAD, "a")),  # its first words stand before the point
        ([Turn(11, 15, "b")], (BEGUN, "b")),
        ([Turn(11, 15, "b"), Turn(20, 30, "a")], (AHEAD, "a")),
        ([Turn(5, 9, "b")], (STRAIGHT, None)),  # before the arrival
        ([Turn(38, 45, "a")], (STRAIGHT, None)),  # after the next arrival's point
    ],
)
def test_which_turn_follows(turns, expected):
    assert turn_after(held=10, cut=15, following=40, turns=turns) == expected


def test_a_thought_without_trial_points_has_no_row():
    trace, points = study_of(THOUGHT)
    frame = pl.DataFrame(points, infer_schema_length=None)
    arguments = ({"a": QUESTION}, EVENTS.frame([]), EMPTY_TRUTH)
    other = pl.DataFrame([trace | {"trace": "b/0"}])
    assert arrivals_of(frame, other, *arguments).is_empty()
