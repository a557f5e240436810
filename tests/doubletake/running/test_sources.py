"""What is known of a source is kept, and used only for the same bytes."""

import os
import sys
from pathlib import Path

import pytest

from doubletake.running import sources


@pytest.fixture
def path(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "module.py"
    path.write_text("import first.second\nx = 1\n")
    return path


@pytest.fixture
def parsed(monkeypatch) -> list[bytes]:
    """Sources that were parsed."""
    found: list[bytes] = []
    parse = sources._parsed
    monkeypatch.setattr(sources, "_parsed", lambda d: found.append(d) or parse(d))
    return found


def kept(path: Path) -> Path:
    (place,) = path.parent.glob("__pycache__/*")
    return place


def test_the_same_source_is_parsed_once(path, parsed):
    first = sources.source(path)
    assert first.imports == {"first", "first.second"}
    assert sources.source(path) == first
    assert len(parsed) == 1


def test_other_bytes_of_equal_size_and_date_are_parsed_again(path, parsed):
    first, date = sources.source(path), path.stat().st_mtime_ns
    path.write_text(path.read_text().replace("x = 1", "x = 2"))
    os.utime(path, ns=(date, date))
    assert sources.source(path).tree_digest != first.tree_digest
    path.write_text(path.read_text().replace("x = 2", "x = 1"))
    assert sources.source(path) == first
    assert len(parsed) == 3


def test_another_reader_parses_again(path, parsed, monkeypatch):
    first = sources.source(path)
    monkeypatch.setattr(sources, "READER", b"another")
    assert sources.source(path) == first
    assert len(parsed) == 2


def test_any_changed_byte_of_what_is_kept_is_noticed(path, parsed):
    first = sources.source(path)
    data = kept(path).read_bytes()
    for number in range(len(data)):
        changed = bytearray(data)
        changed[number] ^= 1
        kept(path).write_bytes(changed)
        assert sources.source(path) == first
        kept(path).write_bytes(data[:number])
        assert sources.source(path) == first
    assert len(parsed) == 1 + 2 * len(data)


def test_without_bytecode_nothing_is_kept(path, parsed, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert sources.source(path) == sources.source(path)
    assert len(parsed) == 2
    assert [p.name for p in path.parent.iterdir()] == ["module.py"]


@pytest.mark.parametrize("refused", ["mkdir", "write_bytes", "replace"])
def test_a_disk_that_takes_nothing_changes_nothing(path, parsed, monkeypatch, refused):
    def refuse(*_, **__):
        raise OSError("no space left")

    with monkeypatch.context() as disk:
        disk.setattr(Path, refused, refuse)
        first = sources.source(path)
    assert not list(path.parent.glob("__pycache__/*"))
    assert sources.source(path) == first
    assert len(parsed) == 2
