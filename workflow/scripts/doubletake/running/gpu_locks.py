"""Locks by which the jobs of all users share out the GPUs of one machine.

Who computes on a GPU holds `flock` on a file that stands for it. The kernel drops the
lock with the process, so that not even a killed job leaves one behind. No torch here.

The files lie in one folder, belong to whoever came first, hold nothing and are never
deleted: of two processes one could lock the old file and one the new. Every user can
read them, which is enough to lock one, for whatever reason; a job that waits names in
its log the locks that it waits for.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from doubletake.running.errors import InputError

logger = logging.getLogger(__name__)

JOBS_PER_GPU = "DOUBLETAKE_JOBS_PER_GPU"
LOOK_EVERY = 1.0  # seconds between two looks for a free device
REMIND_EVERY = 60.0  # seconds between two lines in the log of a job that waits
FOLDER = Path("/tmp/doubletake-gpus")  # one for all, whatever a job's TMPDIR is

_held: list[int] = []  # file descriptors of this process's locks: open until it ends


def jobs_per_gpu() -> int:
    """How many jobs may compute on one GPU at a time.

    Raises:
        InputError: the environment variable holds no such number.
    """
    text = os.environ.get(JOBS_PER_GPU, "1")
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{JOBS_PER_GPU}: {text!r} is no number of jobs, 1 or more")
    return int(text)


def lock_folder(folder: Path = FOLDER) -> Path:
    """The folder of the locks, made if there is none; every user may add to it.

    Raises:
        InputError: it cannot be made.
    """
    try:
        with _exact_modes():
            folder.mkdir(mode=0o1777)
    except FileExistsError:
        pass
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def claim(names: list[str], sharing: int, folder: Path) -> int:
    """Take a device for the rest of this process's life; wait while none is free.

    Args:
        names: of the devices; the same device has the same name in every process.
        sharing: processes that may hold one device at a time.
        folder: of the locks.

    Returns:
        The device's place among `names`. A device is shared only when all are taken.

    Raises:
        InputError: the folder or a lock is a link, or this user may not use it.
    """
    inside = _open_folder(folder)
    slots = [
        (index, f"{name}.{place}")
        for place in range(sharing)
        for index, name in enumerate(names)
    ]
    started = time.monotonic()
    reminders = 0
    while True:
        for index, lock in slots:
            try:
                locked = _lock(lock, inside)
            except OSError as error:
                raise _unusable(folder / lock, error) from error
            if locked:
                logger.info("computing on %s", names[index])
                return index
        if time.monotonic() - started >= reminders * REMIND_EVERY:
            reminders += 1
            locks = ", ".join(str(folder / lock) for _, lock in slots)
            logger.info("waiting for a GPU: others hold %s", locks)
        time.sleep(LOOK_EVERY)


def _open_folder(folder: Path) -> int:
    """A descriptor of the folder, open until this process ends."""
    try:
        inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise _unusable(folder, error) from error
    _held.append(inside)
    # systemd-tmpfiles deletes old files in /tmp, but not in a folder that is locked.
    with suppress(OSError):
        fcntl.flock(inside, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return inside


def _lock(name: str, inside: int) -> bool:
    """Try to lock a file of the folder that the descriptor `inside` stands for."""
    descriptor = _open_lock(name, inside)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return False
        raise
    _held.append(descriptor)
    return True


def _open_lock(name: str, inside: int) -> int:
    """Open a lock to read, whosever it is; make it if there is none."""
    reading = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    # Never O_CREAT on what is there: fs.protected_regular forbids it where the file is
    # another user's.
    with suppress(FileNotFoundError):
        return os.open(name, reading, dir_fd=inside)
    with suppress(FileExistsError), _exact_modes():
        return os.open(name, reading | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=inside)
    return os.open(name, reading, dir_fd=inside)  # another process was first


@contextmanager
def _exact_modes() -> Iterator[None]:
    """Make files with just the mode that is asked for, in one step.

    With a chmod afterwards others would find them closed for a moment, and for good
    where the process is killed in between.
    """
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def _unusable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: of no use as a lock of GPUs for all users of this machine "
        f"({error.strerror}): have it removed, or opened to all"
    )
