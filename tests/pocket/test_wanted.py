"""Bounds: what is inside, what is outside and what was not measured."""

import pytest

from pocket.wanted import WANTED, Bound, measured_table

HALF = {"a": {"b": 0.5}}


@pytest.mark.parametrize(
    ("low", "high", "reached", "wanted"),
    [
        (0.5, None, True, "at least 50.0%"),
        (0.6, None, False, "at least 60.0%"),
        (None, 0.5, True, "at most 50.0%"),
        (None, 0.4, False, "at most 40.0%"),
        (0.4, 0.6, True, "40.0% to 60.0%"),
        (0.1, 0.2, False, "10.0% to 20.0%"),
        (0.0, 0.6, True, "0.0% to 60.0%"),
    ],
)
def test_a_number_in_a_range(low, high, reached, wanted):
    bound = Bound("a number", "a.b", low, high)
    assert bound.measured(HALF) == 0.5
    assert bound.reached(HALF) is reached
    assert bound.wanted == wanted


def test_what_was_not_measured_is_not_reached_and_not_missed():
    assert Bound("a number", "a.b", low=1).reached({"a": {"b": None}}) is None


def test_an_unknown_key_is_a_mistake():
    with pytest.raises(KeyError):
        Bound("a number", "a.c", low=1).reached(HALF)


def test_the_table_has_a_row_for_every_bound():
    metrics: dict = {}
    for bound in WANTED:
        place = metrics
        *parents, last = bound.key.split(".")
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = bound.low if bound.low is not None else bound.high
    metrics["thoughts"]["accuracy"]["share"] = 0.1
    metrics["exits"]["all"]["auroc"] = None
    lines = measured_table(metrics).splitlines()[2:]
    assert len(lines) == len(WANTED)
    ends = [line.split(" | ")[-1].removesuffix(" |") for line in lines]
    assert ends.count("no") == ends.count("not checked") == 1
    assert ends.count("yes") == len(WANTED) - 2
    assert any("| not measured | at least 0.800 |" in line for line in lines)
