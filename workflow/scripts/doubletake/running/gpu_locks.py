"""Locks by which the jobs of one machine share out its GPUs. No torch here.

A job that computes on a GPU holds `flock` on a file that stands for it. The kernel
drops the lock when the process ends, so that a killed job leaves no lock behind. The
files are never deleted: of two processes one could lock the old file, one the new.
"""

import fcntl
import logging
import os
import time
from itertools import count
from pathlib import Path

from doubletake.running.errors import InputError

logger = logging.getLogger(__name__)

JOBS_PER_GPU = "DOUBLETAKE_JOBS_PER_GPU"
LOOK_EVERY = 1.0  # seconds between two looks for a free device
REMIND_AFTER = 60  # looks from one line in the log to the next
FOLDER = Path("/tmp/doubletake-gpus")  # the same for all users, whatever their TMPDIR

_held: list[int] = []  # file descriptors of this process's locks: open until it ends


def jobs_per_gpu() -> int:
    """How many jobs may compute on one GPU at a time.

    Raises:
        InputError: the environment variable does not hold a number, 1 or more.
    """
    text = os.environ.get(JOBS_PER_GPU, "1")
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{JOBS_PER_GPU}: {text!r} is no number of jobs, 1 or more")
    return int(text)


def claim(names: list[str], jobs: int, folder: Path) -> int:
    """Take a device for the rest of this process's life; wait until one is free.

    Args:
        names: of the devices; the same device has the same name in every process.
        jobs: how many may hold one device at a time.
        folder: of the locks.

    Returns:
        The device's place among `names`. A device is shared only when all are taken.

    Raises:
        InputError: the locks cannot be made or opened.
    """
    slots = [(k, folder / f"{n}.{i}") for i in range(jobs) for k, n in enumerate(names)]
    looks = count()
    try:
        _prepare(folder)
        while True:
            for index, path in slots:
                if _locked(path):
                    logger.info("computing on %s", names[index])
                    return index
            if next(looks) % REMIND_AFTER == 0:
                held = ", ".join(str(path) for _, path in slots)
                logger.info("waiting for a GPU: other jobs hold %s", held)
            time.sleep(LOOK_EVERY)
    except OSError as error:
        raise InputError(f"cannot lock a GPU: {error}") from error


def _prepare(folder: Path) -> None:
    """Make the folder, open to all users; keep programs that tidy /tmp away from it."""
    if not folder.exists():
        folder.mkdir(exist_ok=True)
        folder.chmod(0o1777)
    # systemd-tmpfiles deletes old files, but not in a folder that is locked.
    _held.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
    fcntl.flock(_held[-1], fcntl.LOCK_SH)


def _locked(path: Path) -> bool:
    """Try to lock a file; to be able to read it is enough."""
    # Linux refuses to "create" a file in such a folder that another user has made.
    create = 0 if path.exists() else os.O_CREAT
    lock = os.open(path, os.O_RDONLY | create, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    _held.append(lock)
    return True
