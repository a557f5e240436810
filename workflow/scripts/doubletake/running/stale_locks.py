"""Locks that a killed Snakemake left behind are removed, never those of a living one.

Snakemake locks a working directory with files that say nothing of their owner, and a
hard kill leaves them there. So every Snakemake of this workflow also holds a shared
lock of the operating system, which ends with the process, whatever ends it. Whoever
gets that lock alone knows that no other lives, and clears the files.

On some cluster file systems such a lock holds on one machine only. Hence the name of
the machine that ran last: locks that another machine left are not touched. Nor are
those of a run that sent its jobs elsewhere: jobs that wait in a cluster's queue outlive
it, hold no lock, and would still write.
"""

import fcntl
import os
import socket
from pathlib import Path
from typing import IO

LOCKS = "locks"
ALIVE = "doubletake.alive"
"""Locked as long as a Snakemake of this workflow lives; holds the machine's name."""
ELSEWHERE = "(jobs on a cluster)"
"""In its place where jobs may outlive that Snakemake; no host has that name."""


def clear_stale(folder: Path) -> tuple[IO[str] | None, list[str]]:
    """Take the shared lock; where nobody else holds it, remove the locks left behind.

    Args:
        folder: Snakemake's own, `.snakemake` in the working directory.

    Returns:
        The lock, to be kept as long as the process lives (None where the file system
        knows no locks), and the names of the files removed.
    """
    removed: list[str] = []
    try:
        folder.mkdir(exist_ok=True)
        file = open(folder / ALIVE, "a+")  # noqa: SIM115 (kept open on purpose)
    except OSError:  # a folder that one may only read: nothing runs there
        return None, removed
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            file.seek(0)
            if file.read() == socket.gethostname():
                removed = _remove(folder / LOCKS)
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        file.close()
        return None, removed
    return file, removed


def name_owner(file: IO[str] | None, *, jobs_here: bool) -> None:
    """Write down that this machine runs; to be called while it holds the lock.

    Args:
        file: the lock.
        jobs_here: whether the jobs are processes of this machine, which end with it.
    """
    if file is not None:
        file.seek(0)
        file.truncate()
        file.write(socket.gethostname() if jobs_here else ELSEWHERE)
        file.flush()


def _remove(locks: Path) -> list[str]:
    names = sorted(path.name for path in locks.glob("*.lock"))
    for name in names:
        os.unlink(locks / name)
    return names
