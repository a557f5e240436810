"""The summary of early exits against numbers counted by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from thought_edges import edges_of

from doubletake.stats.intervals import cluster_means
from early_exit.summarise import (
    Settings,
    calibrate,
    exit_cases,
    main,
    published_logits,
    summarise,
)
from early_exit.tables import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SUMMARY,
)
from events.tables import EVENTS
from traces.tables import TRACES

PUBLISHED = Path(__file__).parents[2] / "resources/reference/early_exit_published.json"
SETTINGS = Settings(
    groups=[2, 1, 7], least_problems=2, confidence=0.9, calibration_bins=3
)
ROWS = [
    # trace, exit, correct, logit, logprob
    ("a/0", 0, False, 10.0, -2.0),
    ("a/0", 1, True, 20.0, -0.5),
    ("a/1", 0, True, 12.0, -1.0),
    ("a/1", 1, True, 22.0, -0.25),
    ("b/0", 0, False, 8.0, -3.0),
    ("b/0", 1, False, 24.0, -0.125),
    ("c/0", 0, False, None, None),
    ("c/0", 1, True, 30.0, 1e-9),
    ("c/0", 2, True, 32.0, -0.0625),
    ("d/0", 0, True, 9.0, -1.5),
]
TURNS = {"a/0": 1, "a/1": 1, "b/0": 1, "c/0": 2}
FINAL = {"a/0": True, "a/1": False, "b/0": True, "c/0": True, "d/0": True}


def exits_table(rows=ROWS):
    return EARLY_EXIT.frame(
        [
            {
                "trace": trace,
                "exit": number,
                "tokens_before": number,
                "answer": None,
                "correct": correct,
                "logit": logit,
                "logprob": logprob,
                "margin": None,
                "entropy": None,
            }
            for trace, number, correct, logit, logprob in rows
        ]
    )


def traces_table(final=FINAL):
    return TRACES.frame(
        [
            {
                "trace": trace,
                "problem": trace.split("/")[0],
                "sample": 0,
                "prompt_ids": [0],
                "completion_ids": [1],
                "logprobs": None,
                "text": "a",
                "offsets": [0],
                "thought_end": None,
                **edges_of("a"),
                "finish": "stop",
                "answer": None,
                "correct": correct,
            }
            for trace, correct in final.items()
        ]
    )


def events_table(turns=TURNS):
    kinds = [("backtrack", t) for t, n in turns.items() for _ in range(n)]
    kinds += [("arrival", trace) for trace in turns for _ in range(3)]
    empty = dict.fromkeys(EVENTS.schema)
    numbers = {"event": 0, "ordinal": 1, "start": 0, "end": 1, "token": 1}
    return EVENTS.frame(
        [{**empty, **numbers, "trace": t, "kind": kind} for kind, t in kinds]
    )


@pytest.fixture
def cases():
    return exit_cases(exits_table(), traces_table(), events_table())


def point(summary, group, number):
    (row,) = summary.filter(backtracks=group, exit=number).to_dicts()
    return row


def test_groups_hold_the_traces_with_that_many_backtracks(cases):
    summary = summarise(cases, {}, SETTINGS)
    points = summary.select("backtracks", "exit", "traces", "problems").rows()
    assert points == [
        (1, 0, 3, 2),
        (1, 1, 3, 2),
        (2, 0, 1, 1),
        (2, 1, 1, 1),
        (2, 2, 1, 1),
    ]


def test_means_are_over_traces(cases):
    summary = summarise(cases, {}, SETTINGS)
    assert point(summary, 1, 0)["logit"] == pytest.approx((10 + 12 + 8) / 3)
    assert point(summary, 1, 1)["logit"] == pytest.approx((20 + 22 + 24) / 3)
    assert point(summary, 1, 0)["accuracy"] == pytest.approx(1 / 3)
    assert point(summary, 1, 1)["final_accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("name", "values", "shares"),
    [("logit", [20.0, 22, 24], False), ("accuracy", [1.0, 1, 0], True)],
)
def test_intervals_are_over_problems_and_not_over_traces(cases, name, values, shares):
    row = point(summarise(cases, {}, SETTINGS), 1, 1)
    problems = np.array(["a", "a", "b"])
    (mean,) = cluster_means(
        np.array(values)[:, None], problems, SETTINGS.resampling, shares=shares
    )
    assert (row[f"{name}_low"], row[f"{name}_high"]) == (mean.low, mean.high)
    assert mean.low < mean.value < mean.high


def test_too_few_problems_have_no_interval(cases):
    rows = summarise(cases, {}, replace(SETTINGS, least_problems=3))
    assert rows["logit"].drop_nulls().len() == 4
    for name in ("logit", "normalised", "accuracy"):
        assert rows[f"{name}_low"].is_null().all()
        assert rows[f"{name}_high"].is_null().all()
    bins = calibrate(cases, replace(SETTINGS, least_problems=3))
    assert bins["accuracy_low"].is_null().to_list() == [False, True, True]


def test_scaling_is_within_the_trace(cases):
    scaled = dict(
        ((trace, number), value)
        for trace, number, value in cases.select("trace", "exit", "normalised").rows()
    )
    assert scaled[("a/0", 0)] == 0
    assert scaled[("a/0", 1)] == 1
    assert scaled[("c/0", 0)] is None  # gave no answer
    assert scaled[("c/0", 1)] == 0
    assert scaled[("c/0", 2)] == 1
    assert scaled[("d/0", 0)] is None  # one exit alone has no scale


def test_an_exit_nobody_answered_has_no_mean(cases):
    row = point(summarise(cases, {}, SETTINGS), 2, 0)
    assert row["logit"] is None
    assert row["logit_low"] is None
    assert row["accuracy"] == 0


def test_published_means_stand_beside_their_exit(cases):
    summary = summarise(cases, {1: [14.0], 2: [1.0, 2.0, 3.0, 4.0]}, SETTINGS)
    assert summary["published_logit"].to_list() == [14.0, None, 1.0, 2.0, 3.0]


def test_published_means_are_of_one_study_only():
    reference = json.loads(PUBLISHED.read_text())
    known = published_logits(reference, reference["model"], reference["dataset"])
    assert known[4] == [14.75, 23.98, 24.64, 25.11, 25.98]
    assert [len(known[group]) for group in range(4, 10)] == [5, 6, 7, 8, 9, 10]
    assert published_logits(reference, "resources/pocket", "openai/gsm8k") == {}


def test_calibration_bins_have_equal_counts_by_confidence(cases):
    bins = calibrate(cases, SETTINGS)
    assert bins["exits"].to_list() == [3, 3, 3]
    # Sorted log-probs: -3 -2 -1.5 | -1 -.5 -.25 | -.125 -.0625 0 (1e-9 is rounding).
    assert bins["accuracy"].to_list() == pytest.approx([1 / 3, 1, 2 / 3])
    assert bins["highest"][2] == 1.0
    low = pl.Series([-3.0, -2.0, -1.5]).exp()
    assert bins["confidence"][0] == pytest.approx(low.mean())
    brier = (low[0] ** 2 + low[1] ** 2 + (1 - low[2]) ** 2) / 3
    assert bins["brier"][0] == pytest.approx(brier)
    assert bins["problems"].to_list() == [3, 1, 2]


def test_more_bins_than_exits_leave_none_empty(cases):
    bins = calibrate(cases.head(2), SETTINGS)
    assert bins["exits"].to_list() == [1, 1]


def run(folder, rows, final, turns):
    EARLY_EXIT.write(exits_table(rows), folder / "exits.parquet")
    TRACES.write(traces_table(final), folder / "traces.parquet")
    EVENTS.write(events_table(turns), folder / "events.parquet")
    main(
        exits_path=folder / "exits.parquet",
        traces_path=folder / "traces.parquet",
        events_path=folder / "events.parquet",
        published_path=PUBLISHED,
        summary_path=folder / "summary.parquet",
        calibration_path=folder / "calibration.parquet",
        study=("resources/pocket", "resources/pocket/problems.jsonl"),
        settings=SETTINGS,
    )
    return (
        EARLY_EXIT_SUMMARY.read(folder / "summary.parquet"),
        EARLY_EXIT_CALIBRATION.read(folder / "calibration.parquet"),
    )


def test_the_order_of_rows_does_not_change_the_tables(tmp_path):
    first = run(tmp_path, ROWS, FINAL, TURNS)
    second = run(tmp_path, ROWS[::-1], FINAL, TURNS)
    assert first[0].height == 5
    assert all(a.equals(b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("rows", [[], [("a/0", 0, False, None, None)]])
def test_nothing_to_summarise_gives_empty_tables(tmp_path, rows):
    final = {"a/0": True} if rows else {}
    summary, calibration = run(tmp_path, rows, final, {})
    assert summary.height == calibration.height == 0
