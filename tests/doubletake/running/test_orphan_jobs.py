"""A job ends when the run that started it is gone."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from doubletake.running.orphan_jobs import VARIABLE

JOB = """
import sys, time
from pathlib import Path
from doubletake.running.orphan_jobs import watch_run
ready, wait_for, rest = sys.argv[1:]
Path(ready).touch()
while wait_for and not Path(wait_for).exists():
    time.sleep(0.05)
watch_run()
time.sleep(float(rest))
"""
RUN = f"""
import os, subprocess, sys
os.environ["{VARIABLE}"] = str(os.getpid())
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""


def start(tmp_path, *, wait_for: str = "", rest: str = "60", shell: bool = False):
    """Start a run with one job, and wait until the job has started."""
    job = [sys.executable, "-c", JOB, str(tmp_path / "ready"), wait_for, rest]
    if shell:
        job = ["/bin/sh", "-c", '"$@"; exit $?', "sh", *job]
    run = psutil.Popen([sys.executable, "-c", RUN, *job])
    deadline = time.monotonic() + 60
    while not (tmp_path / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return run


def kill(run) -> list[psutil.Process]:
    """Kill a run but not its jobs; return the jobs."""
    left = run.children(recursive=True)
    run.kill()
    run.wait()
    return left


@pytest.mark.parametrize("shell", [False, True], ids=["directly", "through a shell"])
def test_an_orphan_ends(tmp_path, shell):
    run = start(tmp_path, shell=shell)
    time.sleep(1.5)
    left = kill(run)
    assert left
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive


@pytest.mark.parametrize("shell", [False, True], ids=["directly", "through a shell"])
def test_an_orphan_ends_even_if_its_run_ended_before_the_first_check(tmp_path, shell):
    left = kill(start(tmp_path, wait_for=str(tmp_path / "look"), shell=shell))
    assert all(process.is_running() for process in left)
    (tmp_path / "look").touch()
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive


def test_a_job_lives_as_long_as_its_run(tmp_path):
    assert start(tmp_path, rest="2").wait(60) == 0


def test_a_process_without_a_run_goes_on(tmp_path):
    job = [sys.executable, "-c", JOB, str(tmp_path / "ready"), "", "1"]
    environment = {k: v for k, v in os.environ.items() if k != VARIABLE}
    assert subprocess.run(job, env=environment, check=False).returncode == 0
