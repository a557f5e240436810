"""Question and thought of a trace in tokens, and the places of a context."""

import pytest
from thought_edges import edges_of

from attribution.contexts import prompt_row, question_span, spans_of
from attribution.places import NOWHERE, PARTS, places_of
from doubletake.text.tokenizer import load_tokenizer


def test_fifths_are_equal_and_cover_the_thought():
    places = places_of(22, 9, (2, 6)).tolist()
    assert places[:9] == [NOWHERE] * 2 + [0] * 4 + [NOWHERE] * 3
    counts = [places[9:].count(part) for part in range(1, PARTS + 1)]
    assert sum(counts) == 13
    assert max(counts) - min(counts) <= 1
    assert places[9:] == sorted(places[9:])


def test_a_short_thought_has_no_parts_and_a_lost_question_no_place():
    assert places_of(8, 4, (1, 3)).tolist() == [NOWHERE, 0, 0] + [NOWHERE] * 5
    assert set(places_of(20, 0, None)) == set(range(1, PARTS + 1))


def test_the_question_is_found_where_the_template_puts_it(model):
    tokenizer = load_tokenizer(model)
    question = " Tom has 12 pens. How many? \n"
    ids = tokenizer.prompt_ids(question)
    trace = {"trace": "0/0", "prompt_ids": ids, "thought_end": None}
    text, offsets = tokenizer.decode(tokenizer.encode("First, 12."))
    trace |= {"text": text, "offsets": offsets} | edges_of(text)
    row = prompt_row(trace, question, tokenizer)
    assert row["text"][row["start"] : row["end"]] == question.strip()
    spans = spans_of(trace, row)
    asked, _ = tokenizer.decode(ids[spans["question_start"] : spans["question_end"]])
    assert question.strip() in asked
    assert len(asked.strip()) <= len(question) + 2
    assert spans["thought_start"] == len(ids)


@pytest.mark.parametrize("question", ["other", " ", ""])
def test_a_question_that_is_not_there(question):
    assert question_span("<user>Tom has pens", question) is None
