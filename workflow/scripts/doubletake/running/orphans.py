"""Jobs that outlive the run that started them end themselves.

A Snakemake that is killed hard leaves its jobs running. Such a job would write on, and
after a change of the config it would put a result of the old one in the place of the
new one. So a job watches who started it, and ends when that is gone.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

import psutil

logger = logging.getLogger("doubletake")

EVERY = 0.5  # seconds between two looks
SHELLS = {"bash", "dash", "ksh", "sh", "zsh"}


def watch_starter(end: Callable[[int], None] = os._exit) -> threading.Thread:
    """Call `end` with status 1 as soon as the process that started this one is gone.

    A shell in between counts with the process that started it.
    """
    chain = [psutil.Process(os.getppid())]
    while chain[-1].name() in SHELLS and chain[-1].ppid() > 1:
        chain.append(psutil.Process(chain[-1].ppid()))

    def watch() -> None:
        while os.getppid() == chain[0].pid and all(map(_lives, chain)):
            time.sleep(EVERY)
        logger.error("the run that started this job is gone: the job ends, too")
        end(1)

    thread = threading.Thread(target=watch, name="watch_starter", daemon=True)
    thread.start()
    return thread


def _lives(process: psutil.Process) -> bool:
    """Whether it runs; one that is dead and not yet buried does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
