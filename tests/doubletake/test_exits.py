"""Exits: where thoughts are cut, and how a forced answer is read."""

from types import SimpleNamespace

import pytest
from tiny_traces import QUESTION, THOUGHT, arrivals_of, make_trace

from doubletake.errors import InputError
from doubletake.exits import AnswerPrompt, exits_of
from doubletake.studies import ModelSettings
from doubletake.tokens import load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(
        ModelSettings(str(tiny_model), None, "float32", "cpu", "</think>", {})
    )


@pytest.fixture(scope="module")
def prompt(tokenizer):
    text = "\n</think>\n\nThe answer is \\boxed{"
    return AnswerPrompt(tokenizer, text, "}", set())


def kept(trace, tokenizer, place):
    return tokenizer.decode(
        trace["completion_ids"][: place.cut - len(trace["prompt_ids"])]
    )[0]


def test_cuts_come_after_the_sentence_of_each_arrival(tokenizer, prompt):
    trace = make_trace(tokenizer, THOUGHT)
    exits = exits_of(trace, arrivals_of(trace), prompt)
    assert [place.number for place in exits] == [0, 1, 2, 3, 4]
    assert [kept(trace, tokenizer, place) for place in exits] == [
        "",
        "First, 12 + 7 = 19.",
        "First, 12 + 7 = 19. So the answer is 19.",
        THOUGHT[: THOUGHT.index("\n</think>")],
        THOUGHT[: THOUGHT.index("\n</think>")],
    ]
    assert all(p.tokens_before == p.cut - exits[0].cut for p in exits)


def test_exit_zero_keeps_an_opening_marker_that_the_completion_wrote(tokenizer, prompt):
    ids = tokenizer.prompt_ids(QUESTION)
    bare = ids[: ids.index(tokenizer.encode("<think>")[0])]
    opened = make_trace(tokenizer, THOUGHT)
    opening = make_trace(tokenizer, "<think>\n" + THOUGHT, prompt=bare)
    exits = exits_of(opening, arrivals_of(opening), prompt)
    assert kept(opening, tokenizer, exits[0]) == "<think>\n"
    sequences = [
        [
            (trace["prompt_ids"] + trace["completion_ids"])[: place.cut]
            for place in exits_of(trace, arrivals_of(trace), prompt)
        ]
        for trace in (opened, opening)
    ]
    assert sequences[0] == sequences[1]
    spent = [
        [place.tokens_before for place in exits_of(trace, arrivals_of(trace), prompt)]
        for trace in (opened, opening)
    ]
    assert spent[0] == spent[1]


def test_an_arrival_after_the_thought_is_no_exit(tokenizer, prompt):
    trace = make_trace(tokenizer, "I think.</think>19. The answer is 19.")
    assert [place.number for place in exits_of(trace, arrivals_of(trace), prompt)] == [
        0
    ]


def test_an_empty_thought_has_exit_zero_before_its_marker(tokenizer, prompt):
    for text in ("</think>19", "<think>\n</think>19"):
        trace = make_trace(tokenizer, text)
        (place,) = exits_of(trace, arrivals_of(trace), prompt)
        assert place.cut <= trace["thought_end"]
        assert place.tokens_before == 0


def test_a_thought_that_never_closed_is_cut_before_its_end_token(tokenizer, prompt):
    end = sorted(tokenizer.stop_ids)
    trace = make_trace(tokenizer, "It is 19, I am", end=end)
    exits = exits_of(trace, arrivals_of(trace), prompt)
    assert kept(trace, tokenizer, exits[1]) == "It is 19, I am"


def hand_made(offsets, text):
    return {
        "prompt_ids": [1, 2],
        "completion_ids": list(range(len(offsets))),
        "text": text,
        "offsets": offsets,
        "thought_end": None,
    }


@pytest.mark.parametrize(
    ("offsets", "kept_tokens"),
    [
        ([0, 2, 5, 7, 9], 4),  # "It| is| 5|.\n|Wait": the full stop's token is kept
        ([0, 2, 5, 8, 9], 3),  # "It| is| 5.|\n|Wait"
        ([0, 2, 5, 7, 8, 9], 4),  # "It| is| 5|.|\n|Wait"
        ([0, 2, 5, 7, 7, 8], 5),  # a full stop in two tokens
        ([0, 2, 5], 3),  # the text's last token
    ],
)
def test_the_token_with_the_last_character_is_kept(offsets, kept_tokens):
    trace = hand_made(offsets, "It is 5.\nWait")
    prompt = SimpleNamespace(
        stop_ids=set(), tokenizer=SimpleNamespace(start_marker="<think>")
    )
    arrival = {"ordinal": 1, "start": 6, "end": 7, "token": 4}
    places = exits_of(trace, [arrival], prompt)
    assert [place.cut for place in places] == [2, 2 + kept_tokens]


@pytest.mark.parametrize(
    ("text", "answer", "own"),
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
def test_reading_an_answer(tokenizer, prompt, text, answer, own):
    tokens = tokenizer.encode(text)
    if own is None:
        before = text.partition("}")[0]
        own = sum(start < len(before) for start in tokenizer.decode(tokens)[1])
    elif own == 1:
        own = len(tokenizer.encode("19"))
    assert prompt.read(tokens) == (answer, own)


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
