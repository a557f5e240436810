"""Rows of hostile files: refused by line, before they fill the memory."""

import json
import resource
import subprocess
import sys
from contextlib import suppress

import polars as pl
import pyarrow
import pytest
from pyarrow import parquet

from doubletake.running.errors import InputError
from doubletake.text.user_rows import LONGEST_TEXT, text_of
from doubletake.user_files import parquet_rows
from doubletake.user_files.opening import LONGEST_LINE
from doubletake.user_files.reading import read_rows

COLUMNS = ("question", "answer")
GOOD = {"question": "q", "answer": "#### 1"}


def rows_of(path):
    return [row for _, row in read_rows(path)]


def jsonl(path, *lines):
    path.write_bytes(b"\n".join([json.dumps(GOOD).encode(), *lines]))
    return path


def test_a_row_of_10_mb_works_where_its_texts_are_short(tmp_path):
    row = GOOD | {"unused": "x" * 10_000_000}
    path = jsonl(tmp_path / "p.jsonl", json.dumps(row).encode())
    assert rows_of(path)[1]["answer"] == "#### 1"
    pl.DataFrame([row]).write_parquet(tmp_path / "p.parquet")
    assert rows_of(tmp_path / "p.parquet")[0]["answer"] == "#### 1"


def test_a_text_of_10_mb_is_refused_by_its_row(tmp_path):
    row = GOOD | {"question": "x" * 10_000_000}
    ((location, found),) = list(read_rows(jsonl(tmp_path / "p.jsonl"), 1))
    path = jsonl(tmp_path / "q.jsonl", json.dumps(row).encode())
    location, found = list(read_rows(path))[1]
    with pytest.raises(
        InputError, match=r"q\.jsonl, line 2: 'question' has 10,000,000"
    ):
        text_of(found, "question", location)
    assert text_of({"a": "x" * LONGEST_TEXT}, "a", "here")


def test_an_endless_line_is_refused_before_it_is_read(tmp_path):
    path = jsonl(tmp_path / "p.jsonl")
    with path.open("ab") as file:
        file.write(b"\n")
        file.truncate(64 * 2**30)  # a sparse file: 64 GiB of null bytes
    with pytest.raises(InputError, match=r"line 2: longer than 32 MiB"):
        rows_of(path)
    assert LONGEST_LINE == 32 * 2**20


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a": ' * 100_000, "not valid JSON"),
        (b"\x00" * 10, "not valid JSON"),
        (b"\xff\xfe", "not valid UTF-8"),
        (b'{"question": 1' + b"0" * 5000 + b"}", "not valid JSON"),
        (b'["question"]', "not a JSON object"),
        (b'{"a": 1, "a": 2}', "not valid JSON .*'a' stands twice"),
    ],
)
def test_what_is_no_row_is_refused_by_its_line(tmp_path, line, message):
    with pytest.raises(InputError, match=rf"p\.jsonl, line 2: {message}"):
        rows_of(jsonl(tmp_path / "p.jsonl", line))


def test_half_a_character_is_refused(tmp_path):
    row = json.loads('{"question": "a\\ud800b"}')
    with pytest.raises(InputError, match="row 3: 'question' holds half a character"):
        text_of(row, "question", "row 3")


def test_null_bytes_and_escapes_are_text():
    text = "\x00\x1b[31m ../../x <script>"
    assert text_of({"a": text}, "a", "here") == text


def test_a_message_shows_foreign_values_short():
    with pytest.raises(InputError) as caught:
        text_of({"a": ["x" * 1000] * 1000}, "a", "here")
    assert len(str(caught.value)) < 300


def bomb(path, rows: int, text: str) -> None:
    """A Parquet file of equal texts: tiny, until it is decompressed."""
    schema = pyarrow.schema([(name, pyarrow.string()) for name in COLUMNS])
    with parquet.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=False
    ) as writer:
        table = pyarrow.table({name: [text] for name in COLUMNS}, schema)
        for _ in range(rows):
            writer.write_table(table)


def test_a_zip_bomb_is_refused_before_it_is_decompressed(tmp_path):
    path = tmp_path / "p.parquet"
    bomb(path, rows=150, text="x" * 2**24)
    assert path.stat().st_size < 2**20
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from doubletake.user_files.reading import read_rows\n"
        "list(read_rows(sys.argv[1]))"
    )
    limit = 1_500_000_000  # bytes of memory; the file holds 5 GB

    done = subprocess.run(
        [sys.executable, "-c", code, str(path), *sys.path],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        env={"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "150 rows of 4.7 GiB decompressed; the limits are" in done.stderr


def test_a_bomb_of_rows_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "p.parquet"
    table = pyarrow.table({"question": pyarrow.nulls(20_000_000, pyarrow.string())})
    parquet.write_table(table, path)
    assert path.stat().st_size < 2**20
    with pytest.raises(InputError, match="20,000,000 rows"):
        rows_of(path)


def test_a_file_that_hides_its_size_is_read_a_few_rows_at_a_time(tmp_path, monkeypatch):
    path = tmp_path / "p.parquet"
    bomb(path, rows=20, text="x" * 2**24)
    monkeypatch.setattr(parquet_rows, "_check_size", lambda *_: None)
    found = next(read_rows(path))
    with pytest.raises(InputError, match=r"p\.parquet, row 1: 'question' has"):
        text_of(found[1], "question", found[0])


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path, data):
    (tmp_path / "p.parquet").write_bytes(data)
    with pytest.raises(InputError, match=r"cannot read .*p\.parquet"):
        rows_of(tmp_path / "p.parquet")


def test_damaged_parquet_is_refused_or_read(tmp_path):
    path = tmp_path / "p.parquet"
    pl.DataFrame([GOOD]).write_parquet(path)
    whole = path.read_bytes()
    for byte in range(len(whole)):
        path.write_bytes(whole[:byte] + bytes([whole[byte] ^ 255]) + whole[byte + 1 :])
        with suppress(InputError):
            rows_of(path)


def test_names_with_special_characters_are_names(tmp_path):
    for name in ("a[1].parquet", "x=*?.parquet"):
        pl.DataFrame([GOOD]).write_parquet(tmp_path / "made")
        (tmp_path / "made").rename(tmp_path / name)
        assert rows_of(tmp_path / name) == [GOOD]
