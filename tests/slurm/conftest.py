"""A cluster for the session, and checkouts whose runs are sent to it."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checkouts import Checkout
from cluster import STUDY, CannotStart, Cluster, Job
from remote import Beside, Remote, few

LIMIT = 1200  # seconds until a study must have ended
JOBS = pytest.StashKey[list[Job]]()


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A cluster of four nodes, which is stopped at the end of the session."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start()
        yield cluster
        request.config.stash[JOBS] = cluster.jobs()
    except CannotStart as reason:
        pytest.exit(f"no SLURM to test with: {reason}", returncode=1)
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def new_remote(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Remote]:
    """Make a checkout in which nothing has run."""

    def make(name: str) -> Remote:
        return Remote.of(tmp_path_factory.mktemp(name) / "checkout", cluster)

    return make


@pytest.fixture(scope="session")
def started_here(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Beside:
    """The cluster's study, run on this machine at low priority while the cluster works.

    Its run starts together with the run on the cluster.
    """
    checkout = Checkout.new(tmp_path_factory.mktemp("local") / "checkout")
    checkout.configure(few)
    run = Beside(checkout)
    cluster.runs.append(run)
    return run


@pytest.fixture(scope="session")
def started_there(
    started_here: Beside,
    new_remote: Callable[[str], Remote],
) -> tuple[Remote, "subprocess.Popen[str]"]:
    """The study on the cluster, on two nodes that no faulty run uses."""
    remote = new_remote("a-study")
    remote.variables["SBATCH_PARTITION"] = STUDY
    return remote, remote.start()


@pytest.fixture(scope="session")
def study(started_there: tuple[Remote, "subprocess.Popen[str]"]) -> tuple[Remote, str]:
    """A checkout whose study has run on the cluster, and the output of Snakemake."""
    remote, run = started_there
    assert run.wait(LIMIT) == 0, remote.output[-8000:]
    return remote, remote.output


@pytest.fixture(scope="session")
def local(started_here: Beside) -> Checkout:
    """A checkout whose study has run on this machine."""
    assert started_here.wait(LIMIT) == 0, started_here.output[-8000:]
    return started_here.checkout


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """List the jobs that ran, their nodes and the resources that they requested."""
    jobs = config.stash.get(JOBS, [])
    if not jobs:
        return
    terminalreporter.section("jobs that SLURM ran")
    for job in jobs:
        terminalreporter.line(
            f"{job.id:>4} {job.rule:<20} {job.node:<4} {job.partition:<7} "
            f"gpus={job.gpus} mem={job.memory}M time={job.minutes}min {job.state:<10} "
            f"{Path(job.folder).parent.name}"
        )
