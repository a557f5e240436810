"""How forced answers are read, and which tokens their scores are of."""

import math

import pytest
import torch

from doubletake.model.continuations import Continuation
from doubletake.model.forced_answers import (
    AnswerPrompt,
    ForcedAnswer,
    answer_columns,
    whole_logprob,
)
from doubletake.running.errors import InputError
from doubletake.text.grading import Task
from doubletake.text.known_formats import KNOWN_FORMATS
from doubletake.text.tokenizer import load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(model)


@pytest.fixture(scope="module")
def prompt(tokenizer):
    text = "\n</think>\n\nThe answer is \\boxed{"
    return AnswerPrompt(tokenizer, text, "}", set())


@pytest.mark.parametrize(
    ("text", "value", "ended"),
    [
        ("19}", "19", True),
        ("1,200}", "1200", True),
        ("\\$19 pens} is", "19", True),
        ("}", None, True),
        ("pens}", "pens", True),
        ("1 + 2}", "1 + 2", True),
        ("1 + 2 = 3}", "3", True),
        ("19", None, False),
        ("", None, False),
    ],
)
def test_reading_an_answer(tokenizer, prompt, text, value, ended):
    tokens = tokenizer.encode(text)
    before = text.partition("}")[0]
    length = sum(start < len(before) for start in tokenizer.decode(tokens)[1])
    answer = prompt.read(tokens)
    assert answer == ForcedAnswer(before, length, ended)
    assert answer.value == value


def test_a_token_that_ends_the_completion_ends_the_answer(tokenizer, prompt):
    end = sorted(tokenizer.stop_ids)[0]
    digits = tokenizer.encode("19")
    assert prompt.read([*digits, end]) == ForcedAnswer("19", len(digits), True)
    assert prompt.read(digits) == ForcedAnswer("19", len(digits), False)
    assert prompt.read([end]) == ForcedAnswer("", 0, True)


def test_unreadable_answers_are_no_answers(tokenizer, prompt):
    stop = tokenizer.encode("}")
    half = tokenizer.encode("é")[:1]
    assert prompt.read([*half, *stop]).value == "\ufffd"
    assert prompt.read([10**6, *stop]) == ForcedAnswer("\ufffd", 1, True)


def test_a_prompt_without_the_marker_is_refused(tokenizer):
    with pytest.raises(InputError, match=r"early_exit\.answer_prompt"):
        AnswerPrompt(tokenizer, "The answer is ", "}", set())


class Pieces:
    """A tokenizer of whole words, with tokens that hold more than the stop text."""

    WORDS = ("<end>", "1", "9", "}", "}.", "9}", "9}\n", "}$", "pens", "</", "a>")
    format = KNOWN_FORMATS[0]
    stop_ids = frozenset({0})
    tokenizer = WORDS  # with its length

    def piece(self, token):
        if token >= len(self.WORDS):
            raise InputError("no such token")
        return self.WORDS[token].encode()


def pieces_prompt(stop="}"):
    return AnswerPrompt(Pieces(), "{end_of_thought}", stop, set())


def ids_of(*words):
    return [Pieces.WORDS.index(word) for word in words]


@pytest.mark.parametrize(
    ("words", "others"),
    [
        (["1", "9", "}"], ["<end>", "}", "}.", "}$"]),
        (["1", "9", "}."], ["<end>", "}", "}.", "}$"]),
        (["1", "9", "<end>"], ["<end>", "}", "}.", "}$"]),
        # The end of the number and the stop text in one token: no end without the 9.
        (["1", "9}"], ["9}", "9}\n"]),
    ],
)
def test_all_tokens_that_end_the_same_answer_count(words, others):
    assert pieces_prompt().endings(ids_of(*words)) == sorted(ids_of(*others))


def test_a_stop_text_of_two_tokens_ends_with_the_second():
    prompt = pieces_prompt("</a>")
    assert not prompt.ends(ids_of("9", "</"))
    assert prompt.read(ids_of("9", "</", "a>")) == ForcedAnswer("9", 1, True)
    assert prompt.endings(ids_of("9", "</", "a>")) == ids_of("a>")


def continuation_of(words, logprobs, last):
    """A continuation; `last` are the probabilities where its last token stands."""
    continuation = Continuation()
    for index, (token, logprob) in enumerate(
        zip(ids_of(*words), logprobs, strict=True)
    ):
        continuation.add(token, [10.0 + index, logprob, 2.0 + index, 0.5 + index])
    if last is not None:
        probabilities = torch.full((len(Pieces.WORDS),), 1e-9)
        probabilities[ids_of(*last)] = torch.tensor(list(last.values()))
        continuation.last_logprobs = probabilities.log()
    return continuation


def task(gold):
    return Task(gold, question="", thought="")


LAST = {"}": 0.3, "}.": 0.4, "}$": 0.05, "<end>": 0.05, "pens": 0.2}


def test_the_whole_answer_includes_its_end_by_any_token():
    continuation = continuation_of(["1", "9", "}."], [-0.25, -0.5, -9.0], LAST)
    columns = answer_columns(continuation, task("19.0"), pieces_prompt())
    whole = columns.pop("whole_logprob")
    assert whole == pytest.approx(-0.75 + math.log(0.8), abs=1e-6)
    assert columns == {
        "answer": "19",
        "answer_text": "19",
        "correct": True,
        "ended": True,
        "logit": 10.5,
        "margin": 2.0,
        "entropy": 0.5,
    }


def test_a_token_of_number_and_end_counts_once():
    last = {"9}": 0.5, "9}\n": 0.25, "9": 0.2}
    continuation = continuation_of(["1", "9}"], [-0.25, -9.0], last)
    columns = answer_columns(continuation, task("19"), pieces_prompt())
    assert columns["answer"] == "19"
    assert columns["logit"] == 10.5
    expected = -0.25 + math.log(0.75)
    assert columns["whole_logprob"] == pytest.approx(expected, abs=1e-6)


def test_tokens_beyond_the_models_vocabulary_end_nothing():
    continuation = continuation_of(["9", "}"], [-0.25, -9.0], LAST)
    continuation.last_logprobs = continuation.last_logprobs[: Pieces.WORDS.index("}$")]
    columns = answer_columns(continuation, task("19"), pieces_prompt())
    expected = -0.25 + math.log(0.75)
    assert columns["whole_logprob"] == pytest.approx(expected, abs=1e-6)


def test_an_answer_at_the_limit_is_no_answer_and_has_no_probability():
    continuation = continuation_of(["1", "9"], [-0.25, -0.5], None)
    columns = answer_columns(continuation, task("19"), pieces_prompt())
    assert not columns["ended"]
    assert not columns["correct"]
    assert columns["answer"] is columns["whole_logprob"] is None
    assert columns["answer_text"] == "19"
    assert columns["logit"] == 10.5
    with pytest.raises(ValueError, match="not ended"):
        whole_logprob(continuation, pieces_prompt())


def test_an_exit_without_an_answer_token_has_no_confidence():
    continuation = continuation_of(["}"], [-0.5], LAST)
    columns = answer_columns(continuation, task("19"), pieces_prompt())
    assert columns.pop("correct") is False
    assert columns.pop("ended") is True
    assert columns.pop("answer_text") == ""
    names = ("answer", "logit", "whole_logprob", "margin", "entropy")
    assert columns == dict.fromkeys(names)
