"""Numbers and reference answers that an earlier version read wrongly.

They lie in the folder `cases` of the real data: numerals of other notations and
languages, reference answers of other data sets, and final answers in common forms.
"""

import json
from pathlib import Path

import polars as pl
import pytest
from test_cases import POCKET, imported, model

from doubletake.detector.rules_detector import detect
from doubletake.running.errors import InputError
from doubletake.text.golds import gold_of
from doubletake.text.grading import Task, judged
from doubletake.user_files.reading import DatasetSettings
from problems.retrieve import main
from problems.tables import PROBLEMS


@pytest.fixture
def cases(data_folder) -> Path:
    return data_folder / "cases"


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_final_answers_in_common_forms(cases, tmp_path):
    path = cases / "19-final-answers-graded/thoughts.jsonl"
    _, traces = imported(path, model(POCKET), tmp_path)
    wrong = traces.filter(~pl.col("correct"))["text"].to_list()
    assert traces.height == 16
    assert not wrong


@pytest.mark.parametrize(
    ("name", "arrivals", "answer"),
    [
        ("chinese", {"25"}, "25"),
        ("chinese-numerals", None, "25"),
        ("german-decimal", {"1250"}, "1250"),
        ("indian-plain", ["100000", "100000"], "100000"),
        ("half", ["3.5", "3.5"], "3.5"),
        ("neg-point", ["-0.5", "-0.5"], "-0.5"),
        ("words", ["12", "12"], "12"),
        ("crlf", ["25", "25"], "25"),
        ("bullets", ["25", "25"], "25"),
    ],
)
def test_numerals_of_other_notations(cases, name, arrivals, answer):
    rows = rows_of(cases / "10-other-languages-and-numerals/thoughts.jsonl")
    (row,) = (row for row in rows if row["id"] == name)
    gold = gold_of(row["gold"], row["question"])
    verdict = judged(row["answer"], Task(gold, row["question"], row["thought"]))
    assert verdict == (answer, True)
    values = [item.value for item in detect(row["question"], row["thought"]).arrivals]
    if isinstance(arrivals, set):  # how many depends on the cues of a language
        assert set(values) == arrivals
    elif arrivals is not None:
        assert values == arrivals


GOLDS = {
    "approx": "not a number: '~25'",
    "choice": ["B"],
    "dup": ["25", "26"],
    "gsm-plus": ["25"],
    "indian": ["100000"],
    "math-as-gsm": ["0.25"],
    "math-radical": [r"2\sqrt{2}"],
    "minus": ["-25"],
    "nospace": ["25"],
    "percent": ["12.5"],
    "range": "not a number: '20-25'",
    "text": "not a number: 'Paris'",
    "two-golds": "not a number: '25 or 26'",
    "yesno": "not a number: 'yes'",
}


@pytest.mark.parametrize(("name", "expected"), GOLDS.items())
def test_golds_of_other_sets(cases, tmp_path, name, expected):
    path = cases / f"14-golds-of-other-sets/{name}.jsonl"
    source = DatasetSettings(str(path))
    target = tmp_path / "problems.parquet"
    if isinstance(expected, str):
        with pytest.raises(
            InputError, match=f"line 1: {expected}.*expression in LaTeX"
        ):
            main(problems_path=target, settings=source)
    else:
        main(problems_path=target, settings=source)
        assert PROBLEMS.read(target)["gold"].to_list() == expected


def test_a_gold_of_math_500(cases):
    (row,) = rows_of(cases / "14-golds-of-other-sets/math500.jsonl")
    assert gold_of(row["answer"]) == gold_of(row["solution"]) == "0.25"
