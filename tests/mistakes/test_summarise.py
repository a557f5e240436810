"""Shares, tests and contrasts of mistakes; claims at their nominal rate."""

import numpy as np
import polars as pl
import pytest
from tiny_mistakes import boundary, row

from doubletake.stats.intervals import IntervalSettings
from mistakes.names import place_of_test
from mistakes.summarise import contrasts, planted_rates, summarise
from mistakes.tables import BOUNDARIES, MISTAKES

INTERVALS = IntervalSettings()
KINDS = ("none", "paraphrase", "filler", "result", "opposite", "operand")


def by_kind(table, place="last"):
    return {one["kind"]: one for one in table.filter(place=place).to_dicts()}


def test_shares_by_hand():
    rows = [
        row(
            kind,
            k,
            turned=kind == "result" and k < 9,
            backtracks=int(kind == "result" and k < 9),
            correct=kind == "none" or k < 6,
            corrected=k < 6 if kind == "result" else None,
            restated=k < (3 if kind == "none" else 5),
            tokens=30 if kind == "result" else 20,
        )
        for kind in ("none", "result")
        for k in range(12)
    ]
    found = by_kind(summarise(MISTAKES.frame(rows), INTERVALS))
    result = found["result"]
    assert result["turned"] == pytest.approx(0.75)
    assert result["corrected"] == result["accuracy"] == pytest.approx(0.5)
    assert result["accuracy_over_base"] == pytest.approx(-0.5)
    assert result["inflation"] == pytest.approx(1.5)
    assert result["after_turn"] == pytest.approx(6 / 9)
    assert result["without_turn"] == 0
    assert result["turned_over_base"] == pytest.approx(0.75)
    assert result["turned_over_base_holm"] < 0.01
    assert result["turned_over_filler"] is None
    assert (result["turned"], result["turned_base"]) == (0.75, 0)
    assert result["restated_base"] == pytest.approx(3 / 12)
    assert result["restated_over_base"] == pytest.approx(2 / 12)
    assert result["restated_over_base_holm"] > 0.05
    assert found["none"]["corrected"] is None
    assert found["none"]["turned_over_base"] is None
    assert found["none"]["inflation"] is None


def test_only_the_place_right_before_the_turn_is_tested():
    rows = [
        row(kind, k, place=place)
        for place in ("early", "last")
        for kind in ("none", "result")
        for k in range(12)
    ]
    table = summarise(MISTAKES.frame(rows), INTERVALS)
    assert by_kind(table)["result"]["turned_over_base_p"] is not None
    assert by_kind(table, "early")["result"]["turned_over_base_p"] is None
    assert by_kind(table, "early")["result"]["turned_over_base"] == 0


def test_units_are_tested_where_most_problems_have_them():
    rows = [
        row(kind, k, place=place, unit_restated=k % 2 == (kind == "none"))
        for place, problems in (("early", 12), ("last", 1))
        for kind in ("none", "unit")
        for k in range(problems)
    ]
    table = summarise(MISTAKES.frame(rows), INTERVALS)
    early, last = by_kind(table, "early")["unit"], by_kind(table)["unit"]
    assert early["turned_over_base_p"] is not None
    assert last["turned_over_base_p"] is None
    assert early["restated_base"] == pytest.approx(0.5)  # of the unit, not the equation
    assert place_of_test("unit", {"early": 3, "last": 3}) == "last"
    assert place_of_test("result", {"early": 3}) is None


def test_an_own_slip_is_compared_with_the_same_thought_mended():
    rows = [
        row(kind, k, place="slip", turned=kind == "own")
        for kind in ("own", "mended")
        for k in range(12)
    ]
    own = by_kind(summarise(MISTAKES.frame(rows), INTERVALS), "slip")["own"]
    assert own["turned_over_base"] == 1
    assert own["turned_over_base_holm"] < 0.01


def test_few_problems_give_no_test():
    rows = [row(kind, k, turned=k < 5) for kind in ("none", "result") for k in range(9)]
    result = by_kind(summarise(MISTAKES.frame(rows), INTERVALS))["result"]
    assert result["turned_low"] is None
    assert result["turned_over_base_p"] is None


def simulated(rng, problems, rate):
    """Draws that turn at the rate of their kind; problems differ in their own rate."""
    base = rng.beta(4, 4, problems)
    return MISTAKES.frame(
        [
            row(kind, k, draw=draw, turned=bool(rng.random() < rate(kind, base[k])))
            for kind in KINDS
            for k in range(problems)
            for draw in range(2)
        ]
    )


def test_without_an_effect_noticing_is_rarely_claimed():
    rng = np.random.default_rng(0)
    claims = []
    for _ in range(80):
        table = simulated(rng, 16, lambda _, base: base)
        found = summarise(table, INTERVALS)
        values = found["turned_over_base_holm"].drop_nulls()
        claims.append((values <= 0.05).any())
    assert np.mean(claims) <= 0.11  # 0.05 and two errors of 80 studies


def test_a_known_effect_is_found():
    rng = np.random.default_rng(1)
    table = simulated(
        rng, 40, lambda kind, base: min(1, base + 0.4 * (kind == "result"))
    )
    found = by_kind(summarise(table, INTERVALS))
    assert found["result"]["turned_over_base_holm"] < 0.05
    assert found["operand"]["turned_over_base_holm"] > 0.05


def test_only_the_word_is_tested_against_the_own_thought():
    rates = {"result": 3, "wait": 9, "external": 15}
    rows = [
        row(kind, k, corrected=k < rates[kind], correct=k < rates[kind])
        for kind in rates
        for k in range(20)
    ]
    found = contrasts(MISTAKES.frame(rows), INTERVALS)
    table = {one["contrast"]: one for one in found.to_dicts()}
    user, wait = table["external"], table["wait"]
    assert (user["own"], user["other"]) == (0.15, 0.75)
    assert user["difference"] == pytest.approx(0.6)
    assert wait["difference"] == pytest.approx(0.3)
    assert wait["difference_holm"] == wait["difference_p"] < 0.05
    assert user["difference_p"] is None


def test_turns_stand_beside_the_planted_probability():
    rng = np.random.default_rng(2)
    rows = [
        boundary(kind, k, bool(rng.random() < rate), planted=rate)
        for kind, rate in (("none", 0.4), ("planted", 0.78))
        for k in range(300)
    ]
    rows += [boundary("planted", k, turned=True, place="final") for k in range(300)]
    rows += [boundary("planted", 300, turned=False) | {"choice": None}]
    rows += [
        boundary("planted", 301, turned=False)
        | dict.fromkeys(("choice", "cause", "planted"))
    ]
    found = by_kind(planted_rates(BOUNDARIES.frame(rows), INTERVALS), "all")
    planted = found["planted"]
    assert (planted["draws"], planted["unread"], planted["unreached"]) == (302, 1, 1)
    assert abs(planted["difference"]) < 0.06
    assert (
        planted["difference_low"] < planted["difference"] < planted["difference_high"]
    )
    assert planted["over_base_holm"] < 0.001
    assert found["none"]["over_base_p"] is None
    assert found["none"]["planted"] == pytest.approx(0.4)


def test_equal_rows_in_another_order_give_equal_numbers():
    rows = [row(kind, k, turned=k % 3 == 0) for kind in KINDS for k in range(20)]
    one, other = (summarise(MISTAKES.frame(r), INTERVALS) for r in (rows, rows[::-1]))
    assert one.drop("tokens").equals(other.drop("tokens"))
    assert pl.Series(one["tokens"]).to_list() == pytest.approx(
        other["tokens"].to_list()
    )
