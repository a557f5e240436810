"""Traces imported from a file of finished thoughts."""

import json

import pytest

from doubletake.running.errors import InputError
from doubletake.text.tokenizer import load_tokenizer
from doubletake.user_files.reading import DatasetSettings
from problems.tables import PROBLEMS
from traces.retrieve import main
from traces.tables import TRACES

THOUGHTS = [
    {"question": "q", "gold": "19", "thought": "It is 19.", "answer": "\\boxed{19}"},
    {"question": "q", "gold": "19", "thought": "Wait", "answer": "", "closed": False},
    {"question": "r", "gold": "3", "thought": "", "answer": "The answer is 4."},
    {
        "question": "r",
        "gold": "3",
        "thought": "<｜end▁of▁sentence｜> \x1b[31m 3",
        "answer": "3",
    },
]


def imported(tmp_path, model, rows=THOUGHTS, limit=None):
    source = tmp_path / "thoughts.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)))
    problems = [
        {"problem": f"{k:05d}", "question": q, "gold": g, "solution": ""}
        for k, (q, g) in enumerate([("q", "19"), ("r", "3")])
    ]
    PROBLEMS.write(PROBLEMS.frame(problems), tmp_path / "problems.parquet")
    main(
        settings=DatasetSettings(str(source), limit=limit, thoughts=True),
        problems_path=tmp_path / "problems.parquet",
        traces_path=tmp_path / "traces.parquet",
        runs_path=tmp_path / "runs.parquet",
        model=model,
    )
    return TRACES.read(tmp_path / "traces.parquet")


def test_imported_thoughts_come_back(tmp_path, model):
    traces = imported(tmp_path, model)
    assert traces["trace"].to_list() == ["00000/0", "00000/1", "00001/0", "00001/1"]
    assert traces["finish"].to_list() == ["stop", "length", "stop", "stop"]
    assert traces["answer"].to_list() == ["19", None, "4", "3"]
    assert traces["correct"].to_list() == [True, False, False, True]
    assert traces["logprobs"].null_count() == 4
    expected = [
        row["thought"] + (f"\n</think>\n\n{row['answer']}" if row["answer"] else "")
        for row in THOUGHTS
    ]
    assert traces["text"].to_list() == expected


def test_markers_in_foreign_text_do_not_end_a_trace(tmp_path, model):
    tokenizer = load_tokenizer(model)
    for ids in imported(tmp_path, model)["completion_ids"]:
        assert not set(ids) & tokenizer.stop_ids


def test_an_unknown_question_is_named(tmp_path, model):
    rows = [*THOUGHTS, {"question": "s", "gold": "3", "thought": "x", "answer": "3"}]
    with pytest.raises(InputError, match="line 5: the question is not"):
        imported(tmp_path, model, rows)


def test_line_breaks_of_windows_become_those_of_models(tmp_path, model):
    row = THOUGHTS[0] | {"thought": "So.\r\n\r\nIt is 19.", "answer": "So\r\n19"}
    (text,) = imported(tmp_path, model, [row])["text"]
    assert text == "So.\n\nIt is 19.\n</think>\n\nSo\n19"
