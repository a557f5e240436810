"""Kill -9 while thoughts are generated: the next attempt goes on from a checkpoint.

Checkpoints are written every tenth of a second here, so that kills find some.
"""

import random
import re
import shutil
import time

import pytest
from checkouts import Checkout
from fault_counts import Tally
from fault_tools import Run, results, seed_of_commit

JOB, BOTH = "kill -9 of a generation", "kill -9 of a generation and Snakemake"
TRACES = "results/pocket/pocket-problems/traces/shards"
TARGETS = [f"{TRACES}/{k}-of-2.traces.parquet" for k in (1, 2)]
KEPT = "kept from an interrupted attempt"


@pytest.fixture
def hasty(fresh: Checkout) -> Checkout:
    """A fresh checkout whose generations write checkpoints all the time."""
    path = fresh.folder / "workflow/scripts/doubletake/model/checkpoints.py"
    text, count = re.subn(
        r"^SECONDS = .*", "SECONDS = 0.1", path.read_text(), flags=re.M
    )
    assert count == 1
    path.write_text(text)
    return fresh


def checkpoints(checkout: Checkout) -> list:
    """Checkpoints that exist now."""
    return list((checkout.folder / TRACES).glob(".earlier/*.checkpoint.safetensors"))


def kill_once(run: Run, draw: random.Random, tally: Tally, *, all_of_it: bool) -> None:
    """Kill a job, or everything, at a random moment after a checkpoint."""
    there = {path: path.stat().st_mtime_ns for path in checkpoints(run.checkout)}

    def another() -> bool:
        now = checkpoints(run.checkout)
        return any(path.stat().st_mtime_ns != there.get(path) for path in now)

    if not run.wait_until(another):
        return
    time.sleep(draw.uniform(0, 0.3))
    if all_of_it:
        hit = bool(run.jobs()) and not run.ended
        run.kill_all()
    else:
        hit = run.kill_job(draw)
    if hit:
        tally.inject(BOTH if all_of_it else JOB)


def test_killed_generations_go_on_and_end_in_the_same_bytes(hasty, undisturbed, tally):
    draw = random.Random(seed_of_commit())
    logs = hasty.folder / "results/pocket/pocket-problems/logs/traces/generate"
    for _ in range(5):
        run = Run(hasty, *TARGETS, "--retries", "5")
        kill_once(run, draw, tally, all_of_it=False)
        kill_once(run, draw, tally, all_of_it=True)
        hasty.unlock()
        last = Run(hasty, *TARGETS)
        text = last.wait()
        assert last.process.returncode == 0, text[-8000:]
        found = results(hasty)
        for target in TARGETS:
            name = target.removeprefix("results")
            assert found[name] == undisturbed[name]
        assert not checkpoints(hasty)
        assert not list(hasty.folder.rglob("*.partial"))
        if any(KEPT in path.read_text() for path in logs.glob("*.log")):
            break
        shutil.rmtree(hasty.folder / "results")
    else:
        raise AssertionError("no kill hit a generation that had a checkpoint")
    for kind in (JOB, BOTH):
        tally.settle(kind)
