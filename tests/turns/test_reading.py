"""The words of a turn as token ids."""

from pathlib import Path

import polars as pl
import pytest

from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import load_tokenizer
from turns.reading import (
    drawn_backtracks,
    target_ids,
    turn_words,
    variants_of,
    white_space_ids,
)


@pytest.fixture(scope="module")
def tokenizer():
    folder = Path(__file__).parents[2] / "resources/pocket"
    settings = ModelSettings(str(folder), None, "float32", "cpu", "</think>", {})
    return load_tokenizer(settings)


def test_variants_are_spellings_with_and_without_a_space():
    assert variants_of("Wait") == [
        *("Wait", " Wait", "wait", " wait", "WAIT", " WAIT"),
    ]
    assert variants_of("mm") == ["mm", " mm", "Mm", " Mm", "MM", " MM"]


def test_only_single_tokens_are_kept(tokenizer):
    words = turn_words(tokenizer, {"backtrack": ["Wait", "Zzyzx"], "wrap_up": ["So"]})
    for row in words.iter_rows(named=True):
        assert tokenizer.decode([row["token_id"]])[0] == row["text"]
        assert row["text"].strip().lower() == row["word"].lower()
        assert tokenizer.encode(row["text"]) == [row["token_id"]]
    assert set(words["word"]) == {"Wait", "So"}
    ids = target_ids(words)
    assert ids["wrap_up"].tolist() == sorted(words.filter(group="wrap_up")["token_id"])


def test_white_space_is_found_by_the_text_of_the_tokens(tokenizer):
    texts = {tokenizer.text_of(k) for k in white_space_ids(tokenizer).tolist()}
    assert {" ", "\n", "\n\n"} <= texts
    assert not any(text.strip() for text in texts)


def test_a_group_without_a_single_token_is_refused(tokenizer):
    with pytest.raises(InputError, match=r"turns\.words\.wrap_up.*Zzyzx"):
        turn_words(tokenizer, {"backtrack": ["Wait"], "wrap_up": ["Zzyzx"]})


def test_a_token_in_two_groups_is_refused(tokenizer):
    with pytest.raises(InputError, match="more than one group"):
        turn_words(tokenizer, {"backtrack": ["Wait"], "wrap_up": ["So", "wait"]})


def test_drawn_backtracks_take_every_problem_first_and_nest():
    rows = [
        {
            "trace": f"{problem}/{sample}",
            "problem": str(problem),
            "event": event,
            "kind": kind,
            "selected": event < 4,
        }
        for problem in range(5)
        for sample in range(2)
        for event in range(6)
        for kind in ("backtrack", "control")
    ]
    table = pl.DataFrame(rows)
    every = drawn_backtracks(table, None, 0)
    assert every.height == 5 * 2 * 4
    assert set(every["kind"]) == {"backtrack"}
    assert every["selected"].all()
    assert every["problem"][:5].n_unique() == every["problem"][5:10].n_unique() == 5
    assert drawn_backtracks(table, 7, 0).equals(every[:7])
    assert drawn_backtracks(table.reverse(), 7, 0).equals(every[:7])
    assert not drawn_backtracks(table, 7, 1).equals(every[:7])
    assert drawn_backtracks(table.clear(), 3, 0).is_empty()
