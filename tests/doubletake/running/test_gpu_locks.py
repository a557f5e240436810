"""Locks of GPUs, held by real processes, also of different users."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from doubletake.running import gpu_locks
from doubletake.running.errors import InputError
from doubletake.running.gpu_locks import JOBS_PER_GPU, claim, jobs_per_gpu

SCRIPTS = Path(gpu_locks.__file__).parents[2]
HOLDER = """
import logging, os, sys
from pathlib import Path
from doubletake.running import gpu_locks
gpu_locks.RETRY_EVERY = 0.05
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
folder, sharing, user, *names = sys.argv[1:]
if user:
    os.setgid(int(user))
    os.setuid(int(user))
index = gpu_locks.claim(names, int(sharing), Path(folder))
print(names[index], flush=True)
sys.stdin.read()
"""


class Holder:
    """A process that claims a device and keeps it until its stdin is closed."""

    def __init__(
        self, folder: Path, *names: str, sharing: int = 1, user: int | None = None
    ) -> None:
        arguments = [str(folder / "locks"), str(sharing), str(user or ""), *names]
        command = [sys.executable, "-c", HOLDER, *arguments]
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
        """Wait for the device that the process got."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def wait_for_log(self, text: str) -> None:
        """Wait until the log contains a text."""
        deadline = time.monotonic() + 30
        while text not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def end(self) -> None:
        self.process.communicate()


@pytest.fixture
def machine():
    """A folder like /tmp, in which every user may write."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def hold(machine):
    """Start holders; end all of them after the test."""
    holders = []

    def start(*names: str, sharing: int = 1, user: int | None = None) -> Holder:
        holders.append(Holder(machine, *names, sharing=sharing, user=user))
        return holders[-1]

    yield start
    for holder in holders:
        holder.process.kill()
        holder.process.communicate()


def test_each_process_gets_a_device_of_its_own(hold):
    holders = [hold("gpu-a", "gpu-b", "gpu-c") for _ in range(3)]
    assert {holder.device() for holder in holders} == {"gpu-a", "gpu-b", "gpu-c"}


def test_a_device_is_known_by_its_name_not_its_index(hold):
    assert hold("gpu-a", "gpu-b").device() == "gpu-a"
    assert hold("gpu-a", "gpu-b").device() == "gpu-b"
    waiting = hold("gpu-b")
    waiting.wait_for_log("waiting for a GPU")


def test_a_waiting_process_names_the_locks_and_then_goes_on(hold, machine):
    first = hold("gpu-a")
    assert first.device() == "gpu-a"
    second = hold("gpu-a")
    lock = machine / "locks/gpu-a.0"
    second.wait_for_log(f"waiting for a GPU: other jobs hold {lock}")
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


def test_never_two_at_a_time(hold):
    """Twelve processes want two devices; each device has one holder at a time."""
    waiting = [hold("gpu-a", "gpu-b") for _ in range(12)]
    for _ in range(6):
        done = []
        deadline = time.monotonic() + 30
        while len(done) < 2:
            done = [h for h in waiting if "computing on" in h.log.read_text()]
            assert time.monotonic() < deadline
        time.sleep(0.2)  # time for a third process to get a device, if it could
        done = [h for h in waiting if "computing on" in h.log.read_text()]
        assert sorted(holder.device() for holder in done) == ["gpu-a", "gpu-b"]
        for holder in done:
            holder.end()
            waiting.remove(holder)


def test_devices_are_shared_if_several_jobs_per_gpu_are_set(hold):
    holders = [hold("gpu-a", "gpu-b", sharing=2) for _ in range(4)]
    found = sorted(holder.device() for holder in holders)
    assert found == ["gpu-a", "gpu-a", "gpu-b", "gpu-b"]
    fifth = hold("gpu-a", "gpu-b", sharing=2)
    fifth.wait_for_log("waiting for a GPU")


def test_an_empty_device_comes_before_a_shared_one(hold):
    assert hold("gpu-a", "gpu-b", sharing=2).device() == "gpu-a"
    assert hold("gpu-a", "gpu-b", sharing=2).device() == "gpu-b"


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", ""])
def test_a_wrong_number_of_jobs_is_refused(monkeypatch, text):
    monkeypatch.setenv(JOBS_PER_GPU, text)
    with pytest.raises(InputError, match=JOBS_PER_GPU):
        jobs_per_gpu()


def test_one_job_per_gpu_is_the_default(monkeypatch):
    monkeypatch.delenv(JOBS_PER_GPU, raising=False)
    assert jobs_per_gpu() == 1
    monkeypatch.setenv(JOBS_PER_GPU, "3")
    assert jobs_per_gpu() == 3


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be two users")
def test_users_share_the_devices(hold):
    one, other = 40001, 40002
    holders = [hold("gpu-a", "gpu-b", user=one)]
    assert holders[0].device() == "gpu-a"
    holders.append(hold("gpu-a", "gpu-b", user=other))
    assert holders[1].device() == "gpu-b"
    waiting = hold("gpu-a", "gpu-b", user=other)
    waiting.wait_for_log("waiting for a GPU")
    holders[0].end()
    assert waiting.device() == "gpu-a"  # the file of the lock is another user's


def test_all_users_share_one_folder():
    assert str(gpu_locks.FOLDER) == "/tmp/doubletake-gpus"


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "locks").write_text("no folder")
    with pytest.raises(InputError, match=f"cannot lock a GPU: .*{tmp_path}/locks"):
        claim(["gpu-a"], 1, tmp_path / "locks")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be two users")
def test_a_lock_that_may_not_be_read_is_named(hold, machine):
    hold("gpu-a").device()
    (machine / "locks/gpu-a.0").chmod(0o600)
    refused = hold("gpu-a", user=40001)
    refused.wait_for_log(f"Permission denied: '{machine}/locks/gpu-a.0'")
