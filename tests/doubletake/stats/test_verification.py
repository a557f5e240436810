"""Draws of cases: order, budget and minimum. The largest of several errors."""

import math

import pytest

from doubletake.stats.draws import ranked_by_digest
from doubletake.stats.verification import (
    Case,
    Largest,
    Verification,
    affordable,
    drawn,
    with_verification,
)

NAMES = [(f"{k:05d}/0", k) for k in range(100)]
CASES = [Case(name, 10 + name[1]) for name in NAMES]


def names(cases):
    return [case.name for case in cases]


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 1.0])
def test_the_budget_is_kept_and_the_next_case_would_exceed_it(share):
    work = sum(case.cost for case in CASES)
    found = drawn(CASES, work, Verification(share, 0, 3))
    order = [
        dict(zip(NAMES, CASES, strict=True))[name]
        for name in ranked_by_digest(NAMES, 3)
    ]
    assert found == order[: len(found)]
    assert sum(case.cost for case in found) <= share * work
    rest = order[len(found) :]
    if rest:
        assert sum(case.cost for case in found) + rest[0].cost > share * work


@pytest.mark.parametrize(("minimum", "count"), [(0, 0), (7, 7), (1000, 100)])
def test_the_minimum_is_taken_whatever_it_costs(minimum, count):
    assert len(drawn(CASES, 1.0, Verification(0.1, minimum, 0))) == count


def test_a_larger_share_only_adds_cases():
    work = sum(case.cost for case in CASES)
    few = drawn(CASES, work, Verification(0.1, 1, 0))
    more = drawn(CASES, work, Verification(0.3, 1, 0))
    assert names(more)[: len(few)] == names(few)


def test_the_shared_cost_of_a_group_counts_once():
    cases = [
        Case(("a", 0), 1, ("a",), 5),
        Case(("a", 1), 1, ("a",), 5),
        Case(("b", 0), 1, ("b",), 5),
    ]
    for budget, count in ((5, 0), (6, 1), (7, 2), (12, 2), (13, 3)):
        assert len(affordable(cases, budget, Verification(1.0, 0, 0))) == count


def test_no_cases_give_an_empty_draw():
    assert drawn([], 0.0, Verification(0.1, 8, 0)) == []


def test_the_section_of_the_config_becomes_settings():
    section = {"share": 0.2, "minimum": 3, "seed": 4}
    found = with_verification({"top": 5, "verification": section})
    assert found == {"top": 5, "verification": Verification(0.2, 3, 4)}


def test_the_largest_of_no_errors_is_none():
    worst = Largest()
    worst.add(0.0, 0)
    assert (worst.value, worst.n) == (None, 0)


@pytest.mark.parametrize("errors", [(0.5, math.nan, 0.1), (math.nan, 2.0), (math.nan,)])
def test_a_nan_stays(errors):
    worst = Largest()
    for error in errors:
        worst.add(error)
    assert math.isnan(worst.value)
    assert worst.n == len(errors)


def test_the_largest_counts_its_cases():
    worst = Largest()
    for error, cases in ((0.0, 4), (0.5, 2), (0.1, 1)):
        worst.add(error, cases)
    assert (worst.value, worst.n) == (0.5, 7)
