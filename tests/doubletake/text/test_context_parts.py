"""Question and thought of a trace in tokens, and the parts of a context."""

import pytest
from thought_edges import edges_of

from attribution.question_spans import prompt_row, question_characters, token_spans
from doubletake.text.context_parts import OUTSIDE, THOUGHT_PARTS, context_parts
from doubletake.text.tokenizer import load_tokenizer


def test_fifths_are_equal_and_cover_the_thought():
    parts = context_parts(22, 9, (2, 6)).tolist()
    assert parts[:9] == [OUTSIDE] * 2 + [0] * 4 + [OUTSIDE] * 3
    counts = [parts[9:].count(part) for part in range(1, THOUGHT_PARTS + 1)]
    assert sum(counts) == 13
    assert max(counts) - min(counts) <= 1
    assert parts[9:] == sorted(parts[9:])


def test_a_short_thought_has_no_parts_and_a_missing_question_no_tokens():
    assert context_parts(8, 4, (1, 3)).tolist() == [OUTSIDE, 0, 0] + [OUTSIDE] * 5
    assert set(context_parts(20, 0, None)) == set(range(1, THOUGHT_PARTS + 1))


def test_the_question_is_found_where_the_template_puts_it(model):
    tokenizer = load_tokenizer(model)
    question = " Tom has 12 pens. How many? \n"
    ids = tokenizer.prompt_ids(question)
    trace = {"trace": "0/0", "prompt_ids": ids, "thought_end": None}
    text, offsets = tokenizer.decode(tokenizer.encode("First, 12."))
    trace |= {"text": text, "offsets": offsets} | edges_of(text)
    row = prompt_row(trace, question, tokenizer)
    assert row["text"][row["start"] : row["end"]] == question.strip()
    spans = token_spans(trace, row)
    decoded, _ = tokenizer.decode(ids[spans["question_start"] : spans["question_end"]])
    assert question.strip() in decoded
    assert len(decoded.strip()) <= len(question) + 2
    assert spans["thought_start"] == len(ids)


@pytest.mark.parametrize("question", ["other", " ", ""])
def test_a_question_that_is_not_there(question):
    assert question_characters("<user>Tom has pens", question) is None
