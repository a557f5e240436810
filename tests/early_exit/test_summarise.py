"""The summary of early exits against numbers counted by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from thought_edges import edges_of
from tiny_traces import arrivals_of, make_trace

from doubletake.detector.baseline_detectors import detect_string
from doubletake.model.exit_points import exit_points_of
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.stats.intervals import IntervalSettings, cluster_means
from doubletake.text.tokenizer import load_tokenizer
from early_exit.calibration import calibrate
from early_exit.summarise import (
    Settings,
    exit_cases,
    main,
    published_logits,
    summarise,
)
from early_exit.tables import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SLOPES,
    EARLY_EXIT_SUMMARY,
)
from traces.tables import TRACES

PUBLISHED = Path(__file__).parents[2] / "resources/reference/early_exit_published.json"
SETTINGS = Settings(
    groups=[2, 1, 7], least_problems=2, confidence=0.9, calibration_bins=3
)
INTERVALS = SETTINGS.intervals
ROWS = [
    # trace, exit, correct, logit, whole_logprob
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
                "ended": logprob is not None,
                "logit": logit,
                "whole_logprob": logprob,
                "margin": None,
                "answer_text": "",
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


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(model)


@pytest.fixture
def cases():
    return exit_cases(exits_table(), traces_table())


def point(summary, group, number):
    (row,) = summary.filter(arrivals=group, exit=number).to_dicts()
    return row


def test_groups_hold_the_traces_with_that_many_arrivals(cases):
    summary = summarise(cases, {}, SETTINGS)
    points = summary.select("arrivals", "exit", "traces", "problems").rows()
    assert points == [
        (1, 0, 3, 2),
        (1, 1, 3, 2),
        (2, 0, 1, 1),
        (2, 1, 1, 1),
        (2, 2, 1, 1),
    ]


def test_a_thought_with_four_arrivals_is_compared_with_the_published_four(tokenizer):
    """It turns back three times; the published figure would say four times."""
    turns = "It is 19. Wait, is it 19? Wait, no, 19. Wait, 19.\n</think>\n\n19"
    trace = make_trace(tokenizer, turns)
    prompt = AnswerPrompt(tokenizer, "{closing}", "}", set())
    found = detect_string(trace["text"][: trace["thought_stop"]], "19")
    assert (len(found.arrivals), len(found.backtracks)) == (4, 3)
    numbers = [p.number for p in exit_points_of(trace, arrivals_of(trace), prompt)]
    assert numbers == [0, 1, 2, 3, 4]
    rows = [(trace["trace"], k, True, 20.0 + k, -1.0) for k in numbers]
    cases = exit_cases(exits_table(rows), traces_table({trace["trace"]: True}))
    reference = json.loads(PUBLISHED.read_text())
    published = published_logits(reference, reference["model"], reference["dataset"])
    settings = replace(SETTINGS, groups=[1, 3, 4, 5])
    summary = summarise(cases, published, settings)
    assert summary["arrivals"].to_list() == [4] * 5
    assert summary["published_logit"].to_list() == reference["mean_logit"]["4"]


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
        np.array(values)[:, None], problems, SETTINGS.intervals, shares=shares
    )
    assert (row[f"{name}_low"], row[f"{name}_high"]) == (mean.low, mean.high)
    assert mean.low < mean.value < mean.high


def test_too_few_problems_have_no_interval(cases):
    rows = summarise(cases, {}, replace(SETTINGS, least_problems=3))
    assert rows["logit"].drop_nulls().len() == 4
    for name in ("logit", "normalised", "difference", "accuracy"):
        assert rows[f"{name}_low"].is_null().all()
        assert rows[f"{name}_high"].is_null().all()
    bins = calibrate(cases, 2, IntervalSettings(0.9, 3))
    assert bins["problems"].to_list() == [2, 2, 2, 1]
    assert bins["accuracy_low"].is_null().all()
    given = calibrate(cases, 2, IntervalSettings(0.9, 2))["accuracy_low"].is_null()
    assert given.to_list() == [False, False, False, True]


def test_differences_are_from_exit_1_of_the_same_trace(cases):
    by_exit = dict(
        ((trace, number), value)
        for trace, number, value in cases.select("trace", "exit", "difference").rows()
    )
    assert by_exit[("a/0", 0)] is None
    assert by_exit[("a/0", 1)] == 0
    assert by_exit[("c/0", 2)] == 2
    rows = [("e/0", 1, True, 5.0, None), ("e/0", 2, True, 9.0, None)]
    rows += [("f/0", 1, True, 7.0, None), ("f/0", 2, True, 8.0, None)]
    rows += [("g/0", 1, True, None, None), ("g/0", 2, True, 99.0, None)]
    final = {"e/0": True, "f/0": True, "g/0": True}
    more = exit_cases(exits_table(rows), traces_table(final))
    row = point(summarise(more, {}, SETTINGS), 2, 2)
    assert row["difference"] == pytest.approx((4 + 1) / 2)  # g has no logit at exit 1
    problems = np.array(["e", "f"])
    (mean,) = cluster_means(np.array([[4.0], [1.0]]), problems, INTERVALS)
    assert row["difference_low"] == mean.low
    assert row["difference_high"] == mean.high > 4
    first = point(summarise(more, {}, SETTINGS), 2, 1)
    assert (first["difference"], first["difference_low"]) == (0, None)


def test_scaling_is_within_the_trace(cases):
    scaled = dict(
        ((trace, number), value)
        for trace, number, value in cases.select("trace", "exit", "normalised").rows()
    )
    assert scaled[("a/0", 0)] is None  # two exits would be 0 and 1 in any case
    assert scaled[("c/0", 1)] is None  # exit 0 gave no answer, so these are two
    rows = [("e/0", k, True, x, None) for k, x in enumerate((4.0, 8.0, 7.0))]
    more = exit_cases(exits_table(rows), traces_table({"e/0": True}))
    assert more["normalised"].to_list() == [0, 1, 0.75]
    level = [("e/0", k, True, 4.0, None) for k in range(3)]
    more = exit_cases(exits_table(level), traces_table({"e/0": True}))
    assert more["normalised"].to_list() == [None] * 3


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
    bins = calibrate(cases, 2, INTERVALS)
    assert bins["part"].to_list() == ["no_thought"] * 2 + ["arrivals"] * 2
    assert bins["bin"].to_list() == [0, 1, 0, 1]
    # Log-probs: -3 -2 | -1.5 -1 at exit 0; -.5 -.25 -.125 | -.0625 0 (1e-9) later.
    assert bins["exits"].to_list() == [2, 2, 3, 2]
    assert bins["accuracy"].to_list() == pytest.approx([0, 1, 2 / 3, 1])
    assert bins["highest"][3] == 1.0
    low = pl.Series([-3.0, -2.0]).exp()
    assert bins["confidence"][0] == pytest.approx(low.mean())
    assert bins["brier"][0] == pytest.approx((low**2).mean())
    assert bins["problems"].to_list() == [2, 2, 2, 1]


def test_exit_0_changes_no_bin_of_the_later_exits(cases):
    later = calibrate(cases.filter(pl.col("exit") > 0), 3, INTERVALS)
    assert later["part"].to_list() == ["arrivals"] * 3
    assert later.equals(calibrate(cases, 3, INTERVALS).filter(part="arrivals"))


def test_more_bins_than_exits_leave_none_empty(cases):
    bins = calibrate(cases.head(2), 3, INTERVALS)
    assert bins["exits"].to_list() == [1, 1]
    first = pl.concat([cases.filter(exit=0)] * 3).drop_nulls("whole_logprob").head(7)
    assert first.height > 3
    many = calibrate(first, 10, INTERVALS)
    assert many["exits"].to_list() == [1] * first.height


def run(folder, rows, final):
    EARLY_EXIT.write(exits_table(rows), folder / "exits.parquet")
    TRACES.write(traces_table(final), folder / "traces.parquet")
    main(
        exits_path=folder / "exits.parquet",
        traces_path=folder / "traces.parquet",
        published_path=PUBLISHED,
        summary_path=folder / "summary.parquet",
        slopes_path=folder / "slopes.parquet",
        calibration_path=folder / "calibration.parquet",
        study=("resources/pocket", "resources/pocket/problems.jsonl"),
        settings=SETTINGS,
    )
    return (
        EARLY_EXIT_SUMMARY.read(folder / "summary.parquet"),
        EARLY_EXIT_SLOPES.read(folder / "slopes.parquet"),
        EARLY_EXIT_CALIBRATION.read(folder / "calibration.parquet"),
    )


def test_the_order_of_rows_does_not_change_the_tables(tmp_path):
    first = run(tmp_path, ROWS, FINAL)
    second = run(tmp_path, ROWS[::-1], FINAL)
    assert first[0].height == 5
    assert all(a.equals(b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("rows", [[], [("a/0", 0, False, None, None)]])
def test_nothing_to_summarise_gives_empty_tables(tmp_path, rows):
    final = {"a/0": True} if rows else {}
    summary, slopes, calibration = run(tmp_path, rows, final)
    assert summary.height == calibration.height == 0
    assert slopes["traces"].to_list() == [0] * 8
    assert slopes["slope"].to_list() == slopes["slope_low"].to_list() == [None] * 8
