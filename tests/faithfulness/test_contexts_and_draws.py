"""What stands in place of a thought, and which thoughts are drawn."""

import random

import polars as pl
import pytest

from doubletake.model.forced_answers import AnswerPrompt
from doubletake.text.trace_positions import thought_tokens
from faithfulness.contexts import (
    checked,
    filler,
    filler_tokens,
    foreign,
    own_tokens,
    shuffled,
    shuffled_text,
)
from faithfulness.drawn import Donors, drawn_thoughts, usable
from traces.tables import TRACES

TEXT = "\nTom has 18. He finds 8, so 18 + 8 = 26.\n\nHe loses 4. So 22."


@pytest.fixture(scope="module")
def traces(study):
    return TRACES.read(study / "traces.parquet")


@pytest.fixture(scope="module")
def prompt(tokenizer):
    return AnswerPrompt(tokenizer, "{closing}The answer is \\boxed{", "}", set())


def test_filler_has_the_wanted_number_of_tokens_and_nothing_else(tokenizer):
    for count in (1, 2, 7, 30):
        ids = filler_tokens(" ...", count, tokenizer)
        assert len(ids) == count
        assert set(tokenizer.decode(ids)[0]) <= {" ", "."}
    assert filler_tokens(" ...", 30, tokenizer)[:7] == filler_tokens(
        " ...", 7, tokenizer
    )


def test_filler_stands_where_the_thought_stood(traces, prompt):
    trace = traces.row(0, named=True)
    first, stop = thought_tokens(trace)
    made = filler(trace, " ...", [1.0, 0.25], prompt)
    whole = [*trace["prompt_ids"], *trace["completion_ids"]]
    assert made.start == whole[:first]
    assert [cut.share for cut in made.cuts] == [0.25, 1.0]
    assert [cut.tokens for cut in made.cuts] == [
        round((stop - first) / 4),
        stop - first,
    ]
    assert len(made.body) == stop - first


def test_a_rebuilt_thought_is_the_thought(traces, prompt):
    for trace in traces.to_dicts():
        whole = [*trace["prompt_ids"], *trace["completion_ids"]]
        assert checked(trace, prompt).ids == whole[: thought_tokens(trace)[1]]


def test_shuffled_sentences_are_the_same_ones_in_another_order():
    text = shuffled_text(TEXT, random.Random(1).shuffle)
    assert text is not None
    assert text != TEXT
    sentences = ["Tom has 18.", "He finds 8, so 18 + 8 = 26.", "He loses 4.", "So 22."]
    assert len(text) == len(TEXT)
    for sentence in sentences:
        assert text.count(sentence) == TEXT.count(sentence) == 1
    for sentence in sentences:
        text = text.replace(sentence, "|")
    assert text == "\n| |\n\n| |"


@pytest.mark.parametrize("text", ["", "  ", "Only one.", "Hmm. Hmm."])
def test_a_text_without_another_order_is_not_shuffled(text):
    assert shuffled_text(text, random.Random(0).shuffle) is None


def test_two_sentences_are_always_swapped():
    for seed in range(6):
        text = shuffled_text("One. Two.", random.Random(seed).shuffle)
        assert text == "Two. One."


def test_shuffling_ends_with_the_sentence_of_the_last_arrival(
    traces, prompt, tokenizer
):
    trace = traces.row(0, named=True)
    start, stop = trace["thought_start"], trace["thought_stop"]
    second = trace["text"].index(".", trace["text"].index(". ", start) + 2)
    made = shuffled(trace, second, 0, prompt)
    assert made is not None
    text = tokenizer.decode(made.body)[0]
    assert sorted(text) == sorted(trace["text"][start : second + 1])
    assert made == shuffled(trace, second, 0, prompt)
    assert shuffled(trace, None, 0, prompt) is None
    assert shuffled(trace, stop + 1, 0, prompt) is None


def test_a_foreign_thought_keeps_its_own_tokens(traces, prompt):
    trace, donor = traces.row(0, named=True), traces.row(1, named=True)
    made = foreign(trace, donor, prompt)
    assert made.body == own_tokens(donor)
    assert made.start == checked(trace, prompt).start


def rows(*cases):
    """Traces of (problem, sample, tokens of the thought, answer)."""
    return pl.DataFrame(
        [
            {
                "trace": f"{problem}/{sample}",
                "problem": problem,
                "prompt_ids": [1],
                "completion_ids": list(range(length)),
                "offsets": list(range(length)),
                "thought_start": 0,
                "thought_stop": length,
                "thought_end": 1 + length,
                "answer": answer,
            }
            for problem, sample, length, answer in cases
        ]
    )


def test_one_thought_of_every_problem_comes_first():
    table = rows(*((f"p{k}", sample, 9, "1") for k in range(6) for sample in range(3)))
    for count in (1, 4, 6):
        drawn = drawn_thoughts(table, count, 0)
        assert len({row["problem"] for row in drawn}) == len(drawn) == count
    assert len(drawn_thoughts(table, None, 0)) == 18
    few, more = ({r["trace"] for r in drawn_thoughts(table, n, 0)} for n in (4, 9))
    assert few < more
    assert {r["trace"] for r in drawn_thoughts(table, 4, 1)} != few


def test_a_donor_is_of_another_problem_with_another_answer_and_as_long():
    table = rows(
        *(("a", 0, 20, "5"), ("a", 1, 20, "6"), ("b", 0, 21, "5.0")),
        *(("c", 0, 23, "7"), ("d", 0, 30, "8")),
    )
    donors = Donors(table, 0)
    own = {row["trace"]: row for row in table.to_dicts()}
    assert donors.of(own["a/0"])["trace"] == "c/0"
    assert donors.of(own["d/0"])["trace"] == "c/0"
    assert Donors(table.head(2), 0).of(own["a/0"]) is None


def test_only_closed_thoughts_with_text_and_an_answer_are_used():
    table = rows(
        ("a", 0, 5, "1"), ("b", 0, 5, None), ("c", 0, 0, "1"), ("d", 0, 5, "1")
    )
    ends = pl.when(pl.col("problem") == "d").then(None).otherwise("thought_end")
    kept = usable(table.with_columns(thought_end=ends))
    assert kept["problem"].to_list() == ["a"]
