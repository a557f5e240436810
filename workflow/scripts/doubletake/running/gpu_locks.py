"""File locks: one GPU per job (does not import torch).

A job that computes on a GPU holds `flock` on a file that stands for this GPU. The
kernel drops the lock when the process ends, so a killed job leaves no lock behind. The
files are never deleted. Otherwise one process could lock the old file and another the
new one.
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
RETRY_EVERY = 0.2  # seconds between two attempts to get a device
LOG_EVERY = 300  # attempts from one line in the log to the next
FOLDER = Path("/tmp/doubletake-gpus")  # the same for all users and any TMPDIR

_held: list[int] = []  # file descriptors of the locks; open until the process ends


def jobs_per_gpu() -> int:
    """How many jobs may compute on one GPU at a time.

    Raises:
        InputError: the environment variable is not a whole number of at least 1.
    """
    text = os.environ.get(JOBS_PER_GPU, "1")
    if not text.isdecimal() or int(text) < 1:
        raise InputError(
            f"{JOBS_PER_GPU}: {text!r} is not a whole number of at least 1"
        )
    return int(text)


def claim(names: list[str], jobs: int, folder: Path) -> int:
    """Wait until a device is free, and lock it until this process ends.

    Args:
        names: names of the devices. A device has the same name in every process.
        jobs: how many jobs may hold one device at the same time.
        folder: folder of the locks.

    Returns:
        Index of the device in `names`. A device is shared only if all devices are
        taken.

    Raises:
        InputError: the locks cannot be created or opened.
    """
    slots = [(k, folder / f"{n}.{i}") for i in range(jobs) for k, n in enumerate(names)]
    attempts = count()
    try:
        _prepare(folder)
        while True:
            for index, path in slots:
                if _locked(path):
                    logger.info("computing on %s", names[index])
                    return index
            if next(attempts) % LOG_EVERY == 0:
                paths = ", ".join(str(path) for _, path in slots)
                logger.info("waiting for a GPU: other jobs hold %s", paths)
            time.sleep(RETRY_EVERY)
    except OSError as error:
        raise InputError(f"cannot lock a GPU: {error}") from error


def _prepare(folder: Path) -> None:
    """Create the folder for all users, and protect it from programs that tidy /tmp."""
    if not folder.exists():
        folder.mkdir(exist_ok=True)
        folder.chmod(0o1777)
    # systemd-tmpfiles deletes old files, but not in a folder that is locked.
    _held.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
    fcntl.flock(_held[-1], fcntl.LOCK_SH)


def _locked(path: Path) -> bool:
    """Try to lock a file, for which read permission is enough."""
    # In a folder like /tmp, Linux refuses O_CREAT on a file of another user.
    create = 0 if path.exists() else os.O_CREAT
    lock = os.open(path, os.O_RDONLY | create, 0o644)
    if create:
        os.fchmod(lock, 0o644)  # whatever the umask: other users lock it too
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    _held.append(lock)
    return True
