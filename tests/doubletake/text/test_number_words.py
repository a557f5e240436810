"""Numbers in English words and in Chinese numerals."""

import pytest

from doubletake.text.numerals import numerals


def values(text):
    return [item.value for item in numerals(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("twenty-five, a hundred and five", ["25", "105"]),
        ("two million three hundred thousand", ["2300000"]),
        ("three and a half hours", ["3.5"]),
        ("negative twenty, is minus five, ten minus five", ["-20", "-5", "10", "5"]),
        ("three quarters, two thirds", []),  # coins, or a fraction?
        ("two three", []),
    ],
)
def test_english(text, expected):
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("二十五", ["25"]),
        ("三千五百", ["3500"]),
        ("一千零五", ["1005"]),
        ("一千二百万", ["12000000"]),
        ("十二万三千", ["123000"]),
        ("三点五", ["3.5"]),
        ("三分之一", ["1/3"]),
        ("百分之二十五", ["25"]),
        ("负五十", ["-50"]),
        ("二〇二四", ["2024"]),
        ("四乘九等于三十六", ["4", "9", "36"]),
        ("3万", ["30000"]),
        ("共36个", ["36"]),
        ("25千克, 三千克", ["25"]),  # kilograms; 3 kilograms, or 3000 grams
        ("我们一起, 一共, 千万不要", []),
    ],
)
def test_chinese(text, expected):
    assert values(text) == expected
