"""Seals: a checksum inside each file, to detect damage.

The digest (SHA-256, hex) follows a mark inside the file, where the format allows a
comment. It is computed from the file's bytes with zeros in place of the digest. Other
programs read a sealed file like any other file.
"""

import hashlib
import re
from pathlib import Path

from doubletake.running.errors import InputError

MARK = "doubletake.sha256"
BLANK = "0" * 64
# Bytes between mark and digest: Parquet's type and length, ": " in a comment, or '":"'
# in JSON.
_SEAL = re.compile(re.escape(MARK.encode()) + rb".{2,3}?([0-9a-f]{64})", re.DOTALL)
REMEDY = "delete it and run again to make it again"


def sealed(data: bytes) -> bytes:
    """`data` with its digest filled in. Its last mark must be followed by `BLANK`.

    Raises:
        ValueError: `data` has no such mark.
    """
    span = _digest_span(data)
    if span is None or data[span] != BLANK.encode():
        raise ValueError("no place for a seal")
    digest = hashlib.sha256(data).hexdigest().encode()
    return data[: span.start] + digest + data[span.stop :]


def read_sealed(path: str | Path) -> bytes:
    """Bytes of a sealed file.

    Raises:
        InputError: the file cannot be read, or has changed since it was written.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    span = _digest_span(data)
    if span is None:
        raise InputError(
            f"{path} is damaged or was not written by this workflow (it holds no "
            f"digest of itself): {REMEDY}"
        )
    digest = hashlib.sha256(data[: span.start])
    digest.update(BLANK.encode())
    digest.update(data[span.stop :])
    if digest.hexdigest().encode() != data[span]:
        raise InputError(
            f"{path} is damaged (its bytes do not match its digest): {REMEDY}"
        )
    return data


def _digest_span(data: bytes) -> slice | None:
    """Position of the digest. Only the last mark counts: content may hold the mark."""
    match = _SEAL.match(data, max(0, data.rfind(MARK.encode())))
    return None if match is None else slice(*match.span(1))
