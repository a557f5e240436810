"""Generated files: every row is read right, or refused with its file and row."""

import codecs
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from user_forms import FLAT, FORMS, WRITERS, Known, gzipped, plain, text_of

from doubletake.detector.user_thoughts import read_thoughts
from doubletake.running.errors import InputError
from doubletake.text.known_formats import KNOWN_FORMATS
from doubletake.text.tokenizer import load_tokenizer
from doubletake.user_files.named_rows import dataset_rows
from doubletake.user_files.reading import DatasetSettings
from problems.retrieve import main as retrieve_problems
from problems.tables import PROBLEMS
from traces.retrieve import main as import_thoughts
from traces.tables import TRACES

FILES, ROWS = 240, 8
WORDS = [
    "so",
    "Wait,",
    "7",
    "x < 3",
    "“sum”",
    "数",
    "\n\n",
    "\t",
    "`</thinking>`",
    '"a; b"',
]
Row = dict[str, Any]
Defect = Callable[[Row], Row]


def known_thought(draw: random.Random) -> Known:
    gold = str(draw.randint(-99, 9999))
    words = draw.choices(WORDS, k=draw.randint(1, 12))
    question = f"Question {draw.random():.6f}: {draw.choice(WORDS)} how many, ?"
    thought = f"So {' '.join(words)} {gold}."
    return Known(question, gold, thought, f"The answer is {gold}.")


def with_value(role: str, *values: Any) -> Callable[[random.Random], Defect]:
    """A row of plain columns with another value in one of them."""
    return lambda draw: lambda row: row | {role: draw.choice(values)}


def without(role: str) -> Callable[[random.Random], Defect]:
    return lambda draw: lambda row: {k: v for k, v in row.items() if k != role}


def with_thought(*patterns: str) -> Callable[[random.Random], Defect]:
    """A row whose thought is put into a pattern with markers."""

    def change(draw: random.Random) -> Defect:
        pattern = draw.choice(patterns)
        return lambda row: row | {"thought": pattern.replace("{}", row["thought"])}

    return change


DEFECTS = {
    "no question": without("question"),
    "no gold": without("gold"),
    "no thought": without("thought"),
    "gold of another type": with_value("gold", True, [5], {"a": 5}, [], float("nan")),
    "gold not a number": with_value("gold", "many", "", "5 or 6"),
    "question of another type": with_value("question", 5, ["?"], {"a": 1}, " "),
    "thought of another type": with_value("thought", 5, ["x"], {"a": "x"}, True),
    "answer of another type": with_value("answer", True, ["5"], float("inf")),
    "closed of another type": with_value("closed", 0, 1.0, "no", [True]),
    "closed against the answer": with_value("closed", False, "false"),
    "two thoughts": with_thought("<think>{}</think>5<think>{}</think>5"),
    "two ends": with_thought("{}</think>\n5</think>", "<think>a</think>{}</think>"),
    "marker inside": with_thought("{} <think> {}", "a\n<think>\n{}</think>"),
    "marker in other letters": with_thought("<THINK>{}</THINK>", "< think >{}"),
    "two answers": with_thought("{}</think>\nIt is 12345.", "<think>{}</think>54321"),
    "half a character": with_thought("{}\ud800"),
    "two texts": with_value("thought", "x" * 1_000_001),
}


def written(folder: Path, rows: list[Row], draw: random.Random, *, flat: bool) -> Path:
    """The rows in a file of a random form, compression and encoding."""
    suffix = draw.choice(list(WRITERS) if flat else [".jsonl", ".json", ".parquet"])
    path = folder / f"rows{suffix}"
    WRITERS[suffix](path, rows)
    if suffix != ".parquet":
        text = path.read_bytes().decode()
        if draw.random() < 0.2 and suffix != ".csv":
            text = text.replace("\n", "\r\n")
        encoding = draw.choice(["utf-8"] * 4 + ["utf-8-sig", "utf-16", "utf-32"])
        path.write_bytes(text.encode(encoding))
    return gzipped(path) if draw.random() < 0.3 else path


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_every_form_are_read_right(tmp_path, seed):
    draw = random.Random(seed)
    seen: Counter[str] = Counter()
    for number in range(FILES // 6):
        form = draw.choice(KNOWN_FORMATS[:9])
        made = draw.choice(FORMS)
        known = [known_thought(draw) for _ in range(ROWS)]
        folder = tmp_path / str(number)
        folder.mkdir()
        rows = [made(item, form) for item in known]
        path = written(folder, rows, draw, flat=made in FLAT)
        seen[made.__name__] += ROWS
        source = folder if draw.random() < 0.2 else path
        found = read_thoughts(source, gold=True)
        assert len(found) == ROWS, path
        for row, item in zip(found, known, strict=True):
            assert (row.question, row.gold) == (item.question, item.gold), path
            content = row.content
            assert (content.thought, content.answer) == (item.thought, item.answer)
            assert content.closed
            assert row.text[content.start :].startswith(item.thought)
    assert sum(seen.values()) == 320
    assert len(seen) > 8


@pytest.mark.parametrize("name", DEFECTS)
def test_a_row_with_a_defect_is_refused_with_its_file_and_row(tmp_path, name):
    for seed in range(4):
        draw = random.Random(f"{name} {seed}")
        rows = [plain(known_thought(draw), KNOWN_FORMATS[0]) for _ in range(ROWS)]
        bad = draw.randrange(ROWS)
        rows[bad] = DEFECTS[name](draw)(rows[bad])
        path = tmp_path / f"own {seed}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        with pytest.raises(InputError) as caught:
            retrieve_and_read(path, tmp_path)
        assert str(caught.value).startswith(f"{path}, line {bad + 1}: ")
        assert len(str(caught.value)) < 600


def retrieve_and_read(path: Path, folder: Path) -> None:
    """Read a file as the import does: first its golds, then its thoughts."""
    settings = DatasetSettings(str(path), thoughts=True)
    retrieve_problems(problems_path=folder / "problems.parquet", settings=settings)
    read_thoughts(path, gold=True)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_bytes_are_refused_with_their_line_or_change_one_row(tmp_path, seed):
    """A byte is replaced in one line: this line is refused, or alone is different."""
    draw = random.Random(seed)
    rows = [plain(known_thought(draw), KNOWN_FORMATS[0]) for _ in range(ROWS)]
    lines = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
    bad = draw.randrange(ROWS)
    at = draw.randrange(len(lines[bad]))
    damaged = (
        lines[bad][:at] + bytes([draw.choice(b'\xff\x00"{}[]')]) + lines[bad][at + 1 :]
    )
    path = tmp_path / "own.jsonl"
    path.write_bytes(b"\n".join([*lines[:bad], damaged, *lines[bad + 1 :]]))
    settings = DatasetSettings(str(path), thoughts=True)
    found, message = [], ""
    try:
        found = [row for _, row in dataset_rows(settings)]
    except InputError as error:
        message = str(error)
    if message:
        assert message.startswith(f"{path}, line {bad + 1}: ")
        return
    whole = [{k: row[k] for k in rows[0]} for row in found]
    assert whole[:bad] + whole[bad + 1 :] == rows[:bad] + rows[bad + 1 :]


def test_generated_thoughts_are_imported_as_they_are(tmp_path, model):
    """The tokens of an imported thought give the thought back, in every form."""
    draw = random.Random(7)
    form = load_tokenizer(model).format
    count = 0
    for number, made in enumerate(FORMS):
        known = [known_thought(draw) for _ in range(ROWS)]
        folder = tmp_path / str(number)
        folder.mkdir()
        rows = [made(item, form) for item in known]
        path = written(folder, rows, draw, flat=made in FLAT)
        traces = imported(path, folder, model)
        assert traces["correct"].all()
        thoughts = [
            row["text"][row["thought_start"] : row["thought_stop"]]
            for row in traces.iter_rows(named=True)
        ]
        assert thoughts == [item.thought for item in known]
        count += len(thoughts)
    assert count == 88


def imported(path: Path, folder: Path, model):
    settings = DatasetSettings(str(path), thoughts=True)
    retrieve_problems(problems_path=folder / "problems.parquet", settings=settings)
    import_thoughts(
        settings=settings,
        problems_path=folder / "problems.parquet",
        traces_path=folder / "traces.parquet",
        runs_path=folder / "runs.parquet",
        model=model,
    )
    assert PROBLEMS.read(folder / "problems.parquet").height == ROWS
    return TRACES.read(folder / "traces.parquet")


def test_a_quoted_marker_is_text_for_the_detector_and_refused_for_its_model(
    tmp_path, model
):
    known = Known("How many?", "8", "The tag `</think>` ends it. So 8.", "It is 8.")
    path = tmp_path / "own.jsonl"
    for row in (plain(known, KNOWN_FORMATS[0]), {"response": text_of(known)}):
        row = {"question": known.question, "gold": "8"} | row
        path.write_text(json.dumps(row))
        (found,) = read_thoughts(path)
        assert found.content.thought == known.thought
        assert found.content.answer == known.answer
        settings = DatasetSettings(str(path), thoughts=True)
        retrieve_problems(
            problems_path=tmp_path / "problems.parquet", settings=settings
        )
        with pytest.raises(InputError, match="line 1: 'thought' quotes the end marker"):
            imported(path, tmp_path, model)


@pytest.mark.parametrize(
    ("row", "closed"),
    [
        ({"response": "<think>\nSo 8"}, False),
        ({"response": "So 8", "finish_reason": "length"}, False),
        ({"response": "So 8", "closed": False}, False),
        ({"outputs": [{"text": "So 8", "finish_reason": "length"}]}, False),
        ({"outputs": [{"text": "So 8</think>8", "finish_reason": "length"}]}, True),
        ({"response": "So 8"}, None),
        ({"outputs": [{"text": "So 8", "finish_reason": "stop"}]}, None),
        ({"choices": [{"message": {"content": "So 8"}}]}, None),
        ({"messages": [{"role": "user", "content": "?"}]}, None),
    ],
)
def test_a_text_without_markers_is_a_thought_only_if_it_was_cut_off(
    tmp_path, row, closed
):
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"question": "?", "gold": "8"} | row))
    if closed is None:
        message = "line 1: no (marker such as </think> stands in|'thought'; needed)"
        with pytest.raises(InputError, match=message):
            read_thoughts(path)
        return
    (found,) = read_thoughts(path)
    assert (found.content.thought, found.content.closed) == ("So 8", closed)


def test_bytes_of_an_old_encoding_are_refused_in_every_text_file(tmp_path):
    rows = [plain(Known("¿Cuántos?", "8", "Son 8.", "8"), KNOWN_FORMATS[0])] * 2
    for suffix, place in ((".jsonl", "line 1"), (".csv", "line 2"), (".json", "")):
        path = tmp_path / f"own{suffix}"
        WRITERS[suffix](path, rows)
        text = re.sub(
            r"\\u00([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), path.read_text()
        )
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(InputError, match=rf"own{re.escape(suffix)}.*{place}"):
            read_thoughts(path)
        path.write_bytes(codecs.BOM_UTF8 + text.encode())
        assert [row.question for row in read_thoughts(path)] == ["¿Cuántos?"] * 2
