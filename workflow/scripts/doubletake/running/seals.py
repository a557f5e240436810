"""Seals: files that hold the digest of their own bytes, so that damage is noticed.

The digest (SHA-256, hex) stands after the mark inside the file, at a place where the
format lets a remark stand, and is that of the file's bytes with zeros in its place.
Other programs read such a file like any other.
"""

import hashlib
import re
from pathlib import Path

from doubletake.running.errors import InputError

MARK = "doubletake.sha256"
BLANK = "0" * 64
# Between mark and digest: Parquet's type and length, ": " in a comment, JSON's '":"'.
_SEAL = re.compile(re.escape(MARK.encode()) + rb".{2,3}?([0-9a-f]{64})", re.DOTALL)
REMEDY = "delete it and run again, and it is made anew"


def sealed(data: bytes) -> bytes:
    """`data`, which holds the mark and `BLANK` last, with its digest filled in.

    Raises:
        ValueError: it does not.
    """
    place = _place(data)
    if place is None or data[place] != BLANK.encode():
        raise ValueError("no place for a seal")
    digest = hashlib.sha256(data).hexdigest().encode()
    return data[: place.start] + digest + data[place.stop :]


def read_sealed(path: str | Path) -> bytes:
    """Bytes of a sealed file.

    Raises:
        InputError: it cannot be read, or is not as it was written.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    place = _place(data)
    if place is None:
        raise InputError(
            f"{path} is damaged or was not written by this workflow (it holds no "
            f"digest of itself): {REMEDY}"
        )
    digest = hashlib.sha256(data[: place.start])
    digest.update(BLANK.encode())
    digest.update(data[place.stop :])
    if digest.hexdigest().encode() != data[place]:
        raise InputError(
            f"{path} is damaged (its bytes do not match its digest): {REMEDY}"
        )
    return data


def _place(data: bytes) -> slice | None:
    """Where the digest stands; the last mark counts, for content may hold others."""
    found = _SEAL.match(data, max(0, data.rfind(MARK.encode())))
    return None if found is None else slice(*found.span(1))
