"""Locks of devices, held by real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doubletake import gpu_locks
from doubletake.errors import InputError
from doubletake.gpu_locks import JOBS_PER_GPU, jobs_per_gpu, lock_folder

SCRIPTS = Path(gpu_locks.__file__).parents[1]
HOLDER = """
import logging, sys
from pathlib import Path
from doubletake import gpu_locks
gpu_locks.LOOK_EVERY = 0.05
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
folder, sharing, *names = sys.argv[1:]
index = gpu_locks.claim(names, int(sharing), Path(folder))
print(names[index], flush=True)
sys.stdin.read()
"""


class Holder:
    """A process that claims a device and keeps it until its stdin is closed."""

    def __init__(self, folder: Path, *names: str, sharing: int = 1) -> None:
        command = [sys.executable, "-c", HOLDER, str(folder), str(sharing), *names]
        self.log = folder / f"{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={"PYTHONPATH": str(SCRIPTS)},
            )

    def device(self) -> str:
        """The device it got; waits for it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def wait_for_log(self, text: str) -> None:
        """Wait until its log says something."""
        deadline = time.monotonic() + 30
        while text not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def end(self) -> None:
        self.process.communicate()


@pytest.fixture
def hold(tmp_path):
    """Start holders; all have ended when the test has."""
    holders = []

    def start(*names: str, sharing: int = 1) -> Holder:
        holders.append(Holder(tmp_path, *names, sharing=sharing))
        return holders[-1]

    yield start
    for holder in holders:
        holder.process.kill()
        holder.process.communicate()


def test_each_process_gets_a_device_of_its_own(hold):
    holders = [hold("gpu-a", "gpu-b", "gpu-c") for _ in range(3)]
    assert {holder.device() for holder in holders} == {"gpu-a", "gpu-b", "gpu-c"}


def test_a_device_is_one_whatever_its_place_in_the_list(hold):
    assert hold("gpu-a", "gpu-b").device() == "gpu-a"
    assert hold("gpu-a", "gpu-b").device() == "gpu-b"
    waiting = hold("gpu-b")
    waiting.wait_for_log("waiting for a GPU")


def test_who_waits_says_for_what_and_goes_on(hold):
    first = hold("gpu-a")
    assert first.device() == "gpu-a"
    second = hold("gpu-a")
    second.wait_for_log(
        f"waiting for a GPU: gpu-a is held by process {first.process.pid}"
    )
    assert second.process.poll() is None
    first.end()
    assert second.device() == "gpu-a"


def test_a_killed_process_leaves_no_lock(hold):
    first = hold("gpu-a")
    assert first.device() == "gpu-a"
    second = hold("gpu-a")
    second.wait_for_log("waiting for a GPU")
    first.process.send_signal(signal.SIGKILL)
    assert second.device() == "gpu-a"


def test_never_two_at_a_time(hold, tmp_path):
    """Twelve processes in a rush for two devices: one holder each at any moment."""
    waiting = [hold("gpu-a", "gpu-b") for _ in range(12)]
    for _ in range(6):
        done = []
        deadline = time.monotonic() + 30
        while len(done) < 2:
            done = [h for h in waiting if "computing on" in h.log.read_text()]
            assert time.monotonic() < deadline
        time.sleep(0.2)  # time in which a third would get one, if it could
        done = [h for h in waiting if "computing on" in h.log.read_text()]
        assert sorted(holder.device() for holder in done) == ["gpu-a", "gpu-b"]
        for holder in done:
            holder.end()
            waiting.remove(holder)


def test_devices_are_shared_where_that_is_asked_for(hold):
    holders = [hold("gpu-a", "gpu-b", sharing=2) for _ in range(4)]
    found = sorted(holder.device() for holder in holders)
    assert found == ["gpu-a", "gpu-a", "gpu-b", "gpu-b"]
    fifth = hold("gpu-a", "gpu-b", sharing=2)
    fifth.wait_for_log("waiting for a GPU")


def test_an_empty_device_comes_before_a_shared_one(hold):
    assert hold("gpu-a", "gpu-b", sharing=2).device() == "gpu-a"
    assert hold("gpu-a", "gpu-b", sharing=2).device() == "gpu-b"


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", ""])
def test_a_number_of_jobs_that_is_none(monkeypatch, text):
    monkeypatch.setenv(JOBS_PER_GPU, text)
    with pytest.raises(InputError, match=JOBS_PER_GPU):
        jobs_per_gpu()


def test_one_job_per_gpu_unless_asked(monkeypatch):
    monkeypatch.delenv(JOBS_PER_GPU, raising=False)
    assert jobs_per_gpu() == 1
    monkeypatch.setenv(JOBS_PER_GPU, "3")
    assert jobs_per_gpu() == 3


def test_the_folder_is_the_users_own(tmp_path):
    folder = lock_folder(tmp_path)
    assert folder == lock_folder(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    lock_folder(tmp_path).rmdir()
    lock_folder_path = tmp_path / f"doubletake-{os.getuid()}"
    lock_folder_path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="no folder of yours"):
        lock_folder(tmp_path)
