"""What a question asks for."""

import pytest

from doubletake.detector.asked import stem, what_is_asked


def test_numbers_and_units():
    asked = what_is_asked(
        "Chips cost 40 cents and candy bars 75 cents. He spent $5 in 2 days. "
        "How many candy bars did he buy?"
    )
    assert asked.numbers == {"40", "75", "5", "2"}
    assert asked.units == {"candy", "bar"}
    assert {"cent", "day"} <= asked.counted
    assert not asked.money


@pytest.mark.parametrize(
    ("before", "after", "fits"),
    [
        ("he has ", " candy bars.", True),
        ("he has ", ".", True),
        ("he has ", " cents left", False),
        ("he has $", " left", False),
        ("he has ", "% left", False),
        ("he has ", " delicious bars", True),
        ("The number of cents is ", ".", False),
        ("The number of bars is ", ".", True),
    ],
)
def test_only_contradictions_do_not_fit(before, after, fits):
    question = "Chips cost 40 cents, candy bars 75 cents. How many candy bars?"
    assert what_is_asked(question).fits(before, after) is fits


@pytest.mark.parametrize(
    "question",
    [
        "How much does he pay in 3 days?",
        "How old is she?",
        "",
        "How many like to swim?",
    ],
)
def test_without_a_counted_thing_all_units_fit(question):
    assert what_is_asked(question).fits("$", " days")


def test_money_and_percentages_where_they_are_asked():
    assert what_is_asked("How many dollars does he have?").fits("$", "")
    assert what_is_asked("How many percent of the apples?").fits("", "%")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("berries", "berry"), ("boxes", "box"), ("cats", "cat"), ("grass", "grass")],
)
def test_stem(word, expected):
    assert stem(word) == expected
