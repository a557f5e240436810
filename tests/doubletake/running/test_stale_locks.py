"""Locks of the dead are removed, locks of the living are not."""

import socket
import subprocess
import sys

import pytest

from doubletake.running.stale_locks import ALIVE, clear_stale, name_owner

HOLDER = """
import sys, time
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from doubletake.running.stale_locks import clear_stale, name_owner
held, removed = clear_stale(Path(sys.argv[1]))
name_owner(held, jobs_here=True)
print(removed, flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path):
    """Snakemake's folder with the locks of a run on this machine."""
    (tmp_path / "locks").mkdir()
    for name in ("0.input.lock", "0.output.lock"):
        (tmp_path / "locks" / name).write_text("results/x\n")
    (tmp_path / ALIVE).write_text(socket.gethostname())
    return tmp_path


def locks(folder):
    return sorted(path.name for path in (folder / "locks").iterdir())


def test_locks_of_a_dead_run_are_removed(folder):
    held, removed = clear_stale(folder)
    assert removed == ["0.input.lock", "0.output.lock"]
    assert locks(folder) == []
    held.close()


def test_locks_of_a_living_run_stay_until_it_is_killed(folder):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), *sys.path],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert "0.input.lock" in holder.stdout.readline()
        (folder / "locks/0.input.lock").write_text("its own")
        held, removed = clear_stale(folder)
        assert removed == []
        held.close()
        assert locks(folder) == ["0.input.lock"]
    finally:
        holder.kill()
        holder.wait()
    held, removed = clear_stale(folder)
    assert removed == ["0.input.lock"]
    held.close()


def test_locks_of_another_machine_stay(folder):
    (folder / ALIVE).write_text("elsewhere")
    held, removed = clear_stale(folder)
    assert removed == []
    assert len(locks(folder)) == 2
    name_owner(held, jobs_here=True)
    assert (folder / ALIVE).read_text() == socket.gethostname()
    held.close()


def test_a_folder_that_one_may_not_write_is_left_alone(tmp_path):
    (tmp_path / "file").write_text("")
    assert clear_stale(tmp_path / "file/.snakemake") == (None, [])


def test_locks_of_a_run_whose_jobs_are_elsewhere_stay(folder):
    held, _ = clear_stale(folder)
    name_owner(held, jobs_here=False)
    held.close()
    (folder / "locks/0.input.lock").write_text("results/x")
    held, removed = clear_stale(folder)
    assert removed == []
    assert locks(folder) == ["0.input.lock"]
    name_owner(held, jobs_here=True)
    held.close()
    held, removed = clear_stale(folder)
    assert removed == ["0.input.lock"]
    held.close()
