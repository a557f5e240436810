"""Canonical numbers, gold numbers, final answers and their equality."""

import ast
import json
import os
from pathlib import Path

import pytest

from doubletake.running.errors import InputError
from doubletake.text.answers import (
    canonical,
    last_boxed,
)
from doubletake.text.equality import same_value
from doubletake.text.final_answers import final_answer
from doubletake.text.golds import gold_of

DATA = os.environ.get("DOUBLETAKE_DATA")
needs_data = pytest.mark.skipif(
    not DATA, reason="DOUBLETAKE_DATA does not name the folder of reference data"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1,200.00", "1200"),
        ("1,200", "1200"),
        ("1{,}200", "1200"),
        (r"\$1{,}200", "1200"),
        (r"\(1\,200\)", "1200"),
        ("1 000", "1000"),
        ("0.50", "0.5"),
        (".5", "0.5"),
        ("007", "7"),
        ("-0", "0"),
        ("-5", "-5"),
        ("\N{MINUS SIGN}5", "-5"),
        ("-$5", "-5"),
        ("25%", "25"),
        (r"25\%", "25"),
        ("3/4", "0.75"),
        ("6/3", "2"),
        ("1/3", "1/3"),
        ("-2/6", "-1/3"),
        (r"\frac{3}{4}", "0.75"),
        (r"\dfrac{10}{9}", "10/9"),
        ("2 1/2", "2.5"),
        ("**48**", "48"),
        ("forty-eight", "48"),
        ("two hundred and five", "205"),
        ("three thousand four hundred", "3400"),
        ("12:30", "12:30"),
        ("\N{ARABIC-INDIC DIGIT THREE}\N{ARABIC-INDIC DIGIT FOUR}", "34"),
        ("18 ", "18"),
    ],
)
def test_canonical(text, expected):
    assert canonical(text) == expected


@pytest.mark.parametrize("text", ["", "x", "1 and 2", "5 apples", "1/0", "two three"])
def test_canonical_refuses_what_is_not_one_number(text):
    with pytest.raises(InputError, match="not a number"):
        canonical(text)


def test_canonical_of_a_million_digits_is_fast_enough_to_return():
    assert canonical("0" + "7" * 1_000_000) == "7" * 1_000_000


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("5 + 3 = <<5+3=8>>8\n#### 8", "8"),
        ("#### 1,200", "1200"),
        ("#### -3", "-3"),
        ("a #### 1\n#### $2.50", "2.5"),
    ],
)
def test_gold(answer, expected):
    assert gold_of(answer) == expected


@pytest.mark.parametrize("answer", ["no mark 8", "#### ", "#### eight-ish", ""])
def test_gold_refuses_malformed_answers(answer):
    with pytest.raises(InputError):
        gold_of(answer)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"first \boxed{3}, then \boxed{48}", "48"),
        (r"\boxed{\text{48 apples}}", "48"),
        (r"\boxed{\$1{,}200}", "1200"),
        (r"\boxed{18 \text{ dollars}}", "18"),
        (r"\boxed{\frac{3}{4}}", "0.75"),
        (r"\boxed{x^2 + 1}", "x^2 + 1"),
        (r"\boxed{2p}", "2p"),
        (r"\boxed{48", "48"),
        ("The answer is 48 apples for 3 people.", "48"),
        ("The answer is that 3 people get **16** apples.", "16"),
        ("**Answer:** 7 days", "7"),
        ("She has 5, then 7.", "7"),
        ("So 3 and 4\n#### 12", "12"),
        ("I cannot say.", None),
        ("", None),
    ],
)
def test_final_answer(text, expected):
    assert final_answer(text) == expected


def test_braces_of_the_last_box_are_balanced():
    assert last_boxed(r"\boxed{a{b}\}c} d}") == r"a{b}\}c"


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("48", "48.0", True),
        ("0.75", "3/4", True),
        ("1/3", "0.3333", False),
        ("1200", "$1,200", True),
        ("5", "-5", False),
        ("7:30", "7:45", False),
        ("48", "", False),
        (r"\sqrt{4}", "2", False),  # no LaTeX environment around it: unread
        (r"$\sqrt{4}$", "$2$", True),
    ],
)
def test_same_value(a, b, expected):
    assert same_value(a, b) is expected


def _cases() -> list[dict]:
    if not DATA:
        return []
    path = Path(DATA) / "grader_cases" / "math_verify_cases.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@needs_data
def test_every_published_case_agrees():
    cases = _cases()
    wrong = []
    for index, case in enumerate(cases):
        extra = case.get("extra") or {}
        types = ast.literal_eval(case["match_types"]) if case["match_types"] else None
        verdict = same_value(
            case["gold"],
            case["prediction"],
            notations=types or ("latex", "expr"),
            precision=extra.get("precision", 6),
            strict=extra.get("strict", True),
            sets_as_relations=extra.get("allow_set_relation_comp", False),
        )
        if verdict != case["expected"]:
            wrong.append((index, case["gold"], case["prediction"], case["expected"]))
    assert len(cases) == 268
    assert not wrong
