"""Numbers of a study with their intervals, in words."""

import polars as pl
import pytest

from doubletake.page.reader import reader_note, who_turns, whose
from doubletake.page.study_data import StudyData, mean_difference

INTERVALS = {"confidence": 0.9, "least_problems": 10}


def data_of(**settings):
    return StudyData("tiny", "data", {}, {"intervals": INTERVALS} | settings)


def two(value):
    return f"{value:.2f}"


@pytest.mark.parametrize(
    ("low", "problems", "text"),
    [
        (0.1, 12, "0.10 to 0.30"),
        (None, 9, "not checked: 9 problems"),
        (None, 1, "not checked: 1 problem"),
        (None, 10, "none: equal on all 10 problems"),
    ],
)
def test_an_interval_in_words(low, problems, text):
    high = None if low is None else 0.3
    row = {"low": low, "high": high, "auroc_low": low, "auroc_high": high}
    row["problems"] = problems
    assert data_of().between(row, two) == text
    assert data_of().between(row, two, "auroc") == text


def test_the_note_names_coverage_and_least_number():
    note = data_of().interval_note
    assert note == "Intervals: 90%, over problems; none of fewer than 10 problems."


def test_a_difference_of_few_problems_has_no_interval():
    values = pl.Series([1, 0, 0, -1, 1, 0, 0, 1, 1, 0, 0, 1], dtype=pl.Int8)
    problems = pl.Series([f"{k}" for k in range(12)])
    gain = mean_difference(values, problems, INTERVALS)
    assert gain.low < gain.mean == 4 / 12 < gain.high
    assert (gain.n, gain.problems, gain.changed) == (12, 12, 6)
    few = mean_difference(values.head(9), problems.head(9), INTERVALS)
    assert (few.low, few.high, few.problems) == (None, None, 9)
    same = mean_difference(values, pl.Series(["a", "b"] * 6), INTERVALS)
    assert (same.low, same.problems) == (None, 2)
    assert mean_difference(values.head(0), problems.head(0), INTERVALS) is None


def test_a_model_that_wrote_its_thoughts_is_no_reader():
    own = data_of(generation={})
    assert (reader_note(own), who_turns(own), whose(own)) == ("", "tiny", "of tiny")
    assert who_turns(data_of()) == "the thought"
    assert whose(data_of()) == "that tiny reads"
