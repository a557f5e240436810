"""A job ends when the run that started it is gone."""

import subprocess
import sys
import time

import psutil
import pytest

JOB = """
import sys, time
sys.path[:0] = sys.argv[2:]
from doubletake.running.orphans import watch_starter
watch_starter()
open(sys.argv[1], "w").write("ready")
time.sleep(60)
"""
STARTER = "import subprocess, sys; subprocess.run(sys.argv[1:])"


@pytest.mark.parametrize("shell", [False, True], ids=["directly", "through a shell"])
def test_an_orphan_ends(tmp_path, shell):
    job = [sys.executable, "-c", JOB, str(tmp_path / "ready"), *sys.path]
    if shell:
        job = ["/bin/sh", "-c", '"$@"; true', "sh", *job]
    starter = psutil.Popen([sys.executable, "-c", STARTER, *job])
    deadline = time.monotonic() + 60
    while not (tmp_path / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.5)
    (orphan,) = (
        child
        for child in starter.children(recursive=True)
        if child.name().startswith("python")
    )
    assert orphan.is_running()
    starter.kill()
    starter.wait()
    _, alive = psutil.wait_procs([orphan], timeout=30)
    assert not alive


def test_a_job_lives_as_long_as_its_starter(tmp_path):
    job = [sys.executable, "-c", JOB.replace("60", "2"), str(tmp_path / "x"), *sys.path]
    assert subprocess.run(job, check=False).returncode == 0
