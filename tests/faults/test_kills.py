"""Kill -9 at random moments: the job, Snakemake, or both; then unlock and run again.

`make test` makes some of the kills, at moments that differ from commit to commit.
`make test-faults` makes all of them.
"""

import os
import random
import shutil
import time

from checkouts import Checkout
from fault_counts import Tally
from fault_tools import Run, assert_same, kill, seed_of_commit

KILLS = int(os.environ.get("DOUBLETAKE_KILLS", "8"))
FILES = 12  # at most so many new files between two kills: spreads them over a run
JOB, SNAKEMAKE, BOTH = "kill -9 of a job", "kill -9 of Snakemake", "kill -9 of both"
RETRIES = ("--retries", "20")


def random_moment(run: Run, draw: random.Random) -> bool:
    """Wait for a random moment at which a job runs, mostly after a few new files.

    Returns:
        False if the run ended before.
    """
    if not run.wait_until(run.jobs):
        return False
    before = files(run)
    coming = draw.randrange(FILES)
    if not run.wait_until(lambda: len(files(run) ^ before) >= coming):
        return False
    time.sleep(draw.uniform(0, 1.5))
    return not run.ended


def files(run: Run) -> set[str]:
    """Results that exist, complete or incomplete."""
    folder = run.checkout.folder / "results"
    return {str(path) for path in folder.rglob("*.*")}


def one_run(fresh: Checkout, draw: random.Random, tally: Tally) -> Run:
    """Start the study, kill some of its jobs, and in the end Snakemake."""
    run = Run(fresh, *RETRIES)
    orphans = []
    for _ in range(draw.randint(0, 3)):
        if random_moment(run, draw) and run.kill_job(draw):
            tally.inject(JOB)
    if random_moment(run, draw):
        if draw.random() < 0.5:
            orphans = run.kill_snakemake()
            tally.inject(SNAKEMAKE)
        else:
            run.kill_all()
            tally.inject(BOTH)
        fresh.unlock()
    deadline = time.monotonic() + 60
    while any(job.is_running() and job.status() != "zombie" for job in orphans):
        assert time.monotonic() < deadline, "a job outlives its killed run"
        time.sleep(0.1)
    return run


def test_killed_runs_end_in_the_same_bytes(fresh, undisturbed, tally):
    draw = random.Random(seed_of_commit())
    kinds = (JOB, SNAKEMAKE, BOTH)
    while sum(tally.injected[kind] for kind in kinds) < KILLS:
        run = one_run(fresh, draw, tally)
        if run.process.returncode == 0:  # it succeeded: start again from nothing
            assert_same(fresh, undisturbed)
            shutil.rmtree(fresh.folder / "results")
            shutil.rmtree(fresh.folder / ".snakemake")
    last = Run(fresh)
    text = last.wait()
    assert last.process.returncode == 0, text[-4000:]
    assert "Traceback" not in text
    assert (fresh.folder / "results/report.html").is_file(), text[-4000:]
    assert_same(fresh, undisturbed)
    for kind in kinds:
        tally.settle(kind)


def test_the_lock_of_a_living_run_is_respected(fresh):
    target = "results/pocket/pocket-problems/problems.parquet"
    run = Run(fresh, target)
    try:
        assert run.wait_until(run.jobs), run.text
        (job,) = run.jobs()
        job.suspend()
        locks = sorted((fresh.folder / ".snakemake/locks").iterdir())
        other = fresh.run(target)
        assert other.returncode != 0
        assert "LockException" in other.stdout
        assert sorted((fresh.folder / ".snakemake/locks").iterdir()) == locks
        job.resume()
        assert "100%" in run.wait()
    finally:
        kill([*run.jobs(), run.process])
