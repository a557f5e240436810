"""Markers of thoughts: turn, and form again in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubletake.running.errors import InputError
from doubletake.text.known_formats import KNOWN_FORMATS
from doubletake.text.thought_format import ThoughtFormat, filled_answer_prompt

THINK = KNOWN_FORMATS[0]
CHANNELS = KNOWN_FORMATS[-1]
BARE = ThoughtFormat("", "</think>")


@pytest.mark.parametrize("known", KNOWN_FORMATS, ids=lambda known: known.end)
@given(
    thought=st.text(alphabet="ab <>/|[]\n.", max_size=30),
    answer=st.text(alphabet="ab \n.", max_size=10),
)
def test_a_written_thought_is_read_again(known, thought, answer):
    text = known.opening + thought + known.closing + answer
    edges = known.edges(text, known.opening)
    assert text[edges.start : edges.stop] == thought
    assert text[edges.answer :] == known.after_end + answer
    inside = known.edges(thought + known.closing + answer, "")
    assert (inside.start, inside.stop) == (0, len(thought))
    unclosed = known.edges(known.opening + thought, known.opening)
    assert (unclosed.stop, unclosed.marker) == (len(known.opening + thought), None)


@pytest.mark.parametrize(
    ("form", "text", "left", "thought", "after"),
    [
        (THINK, "abc\n</think>\n\nx", "", "abc", "\n\nx"),
        (THINK, "\nabc\n</think>x", "\n", "abc", "x"),
        (THINK, "abc</think>x", "\n", "abc", "x"),
        (THINK, " <think>\n\nabc</think>x", "<think>\n", "\nabc", "x"),
        (THINK, "Sure. <think>\nabc</think>x", "<think>\n", "abc", "x"),
        (THINK, "Sure. <think>\nabc", "<think>\n", "abc", None),
        (
            THINK,
            "abc</think>Not <think> again",
            "<think>\n",
            "abc",
            "Not <think> again",
        ),
        (THINK, "abc</think>x", "<think>\n", "abc", "x"),
        (THINK, "</think>x", "", "", "x"),
        (THINK, "<think>\nabc\n</think>x", "", "abc", "x"),
        (THINK, "He wrote <think> here", "", "He wrote <think> here", None),
        (THINK, "<think>\n</think>x", "<think>\n", "", "x"),
        (THINK, "a</think>b</think>c", "", "a", "b</think>c"),
        (THINK, "never closed", "", "never closed", None),
        (THINK, "The answer is 8.", "<think>\n", "", "The answer is 8."),
        (THINK, "", "<think>\n", "", None),
        (BARE, "abc\n</think>x", "", "abc", "x"),
        (BARE, "The answer is 8.", "", "The answer is 8.", None),
    ],
)
def test_edges(form, text, left, thought, after):
    edges = form.edges(text, left)
    assert text[edges.start : edges.stop] == thought
    assert (None if edges.answer is None else text[edges.answer :]) == after


@pytest.mark.parametrize(
    ("text", "left", "thought"),
    [
        ("So it is 4, but let me", "<think>\n", "So it is 4, but let me"),
        ("2+2 is 4</thin", "", "2+2 is 4"),
        ("2+2 is 4\n<", "", "2+2 is 4\n<"),
        ("<think>\n4</think", "<think>\n", "4"),
        ("<thin", "<think>\n", ""),
    ],
)
def test_a_completion_that_was_cut_off_is_an_open_thought(text, left, thought):
    edges = THINK.edges(text, left, cut_off=True)
    assert (text[edges.start : edges.stop], edges.answer) == (thought, None)


@pytest.mark.parametrize(
    "turn",
    [
        "<|start|>assistant<|channel|>final<|message|>",
        "<|start|>assistant<|channel|>analysis<|message|>" + CHANNELS.end,
    ],
)
def test_a_prompt_that_opens_the_answer_closes_the_thought(turn):
    with pytest.raises(InputError, match="already closes the thought"):
        CHANNELS.opening_left(turn)
    with pytest.raises(InputError, match="already closes the thought"):
        KNOWN_FORMATS[1].opening_left(
            "<|im_start|>assistant\n<|begin_of_solution|>\n\n"
        )


@pytest.mark.parametrize(
    ("form", "turn", "left"),
    [
        (THINK, "<｜Assistant｜><think>\n", ""),
        (THINK, "<｜Assistant｜><think>", "\n"),
        (THINK, "<｜Assistant｜>", "<think>\n"),
        (THINK, "<think>\nOkay, so", ""),
        (THINK, "</think><｜Assistant｜><think>\n", ""),
        (BARE, "<｜Assistant｜>", ""),
        (CHANNELS, "<|start|>assistant", CHANNELS.opening),
        (CHANNELS, "<|start|>assistant<|channel|>analysis<|message|>", ""),
    ],
)
def test_the_part_that_the_prompt_leaves_out(form, turn, left):
    assert form.opening_left(turn) == left


@pytest.mark.parametrize("form", [THINK, BARE])
def test_a_prompt_that_closes_the_thought_is_refused(form):
    with pytest.raises(InputError, match="already closes the thought"):
        form.opening_left("<｜Assistant｜><think>\n\n</think>\n\n")


def test_an_answer_prompt_holds_the_marker_once():
    assert filled_answer_prompt("\n{end_of_thought}\n{x}", THINK) == "\n</think>\n{x}"
    assert filled_answer_prompt("{closing}8", THINK) == "\n</think>\n\n8"
    assert (
        filled_answer_prompt("{closing}8", CHANNELS) == f"<|end|>{CHANNELS.after_end}8"
    )
    assert filled_answer_prompt("</think> 8", THINK) == "</think> 8"
    for wrong in ("8", "</think></think>", "{end_of_thought}</think>", "{closing}" * 2):
        with pytest.raises(InputError, match=r"early_exit\.answer_prompt"):
            filled_answer_prompt(wrong, THINK)
