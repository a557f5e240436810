"""Numbers and foreign text, as the page shows them."""

import pytest

from doubletake.page import wording
from doubletake.running.visible_text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nof two lines", "plain\ttext\nof two lines"),
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\u240db"),
        ("\x1b[31m\x00\x7f", "\u241b[31m\u2400\u2421"),
        ("\x85", "\ufffd"),
        ("\u202eevil\u202c\u2066", "[U+202E]evil[U+202C][U+2066]"),
        ("\u200b\ufeff", "[U+200B][U+FEFF]"),
        ("\ud800\uffff", "\ufffd\ufffd"),
        ("Ünïcödé 数 👍\u200d🏽", "Ünïcödé 数 👍\u200d🏽"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("function", "arguments", "text"),
    [
        (wording.count, (1319,), "1,319"),
        (wording.count, (None,), "–"),
        (wording.plural, (1, "study", "studies"), "1 study"),
        (wording.plural, (1200, "study", "studies"), "1,200 studies"),
        (wording.real, (-1234.56, 1), "−1,234.6"),
        (wording.real, (-0.04, 1), "0.0"),
        (wording.real, (float("nan"),), "–"),
        (wording.percent, (0.8432,), "84.3%"),
        (wording.percent, (None,), "–"),
        (wording.points, (0.117,), "+11.7"),
        (wording.points, (-0.117,), "−11.7"),
        (wording.probability, (0.93123,), "0.931"),
        (wording.probability, (0.99999,), "> 0.999"),
        (wording.probability, (1.0,), "1.000"),
        (wording.probability, (0.0001,), "< 0.001"),
        (wording.significant, (0.0000312,), "3.12 × 10⁻⁵"),
        (wording.significant, (-2.5e9,), "−2.50 × 10⁹"),
        (wording.significant, (812.0,), "812"),
        (wording.significant, (0.05,), "0.05"),
        (wording.significant, (0.0,), "0"),
        (wording.significant, (None,), "not measured"),
        (wording.significant, (float("nan"),), "not a number"),
        (wording.significant, (float("inf"),), "infinite"),
        (wording.duration, (1.234,), "1.2\u202fs"),
        (wording.duration, (193,), "3\u202fmin 13\u202fs"),
        (wording.duration, (119.7,), "2\u202fmin 00\u202fs"),
        (wording.duration, (7500,), "2\u202fh 05\u202fmin"),
        (wording.memory, (612.5,), "612\u202fMiB"),
        (wording.memory, (4096,), "4.0\u202fGiB"),
        (wording.listed, (["a"],), "a"),
        (wording.listed, (["a", "b", "c"],), "a, b and c"),
        (wording.quoted, ('a "b"\n',), '"a \\"b\\"\\n"'),
    ],
)
def test_numbers_are_written_for_people(function, arguments, text):
    assert function(*arguments) == text
