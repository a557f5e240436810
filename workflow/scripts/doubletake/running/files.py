"""Writes files so that they are complete or missing, even after a kill."""

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
"""Age in seconds after which a temporary file of another machine is abandoned."""
REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
"""Errors of a disk that accepts no more data."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; after success the file is renamed to `path`.

    The temporary name holds machine and process id. So a job that outlived its run and
    the job that replaces it never write into the same file. Temporary files of dead
    processes are removed first.

    Raises:
        InputError: the disk accepts no more data.
    """
    path = Path(path)
    remove_abandoned(path)
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
    """Write a file that appears complete or not at all; see `replacing`."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def link_or_copy(source: Path, target: Path) -> None:
    """Link a file under a second name, or copy it if links are not possible."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _flush(path: Path) -> None:
    """Put the data on the disk before the rename, in case the power fails."""
    with path.open("rb") as file:  # reading is enough, and may be all that is allowed
        os.fsync(file.fileno())


def remove_abandoned(path: Path) -> None:
    """Remove the temporary files that dead processes have left beside `path`."""
    # No glob, because a name may hold special characters of glob.
    beginning = f"{path.name}."
    for name in os.listdir(path.parent):
        if name.startswith(beginning) and name.endswith(SUFFIX):
            owner = name.removeprefix(beginning).removesuffix(SUFFIX)
            if _is_abandoned(path.with_name(name), owner):
                path.with_name(name).unlink(missing_ok=True)


def _is_abandoned(partial: Path, owner: str) -> bool:
    """Whether no process writes this file any more; `owner` is machine.process."""
    machine, _, process = owner.rpartition(".")
    if machine == _machine() and process.isdecimal():
        return not _is_alive(int(process))
    try:
        return time.time() - partial.stat().st_mtime > ABANDONED
    except FileNotFoundError:
        return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _machine() -> str:
    return socket.gethostname().replace(os.sep, "-")
