"""Formats of thoughts: recognised, written, and found again in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubletake.running.errors import InputError
from doubletake.text.thought_format import (
    KNOWN,
    ThoughtFormat,
    answer_prompt,
    named,
    of_model,
    recognised,
)

THINK = KNOWN[0]
CHANNELS = KNOWN[-1]
BARE = ThoughtFormat("", "</think>")


def test_formats_differ():
    assert len({known.start for known in KNOWN}) == len(KNOWN)
    assert len({known.end for known in KNOWN}) == len(KNOWN)
    assert all(known.start != known.end for known in KNOWN)


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.end)
@given(
    thought=st.text(alphabet="ab <>/|[]\n.", max_size=30),
    answer=st.text(alphabet="ab \n.", max_size=10),
)
def test_what_is_written_is_what_is_read(known, thought, answer):
    text = known.opening + thought + known.closing + answer
    edges = known.edges(text, known.opening)
    assert text[edges.start : edges.stop] == thought
    assert text[edges.answer :] == known.after_end + answer
    inside = known.edges(thought + known.closing + answer, "")
    assert (inside.start, inside.stop) == (0, len(thought))
    unclosed = known.edges(known.opening + thought, known.opening)
    assert (unclosed.stop, unclosed.marker) == (len(known.opening + thought), None)


@pytest.mark.parametrize(
    ("found", "text", "left", "thought", "after"),
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
def test_edges(found, text, left, thought, after):
    edges = found.edges(text, left)
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


def test_markers_of_white_space_are_refused():
    for start, end in (("<think>", " "), (" ", "</think>"), (None, "\n")):
        with pytest.raises(InputError, match="more than white space"):
            named(start, end)


def test_a_thought_cannot_be_opened_without_a_start_marker():
    with pytest.raises(InputError, match="open_thought"):
        of_model("", "</think>", "", [], opened=True)


@pytest.mark.parametrize(
    "written",
    [
        "<|start|>assistant<|channel|>final<|message|>",
        "<|start|>assistant<|channel|>analysis<|message|>" + CHANNELS.end,
    ],
)
def test_a_prompt_that_opens_the_answer_closes_the_thought(written):
    with pytest.raises(InputError, match="already closes the thought"):
        CHANNELS.opening_left(written)
    with pytest.raises(InputError, match="already closes the thought"):
        KNOWN[1].opening_left("<|im_start|>assistant\n<|begin_of_solution|>\n\n")


@pytest.mark.parametrize(
    ("found", "written", "left"),
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
def test_what_the_prompt_leaves(found, written, left):
    assert found.opening_left(written) == left


@pytest.mark.parametrize("found", [THINK, BARE])
def test_a_prompt_that_closes_the_thought_is_refused(found):
    with pytest.raises(InputError, match="already closes the thought"):
        found.opening_left("<｜Assistant｜><think>\n\n</think>\n\n")


@pytest.mark.parametrize(
    ("template", "tokens", "expected"),
    [
        ("{{ '<think>\\n' }}", [], "</think>"),
        ("{{ content.split('</think>')[-1] }}", ["<think>", "</think>"], "</think>"),
        ("", ["<s>", "<think>", "</think>"], "</think>"),
        ("Write [THINK] and [/THINK].", ["[THINK]", "[/THINK]"], "[/THINK]"),
        ("<think> or [THINK]", ["[THINK]", "[/THINK]"], "[/THINK]"),
        ("<|channel|>analysis<|message|>", ["<|end|>"], CHANNELS.end),
        ("<|user|>{{ content }}<|end|><think>", ["<|end|>"], "</think>"),
        ("<|begin_of_thought|> {thought}", [], "<|end_of_thought|>"),
    ],
)
def test_a_format_is_recognised(template, tokens, expected):
    assert recognised(template, tokens).end == expected


@pytest.mark.parametrize(
    ("template", "tokens", "message"),
    [
        ("{{ content }}", ["<s>"], "set start_of_thought and end_of_thought"),
        ("<think> [THINK]", [], "more than one format"),
        ("", ["<think>", "</think>", "[THINK]", "[/THINK]"], "more than one format"),
    ],
)
def test_what_is_not_recognised_is_refused_with_the_remedy(template, tokens, message):
    with pytest.raises(InputError, match=message):
        recognised(template, tokens)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, "</think>", THINK),
        (None, "</mull>", ThoughtFormat("<mull>", "</mull>")),
        (None, "[/MULL]", ThoughtFormat("[MULL]", "[/MULL]")),
        (None, "<|im_start|>answer", KNOWN[-2]),
        ("", "</think>", BARE),
        ("<go>", "<done>", ThoughtFormat("<go>", "<done>")),
        ("<think>", None, THINK),
    ],
)
def test_markers_of_a_config(start, end, expected):
    assert of_model(start, end, "{{ content }}", []) == expected


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("<done>", "<done>", "must differ"),
        (None, "<done>", "cannot be told from '<done>'"),
        ("<go>", None, "end_of_thought is not set"),
        ("", None, "end_of_thought is not set"),
    ],
)
def test_markers_that_make_no_format_are_refused(start, end, message):
    with pytest.raises(InputError, match=message):
        of_model(start, end, "<think>", [])


def test_an_answer_prompt_holds_the_marker_once():
    assert answer_prompt("\n{end_of_thought}\n{x}", THINK) == "\n</think>\n{x}"
    assert answer_prompt("{closing}8", THINK) == "\n</think>\n\n8"
    assert answer_prompt("{closing}8", CHANNELS) == f"<|end|>{CHANNELS.after_end}8"
    assert answer_prompt("</think> 8", THINK) == "</think> 8"
    for wrong in ("8", "</think></think>", "{end_of_thought}</think>", "{closing}" * 2):
        with pytest.raises(InputError, match=r"early_exit\.answer_prompt"):
            answer_prompt(wrong, THINK)
