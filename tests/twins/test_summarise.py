"""Means of twins and rates of turning, by hand."""

import numpy as np
import pytest

from doubletake.stats.intervals import IntervalSettings, cluster_means
from truth.tables import TRUTH
from twins.summarise import summarise, turn_rates
from twins.tables import TWINS

INTERVALS = IntervalSettings(least_problems=2)


def pair(problem, one, other, **changes):
    values = {
        "trace": f"{problem}/0",
        "problem": problem,
        "boundary": 1,
        "cause": "slip",
        "aligned": True,
        "changed": 3,
        "planted_with": 0.76,
        "planted_without": 0.58,
        "turn_with": one,
        "turn_without": other,
        "raw_with": one / 2,
        "raw_without": other / 2,
    }
    return dict.fromkeys(TWINS.schema) | values | changes


def test_means_are_over_measured_pairs():
    lost = {"refused": "why", "turn_with": None, "turn_without": None}
    table = TWINS.frame(
        [
            pair("a", 0.8, 0.5),
            pair("b", 0.6, 0.5, aligned=False),
            pair("b", 0.7, 0.3, boundary=2),
            pair("c", 0.0, 0.0, **lost),
        ]
    )
    (row,) = summarise(table, INTERVALS).to_dicts()
    assert (row["drawn"], row["pairs"], row["problems"]) == (4, 3, 2)
    assert row["built"] == 0.75
    assert row["aligned"] == pytest.approx(2 / 3)
    assert row["turn_with"] == pytest.approx(0.7)
    assert row["effect"] == pytest.approx((0.3 + 0.1 + 0.4) / 3)
    assert row["raw_effect"] == pytest.approx(row["effect"] / 2)
    assert row["planted_effect"] == pytest.approx(0.18)
    assert row["low"] < row["effect"] < row["high"]
    (few,) = summarise(table, IntervalSettings(least_problems=3)).to_dicts()
    assert (few["effect"], few["low"], few["high"]) == (row["effect"], None, None)


def test_a_cause_without_a_measured_pair_has_no_means():
    table = TWINS.frame([pair("a", 0.8, 0.5, refused="why")])
    (row,) = summarise(table, INTERVALS).to_dicts()
    assert (row["drawn"], row["pairs"], row["effect"]) == (1, 0, None)


def boundary(problem, cause, turns, choice, probability=0.5):
    values = {
        **{"trace": f"{problem}/0", "problem": problem, "boundary": 1, "start": 0},
        **{"end": 1, "token": 3, "word": "So", "causes": int(cause != "none")},
    }
    values |= {"cause": cause, "turns": turns, "choice": choice}
    return dict.fromkeys(TRUTH.schema) | values | {"probability": probability}


def test_rates_are_by_cause_and_by_turns_without_one():
    truth = TRUTH.frame(
        [
            boundary("a", "slip", 0, "turn", 0.76),
            boundary("a", "slip", 3, "go_on", 0.76),
            boundary("b", "slip", 1, None, 0.76),
            boundary("a", "none", 0, "turn", 0.58),
            boundary("a", "none", 7, "wrap_up", 0.3),
            boundary("b", "none", 5, "turn", 0.3),
            boundary("b", "none", 9, "wrap_up", 0.3),
        ]
    )
    rates = turn_rates(truth, INTERVALS)
    shown = rates.select("cause", "turns", "boundaries", "problems", "rate", "planted")
    assert shown.rows() == [
        ("slip", None, 2, 1, 0.5, 0.76),
        ("none", 0, 1, 1, 1.0, 0.58),
        ("none", 5, 3, 2, pytest.approx(1 / 3), pytest.approx(0.3)),
    ]
    assert rates.select("low", "high").rows()[:2] == [(None, None)] * 2
    flags, problems = np.array([[0.0], [1], [0]]), np.array(["a", "b", "b"])
    (mean,) = cluster_means(flags, problems, INTERVALS, shares=True)
    assert rates.select("low", "high").row(2) == (mean.low, mean.high)


def test_empty_tables_give_empty_tables():
    assert summarise(TWINS.frame([]), INTERVALS).is_empty()
    assert turn_rates(TRUTH.frame([]), INTERVALS).is_empty()
