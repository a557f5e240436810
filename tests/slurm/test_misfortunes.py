"""Faults on a cluster: too little memory, a dead node, a cancelled job, no answer.

Several runs have their faults at the same time, because most of the time is waiting.
Meanwhile the study of `test_study` runs on other nodes. A node has room for one job
only, so that a fault of one run cannot reach another run.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import yaml
from remote import Remote

pytestmark = pytest.mark.slurm

SHARD = "results/pocket/pocket-problems/traces/shards/1-of-2.traces.parquet"
LOG = "results/pocket/pocket-problems/logs/traces/generate/1-of-2.log"
LIMIT = 600  # seconds


def exceed_memory(remote: Remote) -> int:
    """Run a job with 400 MB, which needs more; a file chooses the partition."""
    limits = {"main": {"max_runtime": "7d"}, "gpus": {"max_gpu": 1}}
    path = remote.folder / "partitions.yaml"
    path.write_text(yaml.safe_dump({"partitions": limits}))
    remote.variables["SNAKEMAKE_SLURM_PARTITIONS"] = str(path)
    memory = "generate_traces:mem_mb=400 * attempt"
    return remote.start(SHARD, "--set-resources", memory).wait(LIMIT)


def lose_node(remote: Remote) -> int:
    """Run, and cut the power of the node that runs the job."""
    run = remote.start(SHARD)
    node = remote.job_at_work(run, LOG).node
    remote.cluster.kill_node(node)
    try:
        return run.wait(LIMIT)
    finally:
        remote.cluster.start_node(node)


def cancel(remote: Remote) -> int:
    """Run without retries, and cancel the job."""
    run = remote.start(SHARD, "--retries", "0")
    job = remote.job_at_work(run, LOG)
    subprocess.run(["scancel", str(job.id)], check=True)
    return run.wait(LIMIT)


def go_unanswered(remote: Remote) -> int:
    """Run, and let SLURM give no answer about the job for 15 seconds."""
    away, programs = remote.folder / "away", remote.folder / "programs"
    programs.mkdir()
    for name in ("squeue", "sacct"):
        there = shutil.which(name) or "false"
        script = f'#!/bin/sh\n[ -e "{away}" ] && exit 1\nexec {there} "$@"\n'
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    remote.variables["PATH"] = f"{programs}:{os.environ['PATH']}"
    run = remote.start(SHARD)
    remote.job_at_work(run, LOG)
    away.touch()
    time.sleep(15)
    away.unlink()
    return run.wait(LIMIT)


def leave(remote: Remote) -> int:
    """Run, and kill Snakemake while the job computes."""
    run = remote.start(SHARD)
    remote.job_at_work(run, LOG)
    run.kill()
    return run.wait(LIMIT)


@pytest.fixture(scope="module")
def happen(new_remote, started_there):
    """Start all faulty runs; yields what gives the checkout and status of a run."""
    misfortunes = (exceed_memory, lose_node, cancel, leave, go_unanswered)
    with ThreadPoolExecutor(len(misfortunes)) as pool:
        started: dict[Callable, tuple[Remote, Future]] = {}
        for misfortune in misfortunes:
            remote = new_remote(misfortune.__name__)
            started[misfortune] = remote, pool.submit(misfortune, remote)
        yield lambda misfortune: (
            started[misfortune][0],
            started[misfortune][1].result(),
        )


def test_a_cancelled_job_fails_cleanly_and_a_rerun_completes(happen):
    remote, status = happen(cancel)
    assert status == 1
    assert [job.state for job in remote.jobs()] == ["CANCELLED"]
    assert "Error in rule generate_traces" in remote.output
    assert "Traceback" not in remote.output
    assert not list((remote.folder / SHARD).parent.glob("*"))
    assert remote.start(SHARD).wait(LIMIT) == 0, remote.output
    assert (remote.folder / SHARD).is_file()


def test_a_job_beyond_its_memory_gets_more(happen):
    remote, status = happen(exceed_memory)
    assert status == 0, remote.output
    first, second = remote.jobs()
    assert (first.memory, second.memory) == (400, 800)
    assert second.state == "COMPLETED"
    log = next(remote.folder.glob(f".snakemake/slurm_logs/**/{first.id}.log"))
    assert "exceeded memory limit" in log.read_text()
    assert {first.partition, second.partition} == {"gpus"}


def test_a_node_that_dies_costs_one_retry(happen):
    remote, status = happen(lose_node)
    assert status == 0, remote.output
    first, second = remote.jobs()
    assert (first.state, second.state) == ("NODE_FAIL", "COMPLETED")
    assert first.node != second.node
    assert second.memory == 2 * first.memory
    assert second.minutes == 2 * first.minutes
    for node in (first.node, second.node):
        remote.cluster.wait_for_node(node)


def test_a_silent_slurm_is_waited_for(happen):
    remote, status = happen(go_unanswered)
    assert status == 0, remote.output
    assert [job.state for job in remote.jobs()] == ["COMPLETED"]


def test_jobs_that_outlive_their_run_are_protected_by_its_lock(happen):
    remote, _ = happen(leave)
    again = remote.start(SHARD)
    assert again.wait(LIMIT) == 1
    assert "LockException" in remote.output
    (job,) = remote.jobs()
    subprocess.run(["scancel", str(job.id)], check=True)
    assert remote.start("--unlock").wait(LIMIT) == 0
    assert remote.start(SHARD).wait(LIMIT) == 0, remote.output
    assert (remote.folder / SHARD).is_file()
