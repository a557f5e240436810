"""Opens the files that users bring: folders, compression, encodings.

A file is read within limits, so that a large or hostile one is refused before it fills
the memory. The module runs whenever the workflow starts, so it imports little.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from doubletake.running.errors import InputError

SUFFIXES = (".jsonl", ".ndjson", ".json", ".parquet", ".csv", ".tsv")
"""Of files that can be read; each may be followed by `.gz`."""
NAMES = "one of .jsonl, .json, .parquet, .csv (each also with .gz), or a folder of them"
LONGEST_LINE = 32 * 2**20  # bytes
LARGEST_WHOLE = 256 * 2**20  # bytes of what must be in memory as a whole
MOST_BYTES = 4 * 2**30  # of a compressed file, decompressed
_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def suffix_of(path: str | Path) -> str | None:
    """The suffix that tells a file's form, without `.gz`; None: no known form."""
    name = Path(path).name.lower().removesuffix(".gz")
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)


def files_of(source: str | Path) -> list[Path]:
    """The file itself, or the files in a folder and its subfolders, sorted by path.

    In a folder, hidden files and files of other suffixes are left out.

    Raises:
        InputError: the file has another suffix, or the folder holds no such file.
    """
    path = Path(source)
    if not path.is_dir():
        if suffix_of(path) is None:
            raise InputError(f"{path}: the name must end in {NAMES}")
        return [path]
    found = [
        file
        for file in sorted(path.rglob("*"))
        if suffix_of(file) is not None
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if not found:
        raise InputError(f"{path} holds no file of rows ({NAMES})")
    return found


class _Limited(io.RawIOBase):
    """Decompressed bytes, refused beyond a number of them."""

    def __init__(self, stream: gzip.GzipFile, path: Path) -> None:
        self.stream, self.path, self.left = stream, path, MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.stream.read(len(view))
        self.left -= len(data)
        if self.left < 0:
            raise InputError(
                f"{self.path}: more than {MOST_BYTES / 2**30:.0f} GiB decompressed"
            )
        view[: len(data)] = data
        return len(data)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file; those of a gzipped file are decompressed.

    Raises:
        InputError: the file cannot be read, or is damaged.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.peek(2)[:2] == b"\x1f\x8b"
            if zipped:
                unzipped = _Limited(gzip.GzipFile(fileobj=raw), path)
                yield io.BufferedReader(unzipped)
            else:
                yield raw
    except EOFError as error:
        raise InputError(f"cannot read {path}: the gzip file ends too early") from error
    except (OSError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read {path}: {reason}") from error


def in_utf8(stream: IO[bytes], path: Path) -> IO[bytes]:
    """A stream of text in UTF-8, without byte order mark.

    Other encodings are known by their byte order marks (UTF-16 and UTF-32).

    Raises:
        InputError: the text does not have the encoding of its byte order mark.
    """
    head = stream.peek(4)[:4]  # type: ignore[attr-defined]
    if head.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
        return stream
    encoding = next((name for mark, name in _ENCODINGS if head.startswith(mark)), None)
    if encoding is None:
        return stream
    data = whole(stream, path, f"in {encoding.upper()}; write it in UTF-8")
    try:
        text = data.decode(encoding)
        return io.BufferedReader(io.BytesIO(text.encode()))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "ignore").count("\n")
        raise InputError(
            f"{path}, line {before + 1}: not valid {encoding.upper()}"
        ) from error


def whole(stream: IO[bytes], path: Path, what: str) -> bytes:
    """All bytes of a stream.

    Args:
        stream: to read.
        path: for messages.
        what: the user's file is, and how to make it smaller.

    Raises:
        InputError: there are more than `LARGEST_WHOLE`.
    """
    data = stream.read(LARGEST_WHOLE + 1)
    if len(data) > LARGEST_WHOLE:
        limit = f"{LARGEST_WHOLE // 2**20} MiB"
        raise InputError(f"{path}: more than {limit} {what}")
    return data


def text_lines(stream: IO[bytes], path: Path) -> Iterator[tuple[str, str]]:
    """Location and text of each line, line break included.

    Raises:
        InputError: a line is too long or not UTF-8; the message names it.
    """
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        location = f"{path}, line {number}"
        if len(line) > LONGEST_LINE:
            raise InputError(f"{location}: longer than {LONGEST_LINE // 2**20} MiB")
        try:
            yield location, line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{location}: not valid UTF-8 ({error.reason} at byte "
                f"{error.start:,} of the line)"
            ) from error
