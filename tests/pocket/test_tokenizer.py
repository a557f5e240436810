"""The pocket tokenizer: lossless, one token per known word and number, one BOS."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from pocket.tokenizer import (
    ANSWER_PROMPT,
    BOS,
    END_OF_THOUGHT,
    EOS,
    THINK,
    completion_text,
    prompt_text,
    train_tokenizer,
)
from pocket.training_batches import training_texts


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    pairs = training_texts(random.Random(0), 1000)
    texts = [p for pair in pairs for text in pair for p in text.split(END_OF_THOUGHT)]
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(texts, merges=64, min_count=10).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def ids_of(tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False)


@given(text=st.text())
def test_any_text_survives_a_round_trip(tokenizer, text):
    ids = ids_of(tokenizer, text)
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


def test_whole_numbers_are_single_tokens(tokenizer):
    assert all(len(ids_of(tokenizer, str(n))) == 1 for n in range(201))


@pytest.mark.parametrize("word", ["Wait", " Wait", "Therefore", " answer", " apples"])
def test_words_of_the_language_are_single_tokens(tokenizer, word):
    assert len(ids_of(tokenizer, word)) == 1


def test_wait_is_a_token_of_its_own_after_a_line_break_or_a_space(tokenizer):
    pieces = [
        tokenizer.decode(i) for i in ids_of(tokenizer, "is 14.\n\nWait, no. Wait")
    ]
    assert pieces[-8:-5] == [".", "\n\n", "Wait"]
    assert pieces[-1] == " Wait"


def test_the_chat_template_gives_one_bos_and_an_open_thought(tokenizer):
    messages = [{"role": "user", "content": "Tom has 12 apples."}]
    text = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=False
    )
    assert text == prompt_text("Tom has 12 apples.")
    ids = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=True
    )["input_ids"]
    assert ids.count(tokenizer.bos_token_id) == 1
    assert tokenizer.decode(ids) == text
    assert ids == ids_of(tokenizer, text)


def test_plain_encoding_adds_one_bos_as_r1s_does(tokenizer):
    ids = tokenizer.encode("Tom")
    assert ids == [tokenizer.bos_token_id, *ids_of(tokenizer, "Tom")]


def test_marks_of_the_thought_are_single_tokens_that_decoding_keeps(tokenizer):
    for mark in (THINK, END_OF_THOUGHT):
        ids = ids_of(tokenizer, mark)
        assert len(ids) == 1
        assert tokenizer.decode(ids, skip_special_tokens=True) == mark
    for mark in (BOS, EOS):
        ids = ids_of(tokenizer, mark)
        assert len(ids) == 1
        assert tokenizer.decode(ids, skip_special_tokens=True) == ""


def test_a_thought_cut_after_a_sentence_and_closed_has_the_tokens_of_a_whole_one(
    tokenizer,
):
    thought = "19 - 5 = 14."
    whole = ids_of(tokenizer, completion_text(thought, 14))
    parts = [thought, ANSWER_PROMPT, "14", "}."]
    assert whole == [i for part in parts for i in ids_of(tokenizer, part)]
