"""A real SLURM on this machine: one controller, four nodes, one pretended GPU each.

SLURM finds its configuration in one place of the system only (jobs drop SLURM_CONF).
Two files are written there. All other files lie in the folder of the cluster. Every
process that is started here is stopped by its process id.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

SYSTEM = Path("/etc/slurm")
MARK = "# Written by doubletake's tests (make test-slurm); removed when they end."
PROGRAMS = ["slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel"]
PACKAGES = ["slurmctld", "slurmd", "slurm-client"]
PORT = 17000
NAME = "doubletake"
NODES = ("n1", "n2", "n3", "n4")
STUDY = "study"  # the partition of the study, which no fault of another run disturbs
SLURM_CONF = """{mark}
ClusterName={name}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
GresTypes=gpu
ReturnToService=2
SlurmdParameters=config_overrides
SlurmdTimeout=10
KillWait=3
MinJobAge=86400
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} "
    "CPUs=1 RealMemory=80000 Gres=gpu:fake:1\n"
)
PARTITIONS = """PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
PartitionName=single Nodes=n1 MaxTime=INFINITE State=UP
PartitionName=gpus Nodes=n1,n2 MaxTime=INFINITE State=UP
PartitionName=study Nodes=n3,n4 MaxTime=INFINITE State=UP
"""


class CannotStart(Exception):
    """Says in one sentence why no cluster can start here."""


@dataclass(frozen=True)
class Job:
    """A job, as the controller reports it."""

    id: int
    rule: str
    state: str
    partition: str
    node: str
    memory: int
    """Requested, in MB."""
    minutes: int
    """Requested run time."""
    gpus: int
    """Requested number."""
    folder: str
    """Folder from which it was submitted."""
    seconds: int
    """Wall time from its start to its end."""

    @classmethod
    def read(cls, line: str) -> "Job":
        """Parse one line of `scontrol show job --oneliner`."""
        fields = dict(part.partition("=")[::2] for part in line.split())
        tres = dict(part.partition("=")[::2] for part in fields["TRES"].split(","))
        return cls(
            id=int(fields["JobId"]),
            rule=fields["Comment"].removeprefix("rule_").partition("_wildcards_")[0],
            state=fields["JobState"],
            partition=fields["Partition"],
            node=fields["NodeList"],
            memory=_megabytes(tres["mem"]),
            minutes=_seconds(fields["TimeLimit"]) // 60,
            gpus=int(fields.get("TresPerJob", "gpu:0").rpartition(":")[2]),
            folder=fields["WorkDir"],
            seconds=_seconds(fields["RunTime"]),
        )


class Started(Protocol):
    """A run that has been started, as a process or as a fork."""

    def kill(self) -> None:
        """End it now."""

    def wait(self) -> int:
        """Wait for its end."""


@dataclass
class Cluster:
    """Four nodes under one controller: n1 and n2 by default, n3 and n4 by name."""

    folder: Path
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    runs: list["Started"] = field(default_factory=list)
    """Processes that send jobs to the cluster; they are ended with it."""

    def start(self) -> None:
        """Install SLURM where it is missing, configure it and start its daemons.

        Raises:
            CannotStart: this user is not root, the system is not Debian, or another
                SLURM is configured here.
        """
        _check_machine()
        _end_leftovers()
        _install()
        self._configure()
        self._start("slurmctld", ["slurmctld", "-D", "-c"])
        _wait_until(self._answers, 30, f"slurmctld answers (log: {self.folder})")
        for node in NODES:
            self.start_node(node)
        _wait_until(self._all_idle, 60, "the nodes are idle")

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        self._start(node, ["slurmd", "-D", "-N", node])

    def kill_node(self, node: str) -> None:
        """Simulate a power cut: kill the node's daemon and all processes of jobs."""
        self._end(node)
        for pid in _processes_of(node):
            _kill(pid)

    def wait_for_node(self, node: str) -> None:
        """Wait until a node takes jobs again."""
        _wait_until(lambda: self._state(node) == "idle", 60, f"{node} is idle")

    def stop(self) -> None:
        """End every started process and remove the files outside of `folder`."""
        for run in self.runs:
            run.kill()
            run.wait()
        if not self.daemons:
            return
        subprocess.run(["scancel", "--user", "root"], check=False)
        for node in NODES:
            self.kill_node(node)
        self._end("slurmctld")
        for name in ("slurm.conf", "gres.conf"):
            path = SYSTEM / name
            if path.exists() and path.read_text().startswith(MARK):
                path.unlink()

    def jobs(self) -> list[Job]:
        """All jobs that were submitted, in order."""
        text = _output("scontrol", "show", "job", "--oneliner")
        lines = [line for line in text.splitlines() if line.startswith("JobId=")]
        return sorted(map(Job.read, lines), key=lambda job: job.id)

    def _configure(self) -> None:
        (self.folder / "state").mkdir(parents=True)
        (self.folder / "nvidia0").symlink_to("/dev/null")
        host = socket.gethostname().partition(".")[0]
        head = SLURM_CONF.format(
            mark=MARK, name=NAME, host=host, folder=self.folder, port=PORT
        )
        nodes = [
            NODE.format(name=name, host=host, port=PORT + number)
            for number, name in enumerate(NODES, start=1)
        ]
        gres = [
            f"NodeName={name} Name=gpu Type=fake File={self.folder}/nvidia0\n"
            for name in NODES
        ]
        SYSTEM.mkdir(exist_ok=True)
        (SYSTEM / "slurm.conf").write_text("".join([head, *nodes, PARTITIONS]))
        (SYSTEM / "gres.conf").write_text("\n".join([MARK, *gres]))

    def _start(self, name: str, command: list[str]) -> None:
        log = open(self.folder / f"{name}.out", "ab")  # noqa: SIM115
        self.daemons[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def _end(self, name: str) -> None:
        daemon = self.daemons.pop(name, None)
        if daemon is not None:
            daemon.kill()
            daemon.wait()

    def _answers(self) -> bool:
        ping = subprocess.run(["scontrol", "ping"], capture_output=True, check=False)
        return b"is UP" in ping.stdout

    def _all_idle(self) -> bool:
        return all(self._state(node) == "idle" for node in NODES)

    def _state(self, node: str) -> str:
        command = ["sinfo", "--noheader", "-N", "-n", node, "-o", "%T"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.stdout.partition("\n")[0]


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise CannotStart(f"SLURM's tests need root: they write {SYSTEM}/slurm.conf")
    for name in ("slurm.conf", "gres.conf"):
        path = SYSTEM / name
        if path.exists() and not path.read_text().startswith(MARK):
            raise CannotStart(
                f"{path} was not written by these tests: it stays as it is"
            )


def _end_leftovers() -> None:
    """Kill the daemons that a killed test session left behind."""
    path = SYSTEM / "slurm.conf"
    found = path.exists() and re.search(r"SlurmctldPidFile=(.*)", path.read_text())
    if not found:
        return
    for pid_file in Path(found[1]).parent.glob("slurm*.pid"):
        pid = int(pid_file.read_text())
        if _program(pid) in ("slurmctld", "slurmd"):
            _kill(pid)


def _install() -> None:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise CannotStart(
            f"{', '.join(missing)} not found, and no apt-get to install them with"
        )
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES],
    ):
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            raise CannotStart(f"{' '.join(command)} failed: {result.stderr[-500:]}")


def _processes_of(node: str) -> list[int]:
    """Processes of a node's jobs, with the `slurmstepd` processes above them."""
    names = {f"SLURMD_NODENAME={node}".encode(), f"SLURM_CLUSTER_NAME={NAME}".encode()}
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process may have ended meanwhile
            if names <= set((folder / "environ").read_bytes().split(b"\0")):
                status = (folder / "status").read_text()
                parent = status.partition("PPid:")[2].split()[0]
                found[int(folder.name)] = int(parent)
    watchers = {parent for parent in found.values() if _program(parent) == "slurmstepd"}
    return [*watchers, *(pid for pid in found if pid not in watchers)]


def _program(pid: int) -> str:
    """Name of the program of a process; empty if the process has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _megabytes(text: str) -> int:
    """Parse memory as SLURM writes it: 1500M, 24G."""
    number, unit = float(text[:-1]), text[-1]
    return round(number * {"K": 1 / 1024, "M": 1, "G": 1024}[unit])


def _seconds(text: str) -> int:
    """Parse a duration as SLURM writes it: 1-02:03:04."""
    days, _, clock = text.rpartition("-")
    hours, minutes, seconds = map(int, clock.split(":"))
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.2)
