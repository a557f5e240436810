"""Jobs that outlive the run that started them end themselves.

A Snakemake that is killed hard leaves its jobs running. Such a job would go on writing.
After a change of the config it would put an old result in the place of a new one. So
every job knows the process of its run, and ends when that process is gone.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

import psutil

logger = logging.getLogger("doubletake")

VARIABLE = "DOUBLETAKE_RUN"
"""Environment variable with the process id of the Snakemake that started a job."""
EVERY = 0.5  # seconds between two looks


def watch_run(end: Callable[[int], None] = os._exit) -> threading.Thread | None:
    """Call `end` with status 1 as soon as the Snakemake of this job is gone.

    It may be gone already: a job needs seconds to import what it uses. Then it is no
    longer among the processes that this one descends from.

    Returns:
        The thread that watches, or None where no Snakemake started this process.
    """
    named = os.environ.get(VARIABLE)
    if named is None:
        return None
    run = [each for each in psutil.Process().parents() if each.pid == int(named)]

    def watch() -> None:
        while run and _lives(run[0]):
            time.sleep(EVERY)
        logger.error("the run that started this job is gone: the job ends, too")
        end(1)

    thread = threading.Thread(target=watch, name="watch_run", daemon=True)
    thread.start()
    return thread


def _lives(process: psutil.Process) -> bool:
    """Whether it runs; a zombie has ended, though its entry is still there."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
