"""Locks by which the jobs of one user share out the GPUs of one machine.

Who computes on a GPU holds `flock` on a file that stands for it. The kernel drops the
lock with the process, so that not even a killed job leaves one behind. No torch here.
"""

import fcntl
import logging
import os
import stat
import time
from pathlib import Path

from doubletake.errors import InputError

logger = logging.getLogger(__name__)

JOBS_PER_GPU = "DOUBLETAKE_JOBS_PER_GPU"
LOOK_EVERY = 1.0  # seconds between two looks for a free device
REMIND_EVERY = 60.0  # seconds between two lines in the log of a job that waits
PARENT = Path("/tmp")  # the machine's own, whatever a job's TMPDIR is

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


def lock_folder(parent: Path = PARENT) -> Path:
    """The folder of this user's locks.

    Raises:
        InputError: somebody else has put something there.
    """
    folder = parent / f"doubletake-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.stat(follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise InputError(
                f"{folder}: no folder of yours, for locks of GPUs"
            ) from None
    return folder


def claim(names: list[str], sharing: int, folder: Path) -> int:
    """Take a device for the rest of this process's life; wait while none is free.

    Args:
        names: of the devices; the same device has the same name in every process.
        sharing: processes that may hold one device at a time.
        folder: of the locks.

    Returns:
        The device's place among `names`. A device is shared only when all are taken.
    """
    slots = [
        (index, folder / f"{name}.{place}")
        for place in range(sharing)
        for index, name in enumerate(names)
    ]
    started = time.monotonic()
    reminders = 0
    while True:
        for index, path in slots:
            if _lock(path):
                logger.info("computing on %s", names[index])
                return index
        if time.monotonic() - started >= reminders * REMIND_EVERY:
            reminders += 1
            logger.info("waiting for a GPU: %s", ", ".join(_holders(slots)))
        time.sleep(LOOK_EVERY)


def _lock(path: Path) -> bool:
    """Try to lock a file, and write this process's id into it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    _held.append(descriptor)
    return True


def _holders(slots: list[tuple[int, Path]]) -> list[str]:
    """Who holds what, for the log."""
    return [f"{path.stem} is held by process {path.read_text()}" for _, path in slots]
