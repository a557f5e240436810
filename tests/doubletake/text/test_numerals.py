"""Numbers in a text."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubletake.text.numerals import fraction_text, numerals, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 12 to 1,200.50 and $18.00", ["12", "1200.5", "18"]),
        (
            "40 -21, 5-3 and x = -3, (-2), is -$5",
            ["40", "21", "5", "3", "-3", "-2", "-5"],
        ),
        ("1,2345 and 0,111", ["1.2345", "0.111"]),
        (r"\frac{3}{4} or \dfrac{1}{3}, 2\frac{1}{2}", ["0.75", "1/3", "2.5"]),
        ("3/5 of 50 and 2 1/2", ["0.6", "50", "2.5"]),
        ("at 7:30, 2:00 or ratio 3:5", ["7:30", "2", "3", "5"]),
        (r"\$1{,}200 or 1,\!360", ["1200", "1360"]),
        ("1.45 million and 3 thousand", ["1450000", "3000"]),
        ("forty-eight, two hundred and five", ["48", "205"]),
        ("someone, tension, oneself", []),
        ("fig.5 and .5", ["5", "0.5"]),
        ("\N{FULLWIDTH DIGIT FOUR}\N{ARABIC-INDIC DIGIT TWO}", ["42"]),
        ("1\u202f200 or \N{MINUS SIGN}7", ["1200", "-7"]),
        ("5/0", []),
        (r"\frac34, \frac 12, 2\frac12, \frac{-3}{4}", ["0.75", "0.5", "2.5", "-0.75"]),
        (r"\frac345, \frac{x}{4}", ["4"]),  # x/4 holds the number 4
        ("3½, ½, 3 ½, ³⁄₄, 1⁄2", ["3.5", "0.5", "3.5", "0.75", "0.5"]),
        ("-.5, x = -.5, +5", ["-0.5", "-0.5", "5"]),
        ("1,00,000 or 12,34,567", ["100000", "1234567"]),
        ("14 {,}916, 14 {, }916", ["14916", "14916"]),
        (r"1~000 1{,}000 1\,000 1'000 1_000", ["1000"] * 5),
        ("1 000 and 12 050; 3 200 ml", ["1000", "12050", "3", "200"]),
        ("the answer is 1 200, x = 1 200", ["1200", "1200"]),
        ("1.250.000 and 1 000,50", ["1250000", "1000.5"]),
        ("3,5 and (3,5) and 1,2,3", ["3.5"]),
        ("1.2.3, 1,2345,6, 12/15/2024", []),
        (r"1.5e6, 2 \times 10^3, 3 × 10⁻²", ["1500000", "2000", "0.03"]),
        ("1:02:03", ["1:02:03"]),
        ("4×9=36，36-11=25", ["4", "9", "36", "36", "11", "25"]),
        ("١٬٢٠٠٫٥", ["1200.5"]),
        ("x1, H2O, cm^2, x_1, 5²", []),
        (r"4x9, RM50, \times5, US$5", ["4", "9", "50", "5", "5"]),
        ("3 and a half, 5 hundred, 2 lakh", ["3.5", "500", "200000"]),
    ],
)
def test_values(text, expected):
    assert [item.value for item in numerals(text)] == expected


def test_spans_hold_the_number_alone():
    text = "It is $1,200.00, or twenty-one."
    assert [text[item.start : item.end] for item in numerals(text)] == [
        "1,200.00",
        "twenty-one",
    ]


@given(st.text(st.characters(codec="utf-8")))
def test_plain_keeps_the_length(text):
    assert len(plain(text)) == len(text)


@given(
    st.text(st.characters(codec="utf-8"))
    | st.text("0123456789.,/:-$ \\frac{}onetwy", max_size=60)
)
def test_spans_are_ordered_and_read_again_to_the_same_value(text):
    end = 0
    for item in numerals(text):
        assert end <= item.start < item.end <= len(text)
        end = item.end
        again = [part.value for part in numerals(text[item.start : item.end])]
        assert again == [item.value]


@given(st.fractions(max_denominator=10**6))
def test_equal_values_have_equal_text(value):
    text = fraction_text(value)
    assert Fraction(text) == value
    assert fraction_text(Fraction(text)) == text
