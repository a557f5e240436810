"""The same rows in files of every form, compression and encoding."""

import codecs
import gzip
import json

import pytest
from user_forms import WRITERS, gzipped, write_csv

from doubletake.running.errors import InputError
from doubletake.user_files import opening
from doubletake.user_files.opening import files_of
from doubletake.user_files.reading import read_rows

ROWS = [
    {
        "question": 'Is "7, 8; 9" a list?',
        "thought": "Hm.\n\nWait,\t7 — é 数",
        "gold": "7",
    },
    {"question": "5 + 3?", "thought": "It is 8.", "gold": "8"},
]

# Without a time, so that every worker of a test run gives the test the same name.
GZIP = gzip.compress(b'{"a": 1}\n' * 9, mtime=0)


def rows_of(path):
    return [row for _, row in read_rows(path)]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("suffix", WRITERS)
def test_every_form_gives_the_same_rows(tmp_path, suffix, compressed):
    path = tmp_path / f"rows{suffix}"
    WRITERS[suffix](path, ROWS)
    path = gzipped(path) if compressed else path
    assert rows_of(path) == ROWS
    places = [place for place, _ in read_rows(path)]
    assert all(place.startswith(f"{path}, ") for place in places)
    assert len({*places}) == 2


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path, suffix, encoding):
    path = tmp_path / f"rows{suffix}"
    WRITERS[suffix](path, ROWS)
    path.write_bytes(path.read_bytes().decode().encode(encoding))
    assert rows_of(path) == ROWS
    assert rows_of(gzipped(path)) == ROWS


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
def test_line_breaks_of_windows_end_lines(tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    WRITERS[suffix](path, ROWS[1:])
    text = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    path.write_bytes(text)
    assert rows_of(path) == ROWS[1:]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_first_line_of_a_csv_file_tells_its_delimiter(tmp_path, delimiter):
    write_csv(tmp_path / "rows.csv", ROWS, delimiter)
    assert rows_of(tmp_path / "rows.csv") == ROWS


def test_a_column_without_a_name_is_left_out(tmp_path):
    (tmp_path / "rows.csv").write_text(",question,gold\n0,5 + 3?,8\n")
    assert rows_of(tmp_path / "rows.csv") == [{"question": "5 + 3?", "gold": "8"}]


def test_the_content_tells_the_form_of_json(tmp_path):
    path = tmp_path / "rows.jsonl"
    WRITERS[".json"](path, ROWS)
    assert rows_of(path) == ROWS
    WRITERS[".jsonl"](tmp_path / "rows.json", ROWS)
    assert rows_of(tmp_path / "rows.json") == ROWS
    path.write_text(json.dumps(ROWS[0], indent=2))
    assert rows_of(path) == ROWS[:1]


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path):
    folder = tmp_path / "rows"
    (folder / "b").mkdir(parents=True)
    (folder / ".cache").mkdir()
    WRITERS[".csv"](folder / "c.csv", ROWS[1:])
    WRITERS[".jsonl"](folder / "b/a.jsonl", ROWS[:1])
    WRITERS[".jsonl"](folder / ".cache/x.jsonl", ROWS)
    (folder / "README.md").write_text("rows")
    assert rows_of(folder) == ROWS
    assert [path.name for path in files_of(folder)] == ["a.jsonl", "c.csv"]
    assert [row for _, row in read_rows(folder, 1)] == ROWS[:1]


def test_a_folder_without_rows_and_another_suffix_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"holds no file of rows \(one of \.jsonl"):
        rows_of(tmp_path)
    with pytest.raises(InputError, match=r"notes\.txt: the name must end in one of"):
        rows_of(tmp_path / "notes.txt")
    with pytest.raises(InputError, match=r"cannot read .*gone\.csv: No such file"):
        rows_of(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b'[{"a": 1}, 5]', "row 2: not a JSON object"),
        ("a.json", b'[{"a": 1}, {"a"]', "not valid JSON"),
        ("a.json", b'[{"a": 1, "a": 2}]', "'a' stands twice"),
        ("a.json", b"5", "line 1: not a JSON object"),
        ("a.json", b'{"a":\n 1,\n "b"}', "line 1: not valid JSON"),
        ("a.jsonl", b'{"a": 1}\n{"a": "\xe9"}', "line 2: not valid UTF-8"),
        ("a.jsonl", codecs.BOM_UTF16_LE + b"{\0\n\0x", "line 2: not valid UTF-16"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "line 3: 3 values, but .* 2 columns"),
        ("a.csv", b'a,b\n1,"2\n3"\n1\n', "line 4: 1 values"),
        ("a.csv", b"a,a\n1,2\n", "line 1: 'a' names two columns"),
        ("a.csv", b'a,b\n1,2\n"1,2\n', "line 3: not valid CSV"),
        ("a.csv", b"a,b\n1,2\n\xe9,2\n", "line 3: not valid UTF-8"),
        ("a.jsonl.gz", GZIP[:-12], "ends too early|cannot"),
        ("a.jsonl.gz", b"\x1f\x8b" + b"x" * 40, r"cannot read .*a\.jsonl\.gz"),
    ],
)
def test_what_is_no_row_is_refused_by_its_place(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        rows_of(tmp_path / name)
    assert name in str(caught.value)


def test_a_bomb_in_gzip_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "MOST_BYTES", 2**20)
    with gzip.open(tmp_path / "a.jsonl.gz", "wb") as file:
        file.write(b'{"a": 1}\n' * 2**18)
    with pytest.raises(InputError, match=r"a\.jsonl\.gz: more than 0 GiB decompressed"):
        rows_of(tmp_path / "a.jsonl.gz")


def test_a_large_array_is_refused_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "LARGEST_WHOLE", 2**20)
    (tmp_path / "a.json").write_bytes(b"[" + b" " * 2**20 + b"]")
    with pytest.raises(InputError, match="write one JSON object per line"):
        rows_of(tmp_path / "a.json")
