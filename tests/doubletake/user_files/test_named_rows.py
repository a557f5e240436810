"""Rows of every known form become rows of the same names."""

import json
import logging

import pytest
from user_forms import FORMS, THINK, Known, chat, lm_eval, one_text, openai, plain, vllm

from doubletake.detector.user_thoughts import thought_and_answer
from doubletake.running.errors import InputError
from doubletake.text.known_formats import KNOWN_FORMATS
from doubletake.user_files.joined_problems import joined_problems
from doubletake.user_files.named_rows import PROBLEM, THOUGHT, named_rows

KNOWN = Known("Omar has 4 crates of 9. How many?", "36", "4 * 9 = 36.\n\nSo 36.", "36")
ALL = (*THOUGHT, "gold")


def named(row, needed=ALL, columns=None, problems=None):
    return [r for _, r in named_rows([("f, line 1", row)], needed, columns, problems)]


@pytest.mark.parametrize("form", KNOWN_FORMATS[:3], ids=lambda form: form.end)
@pytest.mark.parametrize("made", FORMS, ids=lambda made: made.__name__)
def test_every_known_form_gives_the_same_parts(made, form):
    (row,) = named(made(KNOWN, form))
    content = thought_and_answer(row, "here")
    assert row["question"] == KNOWN.question
    assert row["gold"].endswith(KNOWN.gold)
    assert (content.thought, content.answer) == (KNOWN.thought, KNOWN.answer)
    assert content.closed


@pytest.mark.parametrize("missing", ["question", "gold"])
@pytest.mark.parametrize("made", FORMS, ids=lambda made: made.__name__)
def test_a_form_without_question_or_gold_is_refused(made, missing):
    value = getattr(KNOWN, missing)

    def without(item):
        if isinstance(item, dict):
            return {k: without(v) for k, v in item.items() if v != value}
        if isinstance(item, list):
            return [without(part) for part in item]
        return item.replace(value, "") if isinstance(item, str) else item

    row = made(KNOWN, THINK)
    if missing == "gold":
        known = ("gold", "answer", "target", "solution", "ground_truth", "doc")
        row = {k: v for k, v in row.items() if k not in known}
        if made in (plain, lm_eval):
            row |= {"question": KNOWN.question}
    else:
        known = ("question", "prompt", "problem", "messages", "conversations", "doc")
        row = {k: v for k, v in row.items() if k not in (*known, "body")}
    with pytest.raises(InputError, match=rf"f, line 1: no .*'{missing}'") as caught:
        named(row)
    message = str(caught.value)
    assert "needed: question, thought (or response" in message
    found = message.partition("found: ")[2]
    for name, value in row.items():
        assert value is None or name in found


def test_columns_that_the_user_names_are_taken():
    row = {"Frage": "?", "meta": {"gold": 36}, "gen": [{"t": "<think>8</think>8"}]}
    columns = {"question": "Frage", "gold": "meta.gold", "response": "gen.0.t"}
    (found,) = named(row, columns=columns)
    assert found == {"question": "?", "gold": 36, "response": "<think>8</think>8"}
    with pytest.raises(InputError, match=r"no 'gold'; .*found: Frage, meta\.gold, gen"):
        named(row, columns=columns | {"gold": "meta.silver"})


def test_a_named_column_is_not_guessed_for_another_role():
    row = {"question": "?", "thought": "8", "answer": "36"}
    with pytest.raises(InputError, match="no 'gold'"):
        named(row)
    (found,) = named(row, columns={"gold": "answer"})
    assert (found["gold"], found.get("answer")) == ("36", None)


def test_a_column_may_be_said_not_to_be_there():
    row = {"prompt": "?", "response": "<think>8</think>8", "answer": "a long proof"}
    (found,) = named(row, THOUGHT, {"gold": None})
    assert "gold" not in found


def test_a_name_with_dots_is_a_name_first():
    row = {"a.b": "1", "a": {"b": "2"}, "question": "?"}
    assert named(row, PROBLEM, {"gold": "a.b"})[0]["gold"] == "1"


def test_several_completions_of_a_row_are_several_rows():
    row = openai(KNOWN, THINK)
    row["choices"] = row["choices"] * 3
    places = [place for place, _ in named_rows([("f, line 1", row)], ALL)]
    assert places == [f"f, line 1, completion {k}" for k in range(3)]
    assert [found["id"] for found in named(row)] == [
        f"chatcmpl-1/{k}" for k in range(3)
    ]


def test_a_completion_is_read_once_and_not_for_every_filter():
    rows = [
        (f"samples.jsonl, line {k}", lm_eval(KNOWN, THINK) | {"doc_id": d, "filter": f})
        for k, (d, f) in enumerate([(0, "strict"), (1, "strict"), (0, "flexible")])
    ]
    assert len(list(named_rows(rows, ALL))) == 2
    other_file = [("other.jsonl, line 1", rows[2][1])]
    assert len(list(named_rows(rows + other_file, ALL))) == 3


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"error": {"code": 429}, "response": None}, "the request failed .*429"),
        ({"response": {"status_code": 500, "body": {}}}, "request failed .status 500"),
        ({"question": "?", "gold": 1, "outputs": []}, "'outputs' is empty"),
        ({"question": "?", "gold": 1, "outputs": [5]}, "'outputs.0' is 5, not a text"),
        ({"choices": [{"delta": "x"}]}, "neither 'message' nor 'text' .found: delta"),
        (
            {"messages": [{"role": "user", "content": "a"}] * 2},
            "the roles in 'messages'",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            "'messages' holds .*image.*, not a text",
        ),
        ({"prompt": "<|im_start|>tool\nx<|im_end|>", "response": "x"}, "not known"),
    ],
)
def test_what_has_no_clear_meaning_is_refused(row, message):
    with pytest.raises(InputError, match=f"f, line 1: .*{message}"):
        named(row)


def test_lists_in_csv_files_are_json(tmp_path):
    for made in (chat, vllm, openai, lm_eval):
        row = {
            name: json.dumps(value) if isinstance(value, list | dict) else value
            for name, value in made(KNOWN, THINK).items()
        }
        (found,) = named(row)
        content = thought_and_answer(found, "here")
        assert (found["question"], content.thought) == (KNOWN.question, KNOWN.thought)
    with pytest.raises(InputError, match="'messages' is 'Omar', not a chat"):
        named({"messages": "Omar", "response": "x", "gold": "5"})


def test_the_log_says_once_how_each_form_is_read(caplog):
    caplog.set_level(logging.INFO)
    rows = [
        ("f, line 1", one_text(KNOWN, THINK)),
        ("f, line 2", one_text(KNOWN, THINK)),
    ]
    list(named_rows([*rows, ("f, line 3", chat(KNOWN, THINK))], ALL))
    first, second = caplog.messages
    assert first.startswith("f, line 1: ")
    for part in ("question from 'prompt'", "thought and answer from 'response'"):
        assert part in first
    assert "gold from 'answer'" in first
    assert second.startswith("f, line 3: ")
    assert "question from 'messages.N'" in second


PROBLEMS = [
    ("p, line 1", {"id": "a", "question": "How many?", "gold": "7"}),
    ("p, line 2", {"id": "b", "question": KNOWN.question, "gold": 36}),
]


def test_golds_come_from_a_file_of_problems():
    problems = joined_problems("p", PROBLEMS)
    row = vllm(KNOWN, THINK) | {"gold": None}
    (found,) = named(row, problems=problems)
    assert (found["question"], found["gold"]) == (KNOWN.question, 36)
    asked = {"prompt": f"{KNOWN.question}\nThink first.", "response": "x"}
    (found,) = named(asked, problems=problems)
    assert found["question"] == asked["prompt"]
    assert found["gold"] == 36
    row = openai(KNOWN, THINK) | {"custom_id": "b"}
    del row["question"], row["gold"], row["id"]
    (found,) = named(row, problems=problems)
    assert (found["question"], found["gold"]) == (KNOWN.question, 36)


def test_a_thought_on_no_problem_is_refused():
    problems = joined_problems("p", PROBLEMS)
    with pytest.raises(InputError, match="no question of p stands in 'question'"):
        named({"question": "Why?", "thought": ""}, problems=problems)
    with pytest.raises(InputError, match="no row of p has the id 'c'"):
        named({"id": "c", "thought": ""}, problems=problems)


def test_problems_that_contradict_each_other_are_refused():
    other = ("p, line 3", {"id": "a", "question": "What?", "gold": "7"})
    with pytest.raises(InputError, match="p, line 3: a second row with the id 'a'"):
        joined_problems("p", [*PROBLEMS, other])
    other = ("p, line 3", {"question": "How many?", "gold": "8"})
    with pytest.raises(InputError, match="p, line 3: a second gold for the same"):
        joined_problems("p", [*PROBLEMS, other])


@pytest.mark.parametrize(
    ("row", "question", "gold"),
    [
        ({"problem": "?", "solution": "s", "answer": "8"}, "?", "8"),
        ({"problem": "?", "solution": "So \\boxed{8}."}, "?", "So \\boxed{8}."),
        ({"question": "?", "answer": None, "answer_number": 8}, "?", 8),
        (
            {"Body": "Ann has 8.", "Question": "How?", "Answer": 8.0},
            "Ann has 8. How?",
            8,
        ),
        ({"question": "?", "answer": "#### 8", "solution": "s"}, "?", "#### 8"),
        ({"messages": [{"role": "user", "content": "?"}], "target": "8"}, "?", "8"),
    ],
)
def test_published_problem_sets_are_known(row, question, gold):
    (found,) = named(row, PROBLEM)
    assert (found["question"], found["gold"]) == (question, gold)
