"""What is read at a point: suffix, watched places, and the columns of a trial."""

import math

import pytest
import torch

from doubletake.exit_rules.trials import Trials
from doubletake.model.continuations import Continuation
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.watched_places import NextToken
from doubletake.text.grading import Task
from doubletake.text.tokenizer import load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(model)


def trials_of(tokenizer, text="\n</think>\n\nThe answer is \\boxed{"):
    return Trials(AnswerPrompt(tokenizer, text, "}", set()), 20)


def texts(tokenizer, branch):
    """The text before each watched place, and the watched token's text."""
    return [
        (
            tokenizer.decode(list(branch.suffix[: watch.place]))[0],
            tokenizer.text_of(watch.token),
        )
        for watch in branch.watched
    ]


def test_a_trial_watches_the_point_the_closing_and_the_place_after_it(tokenizer):
    branch = trials_of(tokenizer).branch(7)
    assert branch.cut == 7
    assert branch.max_tokens == 20
    assert texts(tokenizer, branch) == [
        ("", "</think>"),
        ("", "\n"),
        ("\n", "</think>"),
        ("\n</think>\n\n", "</think>"),
    ]


@pytest.mark.parametrize(
    ("text", "closing", "after"),
    [
        ("</think>So ", ["</think>"], "</think>"),
        ("\n</think>", ["\n", "</think>"], "\n</think>"),
        ("\n\n</think>\n", ["\n", "\n", "</think>"], "\n\n</think>\n"),
    ],
)
def test_other_answer_prompts(tokenizer, text, closing, after):
    found = texts(tokenizer, trials_of(tokenizer, text).branch(3))
    assert "".join(token for _, token in found[1:-1]) == "".join(closing)
    assert found[-1][0] == after


def test_the_opening_of_a_thought_is_not_part_of_its_closing(tokenizer):
    branch = trials_of(tokenizer).branch(3, "<think>\n")
    found = texts(tokenizer, branch)
    assert found[0] == ("", "</think>")
    assert found[1][0] == "<think>\n"
    assert found[-1][0] == "<think>\n\n</think>\n\n"


def test_a_marker_of_several_tokens_is_watched_token_by_token(tokenizer):
    several = tokenizer.encode_plain("</think>")
    assert len(several) > 1
    trials = trials_of(tokenizer)
    trials.prompt.suffix = lambda before: (*tokenizer.encode(before), *several)
    branch = trials.branch(3)
    tokens = [watch.token for watch in branch.watched[1:-1]]
    assert tokens == several
    assert branch.watched[-1].place == len(several)


def said(tokenizer, text):
    tokens = tokenizer.encode(text)
    seen = [
        NextToken(-9.0, 4, -0.5, 1.0, 2.0),
        NextToken(-2.0, 1, -0.1, 1.0, 2.0),
        NextToken(-3.0, 1, -0.1, 1.0, 2.0),
        NextToken(-7.0, 1, -0.1, math.log(2), 2.0),
    ]
    continuation = Continuation(watched=seen)
    for number, token in enumerate(tokens):
        continuation.add(token, [1.0, -float(number), 1.0, 1.0])
    vocabulary = len(tokenizer.tokenizer)
    continuation.last_logprobs = torch.full((vocabulary,), -math.log(vocabulary))
    return continuation


def test_the_columns_of_a_trial(tokenizer):
    columns = trials_of(tokenizer).columns(said(tokenizer, "19}"), Task("19", "", ""))
    assert columns["answer"] == "19"
    assert columns["correct"]
    assert columns["trial_ended"]
    assert columns["trial_text"] == "19}"
    assert columns["trial_tokens"] == len(columns["trial_ids"])
    assert (
        columns["trial_logprobs"]
        == [-float(n) for n in range(len("19}"))][: columns["trial_tokens"]]
    )
    assert columns["entropy"] == pytest.approx(1.0)  # ln 2 nats are one bit
    assert columns["marker_logprob"] == -9.0
    assert columns["marker_rank"] == 4
    assert columns["best_other_logprob"] == -0.5
    assert columns["closing_logprob"] == -5.0


@pytest.mark.parametrize("text", ["18}", "none}", "}", "19"])
def test_a_wrong_an_empty_and_an_unended_trial(tokenizer, text):
    columns = trials_of(tokenizer).columns(said(tokenizer, text), Task("19", "", ""))
    assert not columns["correct"]
    assert columns["trial_ended"] == text.endswith("}")
    assert columns["trial_text"] == text
