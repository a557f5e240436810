"""The quantity that a question asks for."""

import pytest

from doubletake.detector.asked_quantity import read_question, stem


def test_numbers_and_units():
    asked = read_question(
        "Chips cost 40 cents and candy bars 75 cents. He spent $5 in 2 days. "
        "How many candy bars did he buy?"
    )
    assert asked.given_numbers == {"40", "75", "5", "2"}
    assert asked.answer_units == {"candy", "bar"}
    assert {"cent", "day"} <= asked.counted_nouns
    assert not asked.may_be_money


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
    assert read_question(question).fits(before, after) is fits


@pytest.mark.parametrize(
    "question",
    [
        "How much does he pay in 3 days?",
        "How old is she?",
        "",
        "How many like to swim?",
    ],
)
def test_without_a_counted_noun_all_units_fit(question):
    assert read_question(question).fits("$", " days")


def test_money_and_percentages_fit_if_the_question_asks_for_them():
    assert read_question("How many dollars does he have?").fits("$", "")
    assert read_question("How many percent of the apples?").fits("", "%")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("berries", "berry"), ("boxes", "box"), ("cats", "cat"), ("grass", "grass")],
)
def test_stem(word, expected):
    assert stem(word) == expected
