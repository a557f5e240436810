"""Heat maps: shades, texts of tokens, tokens that are left out."""

import pytest

from attribution.heat_maps import MOST_TOKENS, heat_map, shade_of


def example(thought: int = 6, newline: int | None = None):
    """A prompt <s>|Q1|Q2|<t>, a thought of one-letter tokens, scores by token."""
    letters = ["x"] * (thought + 3)
    if newline is not None:
        letters[newline] = "\n"
    position = 4 + thought
    scores = [9.0, 1.0, -0.3, 9.0, *([0.01] * thought)]
    row = {
        "trace": "a/0",
        "position": position,
        "metric_value": 1.25,
        "question_start": 1,
        "question_end": 3,
        "thought_start": 4,
        "signed_max": scores[:position],
        "position_max_abs": 2.5,
    }
    text = "".join(letters)
    trace = {"text": text, "offsets": [*range(len(text))], "prompt_ids": [1] * 4}
    prompt = {"text": "<s>Q1Q2<t>", "offsets": [0, 3, 5, 7]}
    return row, trace, prompt


def test_tokens_stand_with_their_score_and_shade():
    found = heat_map(*example())
    assert [(t.text, t.shade) for t in found.question] == [("Q1", 3), ("Q2", -2)]
    assert [t.value for t in found.question] == ["1", "\u22120.3"]
    assert [t.shade for t in found.thought] == [0] * 6
    assert found.decision == "x"
    assert "1.25" in found.note
    assert "2.5" in found.note


def test_markers_of_the_prompt_do_not_set_the_scale():
    assert max(token.shade for token in heat_map(*example()).question) == 3


def test_line_breaks_are_visible():
    assert heat_map(*example(newline=2)).thought[2].text == "\u21b5\n"


def test_of_a_long_thought_the_end_is_shown_and_the_rest_counted():
    found = heat_map(*example(thought=MOST_TOKENS + 17))
    assert len(found.thought) == MOST_TOKENS
    assert "17 tokens" in found.note


def test_without_a_question_the_thought_is_shown():
    row, trace, prompt = example()
    row |= {"question_start": None, "question_end": None}
    found = heat_map(row, trace, prompt)
    assert found.question == ()
    assert len(found.thought) == 6


@pytest.mark.parametrize(
    ("score", "shade"),
    [(0.0, 0), (0.04, 0), (0.05, 1), (-0.2, -2), (0.49, 2), (-0.5, -3), (1.0, 3)],
)
def test_shades_are_steps_of_the_largest_score(score, shade):
    assert shade_of(score, 1.0) == shade
    assert shade_of(score, 0.0) == 0


def test_the_note_names_where_shades_begin():
    assert "0.05, 0.2 and 0.5." in heat_map(*example()).note
