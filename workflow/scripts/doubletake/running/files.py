"""Files that are complete or not there, whatever ends the process that writes them."""

import errno
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doubletake.running.errors import InputError

SUFFIX = ".partial"
ABANDONED = 24 * 3600.0
"""Seconds without a write after which another machine's temporary file is left over."""
REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
"""What a disk says when it takes no more."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it becomes `path`.

    The name holds machine and process, so that a job that outlived its run and the one
    that replaces it never write into the same file. Temporary files of processes that
    are gone are removed first.

    Raises:
        InputError: the disk takes no more.
    """
    path = Path(path)
    _remove_left_over(path)
    partial = path.with_name(f"{path.name}.{_machine()}.{os.getpid()}{SUFFIX}")
    try:
        yield partial
        _flush(partial)
        os.replace(partial, path)
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file in one piece; see `replacing`."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system knows no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _flush(path: Path) -> None:
    """Have the data on the disk before the name, also if the power fails."""
    with path.open("rb") as file:  # a link to a file that only others may write, too
        os.fsync(file.fileno())


def _remove_left_over(path: Path) -> None:
    # No glob: a name may hold its special characters.
    beginning = f"{path.name}."
    for name in os.listdir(path.parent):
        if name.startswith(beginning) and name.endswith(SUFFIX):
            owner = name.removeprefix(beginning).removesuffix(SUFFIX)
            if _is_left_over(path.with_name(name), owner):
                path.with_name(name).unlink(missing_ok=True)


def _is_left_over(partial: Path, owner: str) -> bool:
    """Whether nobody writes this file any more; `owner` is machine.process."""
    machine, _, process = owner.rpartition(".")
    if machine == _machine() and process.isdecimal():
        return not _lives(int(process))
    try:
        return time.time() - partial.stat().st_mtime > ABANDONED
    except FileNotFoundError:
        return False


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _machine() -> str:
    return socket.gethostname().replace(os.sep, "-")
