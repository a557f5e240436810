"""Exit points: where thoughts are cut, and what the model reads there."""

import copy

import pytest
from tiny_models import TEMPLATE, write_tokenizer
from tiny_traces import QUESTION, THOUGHT, arrivals_of, make_trace

from doubletake.model.exit_points import exit_points_of, retokenized_end
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.study.settings import ModelSettings
from doubletake.text.known_formats import KNOWN_FORMATS
from doubletake.text.tokenizer import load_tokenizer
from doubletake.text.trace_rows import Completion, TracePrompt, trace_row


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(
        ModelSettings(str(tiny_model), None, "float32", "cpu", "</think>", {})
    )


@pytest.fixture(scope="module")
def prompt(tokenizer):
    text = "\n</think>\n\nThe answer is \\boxed{"
    return AnswerPrompt(tokenizer, text, "}", set())


def read(trace, tokenizer, point):
    """The text of the completion and the suffix that the model reads at an exit."""
    tokens = trace["completion_ids"][: point.cut - len(trace["prompt_ids"])]
    return tokenizer.decode([*tokens, *point.suffix])[0]


def kept(trace, tokenizer, point):
    return tokenizer.decode(
        trace["completion_ids"][: point.cut - len(trace["prompt_ids"])]
    )[0]


def test_cuts_come_after_the_sentence_of_each_arrival(tokenizer, prompt):
    trace = make_trace(tokenizer, THOUGHT)
    points = exit_points_of(trace, arrivals_of(trace), prompt)
    assert [point.number for point in points] == [0, 1, 2, 3, 4]
    thoughts = [
        "",
        "First, 12 + 7 = 19.",
        "First, 12 + 7 = 19. So the answer is 19.",
        THOUGHT[: THOUGHT.index("\n</think>")],
        THOUGHT[: THOUGHT.index("\n</think>")],
    ]
    assert [read(trace, tokenizer, point) for point in points] == [
        thought + prompt.text for thought in thoughts
    ]
    before = len(trace["prompt_ids"])
    for point, thought in zip(points, thoughts, strict=True):
        tokens = trace["completion_ids"][: point.tokens_before]
        assert tokenizer.decode(tokens)[0] == thought
        assert point.cut - before <= point.tokens_before


def test_exit_zero_keeps_an_opening_marker_that_the_completion_wrote(tokenizer, prompt):
    ids = tokenizer.prompt_ids(QUESTION)
    bare = ids[: ids.index(tokenizer.encode("<think>")[0])]
    opened = make_trace(tokenizer, THOUGHT)
    opening = make_trace(tokenizer, "<think>\n" + THOUGHT, prompt=bare)
    points = exit_points_of(opening, arrivals_of(opening), prompt)
    assert kept(opening, tokenizer, points[0]) == "<think>\n"
    sequences = [
        [
            (
                *(trace["prompt_ids"] + trace["completion_ids"])[: point.cut],
                *point.suffix,
            )
            for point in exit_points_of(trace, arrivals_of(trace), prompt)
        ]
        for trace in (opened, opening)
    ]
    assert sequences[0] == sequences[1]
    spent = [
        [
            point.tokens_before
            for point in exit_points_of(trace, arrivals_of(trace), prompt)
        ]
        for trace in (opened, opening)
    ]
    assert spent[0] == spent[1]


def test_an_arrival_after_the_thought_is_no_exit(tokenizer, prompt):
    trace = make_trace(tokenizer, "I think.</think>19. The answer is 19.")
    assert [
        point.number for point in exit_points_of(trace, arrivals_of(trace), prompt)
    ] == [0]


def test_an_empty_thought_has_exit_zero_before_its_marker(tokenizer, prompt):
    for text in ("</think>19", "<think>\n</think>19"):
        trace = make_trace(tokenizer, text)
        (point,) = exit_points_of(trace, arrivals_of(trace), prompt)
        assert point.cut <= trace["thought_end"]
        assert point.tokens_before == 0


def test_a_thought_that_never_closed_is_cut_before_its_end_token(tokenizer, prompt):
    end = sorted(tokenizer.stop_ids)
    trace = make_trace(tokenizer, "It is 19, I am", end=end)
    points = exit_points_of(trace, arrivals_of(trace), prompt)
    assert kept(trace, tokenizer, points[1]) == "It is 19, I am"


def test_exit_zero_opens_a_thought_without_a_marker(tmp_path):
    write_tokenizer(tmp_path, TEMPLATE.replace("<think>\n", ""))
    bare = load_tokenizer(
        ModelSettings(str(tmp_path), None, "float32", "cpu", None, {})
    )
    trace = make_trace(bare, "It is 19.")
    prompt = AnswerPrompt(bare, "\n{end_of_thought}\n", "}", set())
    first = exit_points_of(trace, [], prompt)[0]
    assert bare.decode(list(first.suffix))[0] == "<think>\n\n</think>\n"


@pytest.mark.parametrize(
    ("offsets", "kept", "tail"),
    [
        ([0, 2, 5, 7, 9], 3, "."),  # "It| is| 5|.\n|Wait"
        ([0, 2, 5, 8, 9], 3, ""),  # "It| is| 5.|\n|Wait": one token, up to the end
        ([0, 2, 5, 7, 8, 9], 3, "."),  # "It| is| 5|.|\n|Wait"
        ([0, 2, 5, 7, 7, 8], 3, "."),  # a full stop in two tokens
        ([0, 2, 5, 9], 2, " 5."),  # "It| is| 5.\n|Wait": it reaches beyond the end
        ([0, 2, 5], 2, " 5."),  # the text's last token
    ],
)
def test_the_marks_that_end_a_sentence_are_tokenized_again(offsets, kept, tail):
    assert retokenized_end("It is 5.\nWait", offsets, 7, 8) == (kept, tail)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2+2 is 19</think>The answer is 19!", "2+2 is 19"),
        ("So 2+2 = 19</think> **19**", "So 2+2 = 19"),
        ("2+2 is 19.</think>19", "2+2 is 19."),
        ("2+2 is 19.\n</think>\n\nThe answer is 19.", "2+2 is 19."),
    ],
)
def test_nothing_behind_the_thought_is_read(any_tokenizer, text, read):
    prompt = AnswerPrompt(any_tokenizer, "{closing}\\boxed{", "}", set())
    trace = make_trace(any_tokenizer, text)
    points = exit_points_of(trace, arrivals_of(trace), prompt)
    assert [point.number for point in points] == [0, 1]
    tokens = trace["completion_ids"][: points[1].cut - len(trace["prompt_ids"])]
    assert any_tokenizer.decode([*tokens, *points[1].suffix])[0] == read + prompt.text


@pytest.mark.parametrize("thought", ["It is 19.", "It is 19", "It is **19**."])
@pytest.mark.parametrize("form", KNOWN_FORMATS, ids=lambda form: form.end)
def test_markers_that_join_with_the_thought_are_cut_away(any_tokenizer, thought, form):
    tokenizer = copy.copy(any_tokenizer)
    tokenizer.format = form
    text = thought + form.closing + "The answer is 19!"
    completion = Completion("0/0", tokenizer.encode(text), None, "stop")
    trace_prompt = TracePrompt("0", 0, "19", tokenizer.prompt_ids(QUESTION), QUESTION)
    tokenizer.opening_left = ""
    row = trace_row(trace_prompt, completion, tokenizer)
    assert row["text"][row["thought_start"] : row["thought_stop"]] == thought
    prompt = AnswerPrompt(tokenizer, "{closing}\\boxed{", "}", set())
    point = exit_points_of(row, arrivals_of(row)[:1], prompt)[1]
    tokens = row["completion_ids"][: point.cut - len(row["prompt_ids"])]
    assert tokenizer.decode([*tokens, *point.suffix])[0] == thought + prompt.text


def test_marks_inside_brackets_go_with_the_space_before_them():
    text = "= 5 \\]\n\nWait"
    starts = [0, 1, 3, 8]  # "=| 5| \]\n\n|Wait"
    assert retokenized_end(text, starts, 3, 6) == (2, " \\]")
    assert retokenized_end("= 5 \\] so", [0, 1, 3, 6], 3, 6) == (2, " \\]")
    assert retokenized_end("5 pens so", [0, 1, 6], 1, 6) == (2, "")


BROKEN = ["", "\n", "\n\n", "\n\nWait", "\n\n\n", "\n</think>\n\n19"]
SPACED = [" ", " Wait", "  Wait"]
ANY_TOKENIZER = ["tiny", "DeepSeek-R1-Distill-Llama-8B", "DeepSeek-R1-Distill-Qwen"]


@pytest.fixture(scope="module", params=ANY_TOKENIZER)
def any_tokenizer(request, tokenizer):
    if request.param == "tiny":
        return tokenizer
    folder = request.getfixturevalue("tokenizers_folder")
    source = str(folder / request.param)
    return load_tokenizer(ModelSettings(source, None, "float32", "cpu", None, {}))


@pytest.mark.parametrize("stop", [".", ".**", " \\]", ").", "!", "", "\u3002"])
def test_all_exits_end_a_sentence_the_same_way(any_tokenizer, stop):
    sentence = f"So it is 19{stop}"
    prompt = AnswerPrompt(any_tokenizer, "\n{end_of_thought}\n\n\\boxed{", "}", set())
    sequences = set()
    stopped = stop not in ("", " \\]")  # else only a line break ends the sentence
    for ending in BROKEN + SPACED * stopped:
        trace = make_trace(any_tokenizer, sentence + ending)
        points = exit_points_of(trace, arrivals_of(trace)[:1], prompt)
        tokens = trace["completion_ids"][: points[1].cut - len(trace["prompt_ids"])]
        sequences.add((*tokens, *points[1].suffix))
    (sequence,) = sequences
    assert any_tokenizer.decode(list(sequence))[0] == sentence + prompt.text
