"""Removal of markers from thoughts and answers that users bring."""

import pytest

from doubletake.running.errors import InputError
from doubletake.text.known_formats import KNOWN_FORMATS, format_of_markers
from doubletake.text.marker_removal import answer_without_markers, without_markers


@pytest.mark.parametrize("known", KNOWN_FORMATS, ids=lambda known: known.end)
def test_the_markers_of_every_format_are_removed(known):
    for text in ("So 8.", f"{known.start}\nSo 8.", f"{known.start}So 8."):
        for end in ("", f"\n{known.end}", f"{known.end}\n\nIt is 8."):
            found = without_markers(text + end, [known])
            assert found.text == "So 8."
            assert found.after == (end.partition(known.end)[2].strip() if end else None)
            assert text[found.start :].startswith("So 8.")


@pytest.mark.parametrize("known", KNOWN_FORMATS, ids=lambda known: known.end)
def test_the_text_of_a_model_keeps_its_white_space(known):
    text = known.opening + "So 8." + known.closing + "It is 8."
    found = without_markers(text, [known])
    assert (found.text, found.after) == ("So 8.", "It is 8.")


@pytest.mark.parametrize(
    "answer",
    [
        "It is 8.",
        "</think>\n\nIt is 8.",
        "<think>\nSo 8.\n</think>\n\nIt is 8.",
        "So 8.\n</think>\n\nIt is 8.",
    ],
)
def test_an_answer_may_hold_the_thought_once_more(answer):
    assert answer_without_markers(answer, "So 8.", [KNOWN_FORMATS[0]]) == "It is 8."


@pytest.mark.parametrize(
    "answer", ["<think>So 9.</think>8", "8 <think> 9", "</think>8</think>"]
)
def test_another_thought_in_an_answer_is_refused(answer):
    with pytest.raises(InputError, match=r"'answer' holds markers|inside the thought"):
        answer_without_markers(answer, "So 8.", [KNOWN_FORMATS[0]])


def test_the_opening_of_an_answer_belongs_to_no_answer():
    formats = [KNOWN_FORMATS[1]]
    assert answer_without_markers("<|begin_of_solution|>\n\n8", "x", formats) == "8"


def test_the_markers_of_a_model_count_too():
    form = format_of_markers("<go>", "<done>")
    assert without_markers("<go>\n8<done>9").text == "<go>\n8<done>9"
    assert without_markers("<go>\n8<done>9", [form]).text == "8"


def test_behind_a_start_marker_only_its_own_end_counts():
    assert without_markers("<think>\n8\n</think>[/THINK]").after == "[/THINK]"
    found = without_markers("<think>\n[/THINK] is a tag.\n</think>8")
    assert (found.text, found.after) == ("[/THINK] is a tag.", "8")


@pytest.mark.parametrize(
    "text",
    [
        "Sure.\n<think>\n8\n</think>8",
        "<|im_start|>assistant\n<think>8</think>8",
        "<think><think>8</think>8",
        "He wrote <think> twice.",
        "<THINK>8</THINK>8",
        "< think >8</ think >8",
    ],
)
def test_a_marker_at_another_place_or_in_another_spelling_is_refused(text):
    with pytest.raises(InputError, match=r"holds the marker .* inside the thought"):
        without_markers(text)


def test_only_the_end_marker_of_the_model_ends_its_thought():
    formats = [format_of_markers("<go>", "<done>")]
    assert without_markers("8</think>9").text == "8"
    assert (
        without_markers("the tag </think> is 9", formats).text
        == "the tag </think> is 9"
    )
    with pytest.raises(InputError, match="'</think>' inside"):
        without_markers("8\n</think>\n9", formats)
    assert without_markers("<think>8</think>9", formats).text == "8"


@pytest.mark.parametrize(
    "text",
    [
        "[reasoning] 3 < 4 > 2, <b>so</b>",
        "a [think] b",
        "std::vector<Thought> v;",
        "print('<reasoning>')",
        "the tag `</thinking>`",
        "if a <\nthink\n> b",
    ],
)
def test_words_in_brackets_that_are_no_markers_are_text(text):
    assert without_markers(text, [KNOWN_FORMATS[0]]).text == text


@pytest.mark.parametrize("after", ["8 <think>9", "8\n<think>\n9\n</think>\n\n9"])
def test_a_second_thought_is_refused(after):
    with pytest.raises(InputError, match="a second thought begins after the first"):
        without_markers(f"<think>\nSo 8.\n</think>\n\n{after}")


def test_a_second_end_is_refused():
    with pytest.raises(InputError, match="'</think>' stands more than once"):
        without_markers("I write </think> at the end. So 8.\n</think>\n\n8")


@pytest.mark.parametrize(
    "quoted", ["`</think>`", '"<think>"', "“</think>”", "'</think>'"]
)
def test_a_quoted_marker_is_text(quoted):
    found = without_markers(f"<think>\nThe tag {quoted} is text. So 8.\n</think>\n\n8")
    assert (found.text, found.after) == (f"The tag {quoted} is text. So 8.", "8")


def test_quotation_marks_of_words_quote_no_marker():
    found = without_markers('He says "8"</think>"8" it is.')
    assert (found.text, found.after) == ('He says "8"', '"8" it is.')
