"""Boundaries and causes of a known thought, as rows of the table."""

import pytest
from tiny_traces import make_trace

from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from pocket.reading import LANGUAGE, turn_rate
from problems.tables import PROBLEMS
from traces.tables import TRACES
from truth.read import first_token, main, read_truth, truth_rows
from truth.tables import TRUTH

QUESTION = "Tom has 18 apples. He also has 7 pears. He finds 8. How many apples now?"
THOUGHT = (
    "18 + 8 = 27. This was quick to find. Wait, 18 + 8 = 27 is not right. "
    "18 + 8 = 26.\n\nHmm, what about the 7 pears? They do not count. "
    "So the answer is 26. Bananas grow. So the final answer is 26."
)


@pytest.fixture(scope="module")
def trace(model):
    tokenizer = load_tokenizer(model)
    text = f"\n{THOUGHT}\n</think>\n\nThe answer is 26."
    return make_trace(tokenizer, text) | {"problem": "a"}


@pytest.fixture(scope="module")
def rows(trace):
    return truth_rows(trace, QUESTION)


def test_every_boundary_has_its_choice_cause_and_rate(rows):
    found = [
        (row["boundary"], row["word"], row["choice"], row["cause"], row["turns"])
        for row in rows
    ]
    assert found == [
        (1, "This", "go_on", "slip", 0),
        (2, "Wait", "turn", "slip", 0),
        (3, "Hmm", "turn", "distractor", 1),
        (4, "Bananas", None, "none", 2),
        (5, "So", "wrap_up", "none", 2),
    ]
    assert [row["causes"] for row in rows] == [2, 2, 1, 0, 0]
    planted = [turn_rate(row["cause"], row["turns"]) for row in rows]
    assert [row["probability"] for row in rows] == planted


def test_characters_are_those_of_the_completion_or_of_the_question(trace, rows):
    text = trace["text"]
    assert text[rows[1]["start"] : rows[1]["end"]] == (
        "Wait, 18 + 8 = 27 is not right."
    )
    slip, number = rows[0], rows[2]
    assert text[slip["cause_start"] : slip["cause_end"]] == "18 + 8 = 27"
    assert (slip["cause_in"], number["cause_in"]) == ("thought", "question")
    assert QUESTION[number["cause_start"] : number["cause_end"]] == "7"
    assert rows[3]["cause_start"] is rows[3]["cause_in"] is None


def test_the_token_is_the_first_of_the_sentence(trace, rows):
    for row in rows:
        index = row["token"] - len(trace["prompt_ids"])
        start = trace["offsets"][index]
        assert trace["text"][start : row["end"]].lstrip().startswith(row["word"])
        assert start >= row["start"] - 1


def test_a_token_that_holds_the_sentence_before_is_no_first_token(trace):
    joined = {"text": "No.Wait", "offsets": [0, 2], "prompt_ids": [0]}
    assert first_token(joined, 3) is None
    apart = joined | {"text": "No. Wait", "offsets": [0, 3]}
    assert first_token(apart, 4) == 2


def test_unread_boundaries_are_counted(trace):
    truth, checks = read_truth(TRACES.frame([trace]), {"a": QUESTION})
    assert checks.select("value", "n", "bound").row(0) == (0.2, truth.height, 0.02)


def test_no_boundary_is_not_checked():
    _, checks = read_truth(TRACES.frame([]), {})
    assert checks.select("value", "n").row(0) == (None, 0)


@pytest.mark.parametrize("key", [f"planted_language: {LANGUAGE}", "license: mit", None])
def test_without_a_planted_language_the_tables_are_empty(tmp_path, trace, key):
    card = tmp_path / "README.md"
    card.write_text(f"---\n{key}\n---\n")
    problem = {"problem": "a", "question": QUESTION, "gold": "26", "solution": ""}
    PROBLEMS.write(PROBLEMS.frame([problem]), tmp_path / "problems")
    TRACES.write(TRACES.frame([trace]), tmp_path / "traces")
    main(
        problems_path=tmp_path / "problems",
        traces_path=tmp_path / "traces",
        card_path=card if key else None,
        truth_path=tmp_path / "truth",
        verification_path=tmp_path / "verification",
    )
    planted = bool(key) and LANGUAGE in key
    assert TRUTH.read(tmp_path / "truth").height == (5 if planted else 0)
    assert VERIFICATION.read(tmp_path / "verification").height == planted
