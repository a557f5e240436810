"""Repair against damage by hand, and on simulated studies."""

import numpy as np
import polars as pl
import pytest

from doubletake.exit_rules.repair import (
    belief_shift,
    gain_by_arrival,
    lost_answers,
    rates_by_arrival,
    steps,
)
from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings

FEW = IntervalSettings(least_problems=2)


def table(*thoughts):
    """Arrivals of thoughts: answers in order, the end's answer; "8" is right."""
    rows = []
    for number, (answers, end) in enumerate(thoughts):
        for k, answer in enumerate(answers, 1):
            rows.append(
                {
                    "trace": f"{number}/0",
                    "problem": f"{number}",
                    "arrival": k,
                    "answer": answer,
                    "correct": answer == "8",
                    "end_correct": end == "8",
                    "tokens_after": 50 * (len(answers) - k),
                    "turned": k < len(answers),
                }
            )
    return pl.DataFrame(rows, schema_overrides={"answer": pl.String})


ARRIVALS = table(
    (["7", "8"], "8"),  # repaired
    (["7", "6", "7"], "7"),
    (["8", "7"], "7"),  # damaged, ends wrong
    (["8", "8", "8"], "8"),
    (["8", None], "8"),  # damaged at the next arrival, right at the end
    (["7"], "8"),  # repaired by the end, no next arrival
)


def test_steps_lead_to_the_next_arrival_of_the_same_thought():
    found = steps(ARRIVALS.sample(fraction=1, shuffle=True, seed=1))
    found = found.sort("trace", "arrival")
    assert found["trace"].to_list() == ["0/0", "1/0", "1/0", "2/0", "3/0", "3/0", "4/0"]
    assert found["shifted"].to_list() == [True, True, True, True, False, False, True]
    assert found["next_correct"].to_list() == [True, *[False] * 3, True, True, False]


def test_no_answer_twice_is_no_shift():
    assert steps(table(([None, None], "8")))["shifted"].to_list() == [False]


def test_rates_of_each_arrival():
    rates = rates_by_arrival(ARRIVALS, FEW)
    first = {
        (row["until"], row["change"]): (row["rate"], row["n"])
        for row in rates.filter(arrival=1).to_dicts()
    }
    assert first == {
        ("next", "repair"): (0.5, 2),  # thoughts 0 and 1; 5 has no next arrival
        ("next", "damage"): (pytest.approx(2 / 3), 3),
        ("end", "repair"): (pytest.approx(2 / 3), 3),  # 0 and 5 of 0, 1, 5
        ("end", "damage"): (pytest.approx(1 / 3), 3),  # 2 of 2, 3, 4
    }
    assert rates.filter(arrival=1, until="end", change="damage")["rate_low"][0] > 0
    assert rates.filter(arrival=3, until="next").is_empty()
    assert rates.filter(arrival=3, until="end").height == 2


def test_the_gain_of_thinking_on():
    rows = gain_by_arrival(ARRIVALS, FEW).to_dicts()
    # arrival 1: +1, 0, -1, 0, 0, +1 of 6; tokens after 50, 100, 50, 100, 50, 0
    assert rows[0]["gain"] == pytest.approx(1 / 6)
    assert rows[0]["tokens_after"] == pytest.approx(350 / 6)
    assert rows[0]["gain_per_100"] == pytest.approx(100 / 350)
    assert (rows[0]["n"], rows[0]["problems"]) == (6, 6)
    assert rows[2]["gain_per_100"] is None  # nothing is written after the last arrival


def test_belief_shift_across_a_turn():
    arrivals = ARRIVALS.with_columns(turned=pl.col("trace").is_in(["0/0", "3/0"]))
    row = belief_shift(arrivals, FEW)
    assert (row["turned"], row["turned_n"]) == (pytest.approx(1 / 3), 3)
    assert (row["straight"], row["straight_n"]) == (1.0, 4)
    assert row["difference"] == pytest.approx(-2 / 3)
    assert row["difference_low"] < row["difference"] < row["difference_high"]
    assert belief_shift(arrivals, IntervalSettings())["difference_low"] is None
    every = belief_shift(ARRIVALS, FEW)  # no step without a turn
    assert (every["straight"], every["difference"]) == (None, None)


def test_thoughts_that_were_right_and_end_wrong():
    thoughts = pl.DataFrame(
        {
            "problem": ["a", "b", "c", "d", "e"],
            "was_right": [True, True, False, True, True],
            "end_correct": [False, True, False, False, True],
            "turns": [1, 1, 1, 2, 2],
            "cause": ["slip", None, "slip", None, "slip"],
        }
    )
    by_turns = lost_answers(thoughts, "turns", FEW)
    assert by_turns["turns"].to_list() == [1, 2]
    assert by_turns["rate"].to_list() == [pytest.approx(1 / 3), 0.5]
    assert by_turns["n"].to_list() == [3, 2]
    by_cause = lost_answers(thoughts, "cause", FEW)
    assert dict(zip(by_cause["cause"], by_cause["n"], strict=True)) == {
        None: 2,
        "slip": 3,
    }


def shifts(with_turn, without, seed, studies=500, problems=30):
    """Share of studies that claim a difference of shifts: lower, higher."""
    draw, found = array_generator(seed, 0), []
    for _ in range(studies):
        turned = np.tile([True, False, True, False], problems)
        level = np.repeat(draw.normal(0, 0.1, problems), 4)
        chance = np.where(turned, with_turn, without) + level
        shifted = draw.random(4 * problems) < chance
        trace = np.repeat(np.arange(4 * problems), 2)
        arrivals = pl.DataFrame(
            {
                "trace": trace,
                "problem": np.repeat(np.arange(problems), 8),
                "arrival": np.tile([1, 2], 4 * problems),
                "answer": np.stack([0 * shifted, shifted], 1).ravel().astype(str),
                "correct": False,
                "turned": np.repeat(turned, 2),
            }
        )
        row = belief_shift(arrivals, IntervalSettings())
        found.append((row["difference_high"] < 0, row["difference_low"] > 0))
    return np.mean(found, axis=0)


def test_a_shift_is_rarely_claimed_without_an_effect_and_found_with_one():
    error = 3 * np.sqrt(0.025 * 0.975 / 500)
    assert shifts(0.4, 0.4, seed=0).max() <= 0.025 + error
    lower, higher = shifts(0.6, 0.25, seed=1, studies=200)
    assert (lower, higher > 0.9) == (0, True)
