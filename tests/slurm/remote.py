"""Checkouts whose runs go to SLURM."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import starts
from checkouts import Checkout, small
from cluster import Cluster, Job

PROFILE = ["--workflow-profile", "profiles/slurm"]
QUICK = [  # jobs of these tests take seconds
    *("--slurm-init-seconds-before-status-checks", "2"),
    *("--max-status-checks-per-second", "1"),
]


def few(config: dict[str, Any]) -> None:
    """Reduce the default study to seconds; its model asks for a GPU."""
    small(config)
    config["models"]["pocket"]["device"] = "auto"


@dataclass(frozen=True)
class Remote(Checkout):
    """A checkout whose runs go to SLURM."""

    cluster: Cluster
    variables: dict[str, str] = field(default_factory=dict)
    """Variables that are added to the environment of a run."""

    @classmethod
    def of(cls, folder: Path, cluster: Cluster) -> "Remote":
        """A checkout with the small study."""
        checkout = cls(Checkout.new(folder).folder, cluster)
        checkout.configure(few)
        return checkout

    def command(self, *arguments: str) -> list[str]:
        """The command line of a run."""
        return [sys.executable, "-m", "snakemake", *arguments, *PROFILE, *QUICK]

    def environment(self) -> dict[str, str]:
        """The environment of a run."""
        return super().environment() | self.variables

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a run; its output goes to `output`."""
        with open(self.folder / "output", "w") as output:
            run = subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.cluster.runs.append(run)
        return run

    @property
    def output(self) -> str:
        """Output of the run that was started last."""
        return (self.folder / "output").read_text()

    def jobs(self) -> list[Job]:
        """The jobs that this checkout's runs have submitted, in order."""
        folder = os.path.realpath(self.folder)
        return [job for job in self.cluster.jobs() if job.folder == folder]

    def job_at_work(self, run: "subprocess.Popen[str]", log: str) -> Job:
        """The newest job; waits until its script begins to write its log."""
        deadline = time.monotonic() + 300
        while not (self.folder / log).exists():
            assert run.poll() is None, self.output
            assert time.monotonic() < deadline, f"no {log}\n{self.output}"
            time.sleep(0.1)
        return self.jobs()[-1]


class Beside:
    """A run on this machine, at low priority, beside what runs on the cluster.

    It shares its imports (`starts`). Every job on the cluster imports what it needs, so
    equal results also show that shared imports change nothing.
    """

    def __init__(self, checkout: Checkout) -> None:
        """Start it."""
        self.checkout = checkout
        self._pid: Future[int] = Future()
        self._end = ThreadPoolExecutor(1).submit(
            starts.start,
            checkout.command()[3:],
            checkout.folder,
            checkout.environment(),
            self._pid.set_result,
            niceness=10,
        )

    def wait(self, limit: float | None = None) -> int:
        """Wait for its end, and return its status."""
        return self._end.result(limit).returncode

    def kill(self) -> None:
        """Kill Snakemake, if it has not ended. Its jobs then end, too."""
        if not self._end.done():
            os.kill(self._pid.result(), signal.SIGKILL)

    @property
    def output(self) -> str:
        """What it has said, when it has ended."""
        return self._end.result().stdout
