"""Which sign a text writes before decimals."""

import pytest

from doubletake.text.decimal_marks import decimal_mark
from doubletake.text.numerals import numerals


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Ein Stift kostet 1,25 Euro.", ","),
        ("1.250,00 Euro", ","),
        ("It costs $1.25.", "."),
        ("1,250.00", "."),
        ("1.250 and 1,250", None),
        ("1,25 and 1.25", "."),
        ("0,5 of 1,250", None),  # a decimal comma and a group of thousands
        ("the points (3,5) and [1,2]", None),
        ("1,2,3 on 12.05.2024", None),
        ("", None),
    ],
)
def test_mark(text, mark):
    assert decimal_mark(text) == mark


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (",", ["3.5", "1250", "1.25", "1250.5", "1250.5"]),
        (".", ["1.25", "1250", "1250.5", "1250.5"]),
        (None, ["3.5", "1.25", "1250", "1250.5", "1250.5"]),
    ],
)
def test_the_mark_decides_what_has_two_readings(mark, expected):
    text = "3,5 1.250 1,250 1.250,5 1,250.5"
    assert [item.value for item in numerals(text, mark)] == expected
