"""How forced answers are read, and which tokens their scores are of."""

import pytest

from doubletake.running.errors import InputError
from doubletake.text.tokenizer import load_tokenizer
from early_exit.forced_answers import AnswerPrompt, answer_columns
from early_exit.shared_prefill import Continuation


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(model)


@pytest.fixture(scope="module")
def prompt(tokenizer):
    text = "\n</think>\n\nThe answer is \\boxed{"
    return AnswerPrompt(tokenizer, text, "}", set())


@pytest.mark.parametrize(
    ("text", "answer", "length"),
    [
        ("19}", "19", 1),
        ("1,200}", "1200", None),
        ("\\$19 pens} is", "19", None),
        ("}", None, 0),
        ("pens}", None, None),
        ("19", "19", None),
        ("", None, 0),
        ("1 + 2}", None, None),
    ],
)
def test_reading_an_answer(tokenizer, prompt, text, answer, length):
    tokens = tokenizer.encode(text)
    if length is None:
        before = text.partition("}")[0]
        length = sum(start < len(before) for start in tokenizer.decode(tokens)[1])
    elif length == 1:
        length = len(tokenizer.encode("19"))
    assert prompt.read(tokens) == (answer, length)


def test_an_end_token_is_not_part_of_the_answer(tokenizer, prompt):
    end = sorted(tokenizer.stop_ids)[0]
    digits = tokenizer.encode("19")
    assert prompt.read([*digits, end]) == ("19", len(digits))
    assert prompt.ends([*digits, end])
    assert not prompt.ends(digits)
    assert prompt.read([end]) == (None, 0)


def test_unreadable_answers_are_no_answers(tokenizer, prompt):
    half = tokenizer.encode("é")[:1]
    assert prompt.read(half)[0] is None
    assert prompt.read([10**6]) == (None, 1)


def test_a_prompt_without_the_marker_is_refused(tokenizer):
    with pytest.raises(InputError, match=r"early_exit\.answer_prompt"):
        AnswerPrompt(tokenizer, "The answer is ", "}", set())


def test_an_exit_without_an_answer_token_has_no_confidence(tokenizer, prompt):
    continuation = Continuation()
    continuation.add(tokenizer.encode("}")[0], [3.0, -0.5, 0.2, 1.0])
    columns = answer_columns(continuation, "19", prompt)
    assert columns.pop("correct") is False
    assert columns == dict.fromkeys(("answer", "logit", "logprob", "margin", "entropy"))


def test_scores_are_of_the_answers_own_tokens(tokenizer, prompt):
    continuation = Continuation()
    tokens = [tokenizer.encode(text)[0] for text in ("1", "8", "}")]
    for index, token in enumerate(tokens):
        scores = [10.0 + index, -0.25 * (index + 1), 2.0 + index, 0.5 + index]
        continuation.add(token, scores)
    assert answer_columns(continuation, "18.0", prompt) == {
        "answer": "18",
        "correct": True,
        "logit": 10.5,
        "logprob": -0.75,
        "margin": 2.0,
        "entropy": 0.5,
    }
