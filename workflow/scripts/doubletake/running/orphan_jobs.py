"""Ends a job when the Snakemake process that started it is gone.

If Snakemake is killed with SIGKILL, its jobs go on. After a change of the config, such
a job could replace a new result by an old one. So every job watches the process of its
run, and ends when this process is gone.
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
CHECK_EVERY = 0.5  # seconds


def watch_run(end: Callable[[int], None] = os._exit) -> threading.Thread | None:
    """Call `end` with status 1 as soon as the Snakemake of this job is gone.

    It may be gone already, because a job needs seconds for its imports. Then Snakemake
    is no longer among the ancestors of this process.

    Returns:
        The watching thread, or None if Snakemake did not start this process.
    """
    run_id = os.environ.get(VARIABLE)
    if run_id is None:
        return None
    parents = psutil.Process().parents()
    run = next((process for process in parents if process.pid == int(run_id)), None)

    def watch() -> None:
        while run is not None and _is_alive(run):
            time.sleep(CHECK_EVERY)
        logger.error("the run that started this job has ended, so the job ends too")
        end(1)

    thread = threading.Thread(target=watch, name="watch_run", daemon=True)
    thread.start()
    return thread


def _is_alive(process: psutil.Process) -> bool:
    """Whether a process runs. A zombie has ended, although it is still listed."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
