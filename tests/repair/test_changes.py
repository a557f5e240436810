"""Repair against damage by hand, and on simulated studies."""

import numpy as np
import polars as pl
import pytest
from tiny_repair import STEP, arrivals_of, simulated

from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings
from repair.changes import (
    belief_shift,
    gain_by_arrival,
    lost_answers,
    rates_by_arrival,
    thought_on,
)
from repair.tables import (
    AHEAD,
    ARRIVAL,
    ARRIVALS,
    DIFFERENCE,
    FORM,
    GAINS,
    LOST,
    POOLED,
    RATES,
    SHIFTS,
    STRAIGHT,
)

FEW = IntervalSettings(least_problems=2)
LEVEL = 0.05
STUDIES = 300
ERROR = 3 * np.sqrt(LEVEL * (1 - LEVEL) / STUDIES)

THOUGHTS = arrivals_of(
    (["7", "8"], "8"),  # repaired
    (["7", "6", "7"], "7"),
    (["8", "7"], "7"),  # damaged, ends wrong
    (["8", "8", "8"], "8"),
    (["8", None], "8"),  # damaged at the next arrival, right at the end
    (["7"], "8"),  # repaired by the end, no next arrival
)


def test_arrivals_at_the_end_of_the_thought_do_not_count():
    late = THOUGHTS.with_columns(
        tokens_after=pl.when(arrival=1).then("tokens_after").otherwise(0)
    )
    assert thought_on(late)["arrival"].unique().to_list() == [1]


def test_rates_of_each_arrival_and_of_all():
    rates = rates_by_arrival(THOUGHTS, FEW)
    found = {
        (row["arrival"], row["until"], row["change"]): (row["rate"], row["n"])
        for row in rates.to_dicts()
    }
    assert found[1, "next", "repair"] == (pytest.approx(2 / 3), 3)  # 0, 5 of 0, 1, 5
    assert found[1, "next", "damage"] == (pytest.approx(2 / 3), 3)  # 2, 4 of 2, 3, 4
    assert found[1, "end", "repair"] == (pytest.approx(2 / 3), 3)
    assert found[1, "end", "damage"] == (pytest.approx(1 / 3), 3)  # 2 of 2, 3, 4
    # wrong at arrivals: 0, 1, 1, 1, 2, 4, 5; right at the end: 0, 4, 5
    assert found[None, "end", "repair"] == (pytest.approx(3 / 7), 7)
    assert found[None, "next", "damage"] == (pytest.approx(2 / 6), 6)
    assert rates["n"].max() == 7


def test_the_gain_of_thinking_on():
    rows = gain_by_arrival(THOUGHTS, FEW).to_dicts()
    assert [row["start"] for row in rows] == [*[ARRIVAL] * 3, POOLED, FORM]
    first, _, third, pooled, _ = rows
    # arrival 1: +1, 0, -1, 0, 0, +1 of 6; tokens after 100, 150, 100, 150, 100, 50
    assert first["gain"] == pytest.approx(1 / 6)
    assert first["tokens_after"] == pytest.approx(650 / 6)
    assert first["gain_per_100"] == pytest.approx(100 / 650)
    assert (first["accuracy"], first["end_accuracy"]) == (0.5, pytest.approx(4 / 6))
    assert (first["n"], first["problems"], first["changed"]) == (6, 6, 3)
    assert first["p"] is None  # three changed problems cannot show anything
    assert (third["gain"], third["n"]) == (0, 2)
    # gains of all: 0: +1 0; 1: 0 0 0; 2: -1 0; 3: 0 0 0; 4: 0 +1; 5: +1
    assert (pooled["gain"], pooled["n"]) == (pytest.approx(2 / 13), 13)
    assert pooled["gain_per_100"] == pytest.approx(100 * 2 / (STEP * 22))


def test_the_form_of_the_answer_counts_each_thought_once():
    forced = pl.col("trace").is_in(["0/0", "1/0"])
    arrivals = THOUGHTS.with_columns(forced_end_correct=forced)
    (form,) = gain_by_arrival(arrivals, FEW).filter(start=FORM).to_dicts()
    assert (form["n"], form["accuracy"]) == (6, pytest.approx(2 / 6))
    assert form["gain"] == pytest.approx(4 / 6 - 2 / 6)
    assert form["gain_per_100"] is None


def test_p_values_are_corrected_for_the_arrivals_that_could_show_a_change():
    mended = arrivals_of(*[(["7", "8", "8"], "8")] * 8, *[(["8", "8", "7"], "7")] * 3)
    rows = gain_by_arrival(mended, FEW).filter(start=ARRIVAL).to_dicts()
    assert [row["changed"] for row in rows] == [11, 3, 0]
    assert rows[0]["p"] == rows[0]["p_holm"]  # one test
    assert rows[1]["p"] is rows[2]["p"] is None


def test_belief_shift_across_a_turn():
    rows = {row["turn"]: row for row in belief_shift(THOUGHTS, FEW).to_dicts()}
    # turns: 0 yes; 1 yes yes; 2 yes; 3 no no; 4 yes
    assert (rows[AHEAD]["shift"], rows[AHEAD]["n"]) == (pytest.approx(5 / 7), 7)
    # to the end: 0 no; 1 no; 2 no; 3 no; 4 yes (no answer, then 8); 5 yes
    assert (rows[STRAIGHT]["shift"], rows[STRAIGHT]["n"]) == (pytest.approx(2 / 6), 6)
    difference = rows[DIFFERENCE]
    assert difference["shift"] == pytest.approx(5 / 7 - 2 / 6)
    assert difference["shift_low"] < difference["shift"] < difference["shift_high"]
    (default,) = (
        row
        for row in belief_shift(THOUGHTS, IntervalSettings()).to_dicts()
        if row["turn"] == DIFFERENCE
    )
    assert default["shift_low"] is None  # fewer than ten problems


def test_no_answer_twice_is_no_shift_and_one_kind_of_step_is_not_compared():
    rows = belief_shift(arrivals_of(([None], None)), FEW).to_dicts()
    assert [(row["turn"], row["shift"]) for row in rows] == [(STRAIGHT, 0.0)]


def test_thoughts_that_were_right_and_end_wrong():
    rows = {row["turns"]: row for row in lost_answers(THOUGHTS, FEW).to_dicts()}
    assert rows[None]["n"] == 6
    assert rows[None]["lost"] == pytest.approx(1 / 6)  # 2
    assert rows[None]["gained"] == pytest.approx(1 / 6)  # 5
    assert rows[None]["kept"] == pytest.approx(3 / 6)  # 0, 3, 4
    assert (rows[1]["n"], rows[1]["lost"]) == (3, pytest.approx(1 / 3))
    many = lost_answers(THOUGHTS.with_columns(turns=pl.lit(9, pl.Int32)), FEW)
    assert many["turns"].to_list() == [None, 5]


def test_no_arrival_gives_empty_tables():
    none = ARRIVALS.frame([])
    assert rates_by_arrival(none, FEW).equals(RATES.frame([]))
    assert gain_by_arrival(none, FEW).equals(GAINS.frame([]))
    assert belief_shift(none, FEW).equals(SHIFTS.frame([]))
    assert lost_answers(none, FEW).equals(LOST.frame([]))


def claims(seed, mended, spoiled, studies=STUDIES, **study):
    """`[study, arrival]`, 1: a gain is claimed, -1: a loss, 0: neither."""
    draw, found = array_generator(seed, 0), []
    for _ in range(studies):
        table = simulated(draw, mended, spoiled, **study)
        gains = gain_by_arrival(table, IntervalSettings()).filter(start=ARRIVAL)
        shown = (gains["p_holm"] <= LEVEL).fill_null(value=False).to_numpy()
        found.append(shown * np.sign(gains["gain"].to_numpy()))
    return np.array(found)


@pytest.mark.parametrize(
    ("changed", "study"),
    [
        (0.1, {"problems": 60}),
        (0.03, {"problems": 200}),  # few changes
        (0.2, {"problems": 20, "samples": 3}),
    ],
)
def test_without_an_effect_a_gain_or_loss_at_any_arrival_is_rarely_claimed(
    changed, study
):
    same = [changed] * 3
    found = claims(1, same, same, **study)
    assert (found != 0).any(1).mean() <= LEVEL + ERROR
    assert (found != 0).any()  # the test can claim


def test_a_gain_at_one_arrival_and_a_loss_at_another_are_found():
    found = claims(2, [0.2, 0.03, 0.03], [0.02, 0.03, 0.25], studies=100, problems=100)
    assert (found[:, 0] == 1).mean() > 0.9
    assert (found[:, 2] == -1).mean() > 0.9
    assert (found[:, 1] != 0).mean() <= 0.12


def shift_claims(with_turn, without, seed, studies=STUDIES, problems=30):
    """Share of studies that claim a difference of shifts: lower, higher."""
    draw, found = array_generator(seed, 0), []
    for _ in range(studies):
        turned = np.tile([True, False, True, False], problems)
        level = np.repeat(draw.normal(0, 0.1, problems), 4)
        shifted = draw.random(4 * problems) < level + np.where(
            turned, with_turn, without
        )
        table = simulated(draw, [0], [0], arrivals=1, problems=problems, samples=4)
        table = table.with_columns(
            turn=pl.when(pl.Series(turned))
            .then(pl.lit(AHEAD))
            .otherwise(pl.lit(STRAIGHT)),
            next_answer=pl.Series(np.where(shifted, "7", "8")),
        )
        row = belief_shift(table, IntervalSettings()).row(-1, named=True)
        found.append((row["shift_high"] < 0, row["shift_low"] > 0))
    return np.mean(found, axis=0)


def test_a_shift_is_rarely_claimed_without_an_effect_and_found_with_one():
    error = 3 * np.sqrt(0.025 * 0.975 / STUDIES)
    assert shift_claims(0.4, 0.4, seed=0).max() <= 0.025 + error
    lower, higher = shift_claims(0.6, 0.25, seed=1, studies=100)
    assert (lower, higher > 0.9) == (0, True)
