"""What the fault suite does: starts runs, kills parts of them, damages files."""

import hashlib
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
from checkouts import Checkout

PATIENCE = 1200.0  # seconds for any one step, on a machine however loaded
TIMED = (
    "/logs/",
    "/benchmarks/",
    "runs.parquet",
    "/online_exit/latency",
    "/manifest.json",
    "/report.html",
)
"""What says how long a run took, and so differs from run to run."""


class Run:
    """A run of the workflow in the background, with its jobs."""

    def __init__(self, checkout: Checkout, *arguments: str, limit: int | None = None):
        """Start it; `limit` is the largest file that it may write, in bytes."""

        def limited() -> None:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        self.checkout = checkout
        self.output = checkout.folder / "run.txt"
        with self.output.open("wb") as output:
            self.process = psutil.Popen(
                checkout.command(*arguments),
                cwd=checkout.folder,
                env=checkout.environment() | {"OMP_NUM_THREADS": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=limited if limit else None,
            )

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.output.read_text(errors="replace")

    @property
    def ended(self) -> bool:
        """Whether Snakemake has ended."""
        return self.process.poll() is not None

    def jobs(self) -> list[psutil.Process]:
        """The scripts that run now; all are below this run's own process."""
        found = []
        try:
            for child in self.process.children(recursive=True):
                if any(".snakemake/scripts" in word for word in child.cmdline()):
                    found.append(child)
        except psutil.NoSuchProcess:
            pass
        return found

    def wait(self) -> str:
        """Wait for its end; return what it said."""
        self.process.wait(PATIENCE)
        return self.text

    def wait_until(self, condition) -> bool:
        """Wait until something holds; False if the run ends before."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.text[-4000:]
            if self.ended:
                return False
            time.sleep(0.02)
        return True

    def kill_job(self, draw: random.Random) -> bool:
        """Kill a job; False if none runs."""
        jobs = self.jobs()
        return bool(jobs) and kill([draw.choice(jobs)]) == 1

    def kill_snakemake(self) -> list[psutil.Process]:
        """Kill Snakemake alone; return the jobs that it leaves behind."""
        jobs = self.jobs()
        kill([self.process])
        self.process.wait(PATIENCE)
        return jobs

    def kill_all(self) -> None:
        """Kill Snakemake and its jobs at once."""
        kill([self.process, *self.jobs()])
        self.process.wait(PATIENCE)


def seed_of_commit() -> str:
    """The commit under test; a fixed seed without a git repository."""
    said = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or "20"


def kill(processes: list[psutil.Process]) -> int:
    """Kill -9; return how many were still there. psutil spares a reused id."""
    killed = 0
    for process in processes:
        try:
            process.send_signal(signal.SIGKILL)
            killed += 1
        except psutil.NoSuchProcess:
            pass
    return killed


def results(checkout: Checkout) -> dict[str, str]:
    """Digest of every result that must not differ from run to run, by its path."""
    folder = checkout.folder / "results"
    digests = {}
    for path in sorted(folder.rglob("*")):
        name = f"/{path.relative_to(folder)}"
        if path.is_file() and not any(part in name for part in TIMED):
            digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests


def assert_same(
    checkout: Checkout, undisturbed: dict[str, str], *, whole: bool = True
) -> None:
    """Every file is byte-equal, none is missing, and nothing is left over.

    Args:
        checkout: after the faults.
        undisturbed: of a run of the whole study.
        whole: whether the checkout holds the whole study, too.
    """
    assert differing(checkout, undisturbed) == []
    assert not whole or results(checkout).keys() == undisturbed.keys()
    assert not list(checkout.folder.rglob("*.partial"))
    assert not list((checkout.folder / ".snakemake").glob("locks/*"))


def differing(checkout: Checkout, undisturbed: dict[str, str]) -> list[str]:
    """Results that are not byte-equal to the undisturbed run's."""
    found = results(checkout)
    return [name for name in found if found[name] != undisturbed.get(name)]


def flip(path: Path, draw: random.Random, *, unnoticed: bool) -> None:
    """Change one byte; `unnoticed` keeps the date, as a failing disk does."""
    damage(path, _flipped(path.read_bytes(), draw), unnoticed=unnoticed)


def truncate(path: Path, draw: random.Random, *, unnoticed: bool) -> None:
    """Cut a file off at a random place."""
    data = path.read_bytes()
    damage(path, data[: draw.randrange(len(data))], unnoticed=unnoticed)


def damage(path: Path, data: bytes, *, unnoticed: bool) -> None:
    """Write other bytes in place."""
    before = path.stat()
    path.write_bytes(data)
    if unnoticed:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _flipped(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data))
    changed = bytearray(data)
    changed[place] ^= draw.randrange(1, 256)
    return bytes(changed)


def named_for_deletion(text: str) -> set[str]:
    """Files that messages of a run ask to delete."""
    found = re.findall(r": (results/\S+?)(?::)? (?:is )?damaged.*?delete it", text)
    return set(found)
