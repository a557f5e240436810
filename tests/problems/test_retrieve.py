"""Problems from files: golds, ids, refusals."""

import json

import datasets
import polars as pl
import pytest

from doubletake.running.errors import InputError
from doubletake.user_files.reading import DatasetSettings
from problems.retrieve import main
from problems.tables import PROBLEMS


def settings(path, **changes):
    values = {
        "source": str(path),
        "revision": None,
        "name": None,
        "split": "test",
        "limit": None,
        "thoughts": False,
    }
    return DatasetSettings(**(values | changes))


def retrieve(path, tmp_path, **changes):
    target = tmp_path / "problems.parquet"
    main(problems_path=target, settings=settings(path, **changes))
    return PROBLEMS.read(target)


def write(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return path


ROWS = [
    {"question": "How many?", "answer": "<<1000+200=1200>>\n#### 1,200"},
    {"question": "How much?", "answer": "It falls.\n#### -3"},
]


def test_jsonl_and_parquet_give_the_same(tmp_path):
    jsonl = retrieve(write(tmp_path / "p.jsonl", ROWS), tmp_path)
    pl.DataFrame(ROWS).write_parquet(tmp_path / "p.parquet")
    assert jsonl.equals(retrieve(tmp_path / "p.parquet", tmp_path))
    assert jsonl["gold"].to_list() == ["1200", "-3"]
    assert jsonl["problem"].to_list() == ["00000", "00001"]


def test_the_limit_takes_the_first_rows(tmp_path):
    path = write(tmp_path / "p.jsonl", ROWS)
    assert retrieve(path, tmp_path, limit=1)["gold"].to_list() == ["1200"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question": "q", "answer"', "line 3: not valid JSON"),
        ('["q"]', "line 3: not a JSON object"),
        ('{"question": "q"}', "line 3: no 'gold'"),
        ('{"question": "q", "answer": null}', "line 3: no 'gold'.*found: question;"),
        ('{"question": "", "answer": "#### 1"}', "line 3: 'question' is ''"),
        ('{"question": 5, "answer": "#### 1"}', "line 3: 'question' is 5"),
        ('{"question": "q", "answer": "forty"}', "line 3: no ####"),
        ('{"question": "q", "answer": "#### many"}', "line 3: not a number"),
    ],
)
def test_a_malformed_row_is_named_and_refused(tmp_path, line, message):
    path = write(tmp_path / "p.jsonl", ROWS)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=message):
        retrieve(path, tmp_path)
    assert not (tmp_path / "problems.parquet").exists()


def test_bytes_that_are_no_text_are_named(tmp_path):
    (tmp_path / "p.jsonl").write_bytes(b"\xff\xfe\n")
    with pytest.raises(InputError, match="line 1"):
        retrieve(tmp_path / "p.jsonl", tmp_path)


def test_a_file_without_rows_is_refused(tmp_path):
    (tmp_path / "p.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no problem"):
        retrieve(tmp_path / "p.jsonl", tmp_path)


def test_thoughts_on_one_question_are_one_problem(tmp_path):
    rows = [{"question": q, "gold": "7", "thought": ""} for q in ("a", "b", "a")]
    problems = retrieve(write(tmp_path / "t.jsonl", rows), tmp_path, thoughts=True)
    assert problems["question"].to_list() == ["a", "b"]


def test_thoughts_with_two_golds_for_one_question_are_refused(tmp_path):
    rows = [{"question": "a", "gold": gold, "thought": ""} for gold in "78"]
    with pytest.raises(InputError, match="line 2: gold 8, before 7"):
        retrieve(write(tmp_path / "t.jsonl", rows), tmp_path, thoughts=True)


@pytest.mark.parametrize(("part", "count"), [("test", 1319), ("train", 7473)])
def test_gsm8k_as_published(data_folder, tmp_path, part, count):
    problems = retrieve(data_folder / "gsm8k" / f"{part}.jsonl", tmp_path)
    assert problems.height == count
    golds = problems["gold"].cast(pl.Float64)
    published = problems["solution"].str.extract(r"#### (.+)$")
    assert golds.equals(published.str.replace_all(",", "").cast(pl.Float64))


def hub(monkeypatch, rows):
    """Let the hub give these rows; return the calls of `load_dataset`."""
    calls = []

    def load(*args, **kwargs):
        calls.append((args, kwargs))
        return datasets.Dataset.from_list(rows)

    monkeypatch.setattr(datasets, "load_dataset", load)
    return calls


HUB = {"revision": "e" * 40, "name": "main", "split": "train"}


def test_a_hub_dataset_is_loaded_at_its_revision(monkeypatch, tmp_path):
    calls = hub(monkeypatch, ROWS)
    problems = retrieve("openai/gsm8k", tmp_path, limit=1, **HUB)
    assert problems["gold"].to_list() == ["1200"]
    assert calls == [
        (("openai/gsm8k", "main"), {"split": "train", "revision": "e" * 40})
    ]


def test_a_hub_dataset_of_other_columns_is_refused(monkeypatch, tmp_path):
    hub(monkeypatch, [{"question": "q", "level": "#### 1"}])
    with pytest.raises(
        InputError, match=r"openai/gsm8k.*row 1: no 'gold'.*found: question, level"
    ):
        retrieve("openai/gsm8k", tmp_path, **HUB)


def test_a_hub_out_of_reach_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot load the dataset nobody/nothing"):
        retrieve("nobody/nothing", tmp_path, **HUB)


def test_thoughts_of_the_hub_are_loaded_at_their_revision(monkeypatch, tmp_path):
    rows = [{"question": "a", "gold": "7", "response": "<think>7</think>7"}] * 2
    calls = hub(monkeypatch, rows)
    problems = retrieve("owner/thoughts", tmp_path, thoughts=True, **HUB)
    assert problems["question"].to_list() == ["a"]
    assert calls[0][1]["revision"] == "e" * 40


def test_a_folder_of_the_hub_library_gives_its_rows(tmp_path):
    """The library's own loader, on a local folder in place of the hub."""
    folder = tmp_path / "thoughts"
    folder.mkdir()
    messages = [
        {"role": "user", "content": "How many?"},
        {"role": "assistant", "content": "<think>\nSo 7.\n</think>\n\n7"},
    ]
    rows = [{"messages": messages, "target": 7}] * 3
    pl.DataFrame(rows).write_parquet(folder / "train-00000.parquet")
    problems = retrieve(
        folder, tmp_path, thoughts=True, revision="e" * 40, split="train"
    )
    assert problems["gold"].to_list() == ["7"]
