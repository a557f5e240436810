"""The probability of turning, by hand."""

import dataclasses
import math

import pytest
import torch

from doubletake.running.errors import InputError
from doubletake.text.tokenizer import load_tokenizer
from twins.turn_probability import (
    FirstWords,
    first_words,
    nucleus,
    raw_probability,
    turn_probability,
)

WORDS = FirstWords(turn=torch.tensor([0]), every=torch.tensor([0, 1]))


def logits_of(*shares):
    return torch.tensor([shares], dtype=torch.float64).log().float()


def test_the_raw_share_is_that_of_the_first_words():
    assert raw_probability(logits_of(0.3, 0.1, 0.6), WORDS).item() == pytest.approx(
        0.75
    )


def test_temperature_sharpens_and_the_line_breaks_do_not_count():
    p, q = 0.3 ** (1 / 0.6), 0.2 ** (1 / 0.6)
    found = turn_probability(logits_of(0.3, 0.2, 0.5), WORDS).item()
    assert found == pytest.approx(p / (p + q), rel=1e-5)


def test_top_p_cuts_the_whole_distribution_first():
    kept = nucleus(logits_of(0.5, 0.05, 0.4, 0.05), 1.0, 0.9)
    assert kept[0].tolist() == pytest.approx([0.5, 0, 0.4, 0], abs=1e-6)
    # The last token that is needed to reach the share is kept.
    kept = nucleus(logits_of(0.5, 0.06, 0.4, 0.04), 1.0, 0.95)
    assert kept[0].tolist() == pytest.approx([0.5, 0.06, 0.4, 0], abs=1e-6)


def test_no_first_word_in_the_nucleus_gives_no_number():
    found = turn_probability(logits_of(1e-9, 1e-9, 1.0), WORDS).item()
    assert math.isnan(found)


def test_the_words_are_tokens_with_and_without_a_space(tokenizer):
    words = first_words(tokenizer)
    texts = {tokenizer.text_of(k) for k in words.turn.tolist()}
    assert {"Wait", " Wait", "Let", " Let", "Alternatively"} <= texts
    assert not {"So", " So", "That"} & texts
    assert len(words.every) == 18
    assert set(words.turn.tolist()) < set(words.every.tolist())


def test_a_word_that_is_no_single_token_is_refused(model):
    other = load_tokenizer(dataclasses.replace(model))
    with pytest.raises(InputError, match="no single token"):
        first_words(other)
