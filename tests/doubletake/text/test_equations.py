"""False equations are found, and true or unreadable text gives no slip."""

import json

import pytest

from doubletake.running.digests import SCRIPTS
from doubletake.text.equations import first_slip, slips_of

TRUE_OR_UNREADABLE = [
    "19 + 9 = 28, not 18.",
    "3 + 4 + 5 = 12",
    "2 * 3 + 4 = 10",
    "$500 + $800 + $130 = $1430.",
    "(2+3) * 4 = 20",
    "6 * 7 = 42 + 1",
    "5 + 5 = 10 - 1",
    "3x + 2 = 8",
    "75 - 35 = 2C",
    "44 + 7 = 3(n + 7)",
    "2 \\times 3 + 4 = 11",
    "3x4x2=24",
    "1 / 2 = 50%",
    "50% * 40 = 20",
    "10 / 3 = 3.33",
    "10 / 1.5 = 6.666...",
    "30/9 = 3 1/3",
    "16 / 5 = 3 R 1",
    "0.6667 * 9 = 6",
    "12 - 15 = -3",
    "1,200 + 300 = 1,500.",
    "12/2 = 66/C",
    "5 / 0 = 1",
    "S2 + 45 = 200",
    "x \u00d7 3 + 4 = 10",
]


@pytest.mark.parametrize("text", TRUE_OR_UNREADABLE)
def test_what_is_true_or_cannot_be_read_is_no_slip(text):
    assert first_slip(f"So {text}") is None


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("So 9 + 9 = 19. Wait", "19", "18"),
        ("49 + 6 = 45", "45", "55"),
        ("he pays 5 * 3 = $16 each", "16", "15"),
        ("1,200 + 300 = 1,501.", "1501", "1500"),
        ("13\u00d776= 996. So", "996", "988"),
        ("4 \\times 5 = 25", "25", "20"),
        ("7 \u2212 9 = 2", "2", "-2"),
        ("7 / 2 = 3.6", "3.6", "3.5"),
        ("10 / 3 = 3.4", "3.4", "10/3"),
    ],
)
def test_a_false_equation_is_a_slip(text, wrong, right):
    slip = first_slip(text)
    assert slip is not None
    assert (slip.wrong, slip.right) == (wrong, right)
    assert slip.equation in text


def test_the_first_comes_first_and_all_come():
    text = "1 + 1 = 2. 2 + 2 = 5. 3 + 3 = 7."
    assert [slip.wrong for slip in slips_of(text)] == ["5", "7"]
    assert text[first_slip(text).number_start] == "5"


def test_the_planted_slips_of_the_labelled_traces_are_found_exactly():
    path = SCRIPTS.parents[1] / "resources/pocket/labelled_traces.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    planted = 0
    for row in rows:
        wrong = {a["value"] for a in row["arrivals"]} - {row["gold"]}
        slip = first_slip(row["thought"])
        assert (slip is not None) == bool(wrong), row["id"]
        planted += bool(wrong)
    assert planted >= 5
