"""Files of thoughts that users bring."""

import json

import polars as pl
import pytest

from doubletake.detector.user_thoughts import ThoughtAndAnswer, read_thoughts
from doubletake.running.errors import InputError

THOUGHT = {"id": "a", "question": "5 + 3?", "thought": "It is 8."}


@pytest.fixture
def write(tmp_path):
    def write_rows(*rows) -> str:
        path = tmp_path / "rows.jsonl"
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("\n".join(lines))
        return str(path)

    return write_rows


def test_optional_columns_may_be_missing(write):
    (row,) = read_thoughts(write(THOUGHT))
    assert (row.id, row.gold) == ("a", None)
    assert row.content == ThoughtAndAnswer("It is 8.", 0, None, closed=False)


def test_gold_and_answer_in_any_form(write):
    (row,) = read_thoughts(write(THOUGHT | {"gold": "$1,200.00", "answer": 1200}))
    assert (row.gold, row.content.answer) == ("1200", "1200")


def test_a_thought_ends_at_its_marker(write):
    text = "It is 8.</think>Done\\boxed{8}"
    (row,) = read_thoughts(write(THOUGHT | {"thought": text}))
    assert row.content.thought == "It is 8."
    assert row.content.answer == "Done\\boxed{8}"
    assert row.text == text


@pytest.mark.parametrize(
    ("given", "answer", "closed"),
    [
        ({}, None, False),
        ({"answer": None, "closed": None}, None, False),
        ({"answer": " \n"}, None, False),
        ({"answer": 0}, "0", True),
        ({"answer": 18.0}, "18.0", True),
        ({"answer": 1e16}, "10000000000000000", True),
        ({"answer": 1.5e-05}, "0.000015", True),
        ({"answer": "</think>\n\n8"}, "8", True),
        ({"thought": "\ufeff<think>\nIt is 8.</think>8"}, "8", True),
        ({"answer": "8", "closed": None}, "8", True),
        ({"closed": True}, None, True),
        ({"thought": "It is 8.</think>"}, None, True),
        ({"thought": "<think>\nIt is 8.\n</think>\n\n8", "answer": ""}, "8", True),
        ({"thought": "<think>It is 8.</think>8", "answer": "is 8"}, "is 8", True),
    ],
)
def test_missing_null_zero_and_text_are_told_apart(write, given, answer, closed):
    (row,) = read_thoughts(write(THOUGHT | given))
    assert row.content.thought == "It is 8."
    assert (row.content.answer, row.content.closed) == (answer, closed)
    assert row.text[row.content.start :].startswith("It is 8.")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"id": "b", "question"', "line 2: not valid JSON"),
        ("[1]", "line 2: not a JSON object"),
        ({"id": "b", "question": "?"}, "line 2: no 'thought'"),
        (THOUGHT | {"thought": 5}, "line 2: 'thought' is 5, not a text"),
        (THOUGHT | {"id": ["b"]}, r"line 2: 'id' is \['b'\]"),
        (THOUGHT | {"gold": ["8"]}, r"line 2: 'gold' is \['8'\], neither text nor"),
        (THOUGHT | {"answer": {}}, "line 2: 'answer' is {}, neither text nor number"),
        (THOUGHT | {"answer": True}, "line 2: 'answer' is True, neither"),
        (THOUGHT | {"closed": "no"}, "line 2: 'closed' is 'no', not true or false"),
        (THOUGHT | {"closed": 0}, "line 2: 'closed' is 0, not true or false"),
        (THOUGHT | {"closed": False, "answer": 8}, "'closed' is false, but there is"),
        (
            THOUGHT | {"thought": "8</think>", "closed": False},
            "'closed' is false, but there is an end marker",
        ),
        (THOUGHT | {"answer": float("nan")}, "line 2: 'answer' is nan, neither"),
        (THOUGHT | {"gold": float("inf")}, "line 2: 'gold' is inf, neither"),
        (THOUGHT | {"gold": "abc"}, "line 2: .*abc"),
        (
            THOUGHT | {"thought": "It is 5.</think>It is 5.", "answer": 8},
            "'answer' is '8', but the text after the end marker in 'thought' is",
        ),
        (THOUGHT | {"thought": "Sure. <think>8</think>8"}, "marker '<think>' inside"),
        (THOUGHT | {"thought": "<THINK>8</THINK>8"}, "marker '<THINK>' inside"),
    ],
)
def test_a_bad_thought_is_named_with_its_line(write, row, message):
    with pytest.raises(InputError, match=message):
        read_thoughts(write(THOUGHT, row))


def test_a_file_of_another_kind_is_named(tmp_path):
    with pytest.raises(InputError, match=r"own\.txt: the name must end in one of \."):
        read_thoughts(tmp_path / "own.txt")


def test_rows_may_come_as_parquet(tmp_path):
    path = tmp_path / "rows.parquet"
    pl.DataFrame([THOUGHT]).write_parquet(path)
    (thought,) = read_thoughts(path)
    assert thought.content.thought == "It is 8."
