"""Starts that share their imports (`starts`) do what plain starts do."""

import json
import os
import signal
import threading
import time
from typing import Any

import psutil
import starts
from checkouts import Checkout, new_checkout
from fault_tools import results

STUDY = "results/pocket/pocket-problems"
PROBLEMS = f"{STUDY}/problems.parquet"
MODULE = "workflow/scripts/doubletake/text/golds.py"
AROUND = """
import __main__, json, os, pathlib, sys
around = os.getcwd(), sys.argv, sys.path, __main__.__name__, __main__.__file__
pathlib.Path("around").write_text(json.dumps([*around, dict(os.environ)]))
"""
WAIT = """
def gold_of(*_):
    import os, pathlib, time
    pathlib.Path("job").write_text(str(os.getpid()))
    time.sleep(600)
"""
OF_A_RUN = {
    *("PWD", "OLDPWD", "SHLVL"),  # of the shell
    *("DOUBLETAKE_RUN", "_RJEM_MALLOC_CONF"),  # written by Snakefile and polars
    *("snakemake-runtime-cache", ".snakemake/pip-deployments"),  # in paths
}
"""What differs from run to run, or does not matter."""
FAILURES = {
    "raise ValueError('broken here')": "ValueError: broken here",
    "import sys; sys.exit(41)": "returned non-zero exit status 41",
    "import os; os.abort()": "died with <Signals.SIGABRT: 6>",
}


def append(checkout: Checkout, text: str) -> None:
    """Add statements to a module that a script imports."""
    path = checkout.folder / MODULE
    path.write_text(f"{path.read_text()}\n{text}\n")


def around(checkout: Checkout) -> list[Any]:
    """What a job saw around it, but for the names of its folder and its script."""
    text = (checkout.folder / "around").read_text()
    *found, script, _, environment = json.loads(
        text.replace(str(checkout.folder), "FOLDER")
    )
    folder, arguments, path = found
    assert [os.path.dirname(word) for word in arguments] == path[:1]
    path = [place for place in path if not any(part in place for part in OF_A_RUN)]
    for name in ("_", *OF_A_RUN):
        environment.pop(name, None)
    return [folder, path, script, environment]


def test_shared_and_plain_starts_are_alike(fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("GIVEN", "here")
    plain = new_checkout(tmp_path / "plain")
    for checkout, run in ((fresh, fresh.run), (plain, plain.run_plainly)):
        append(checkout, AROUND)
        result = run(PROBLEMS)
        assert result.returncode == 0, result.stdout[-4000:]
    assert around(fresh) == around(plain)
    assert f"/{PROBLEMS.removeprefix('results/')}" in results(fresh)
    assert results(fresh) == results(plain)
    (benchmark,) = fresh.study().glob("benchmarks/**/*.tsv")
    names, values = benchmark.read_text().splitlines()
    measured = dict(zip(names.split("\t"), values.split("\t"), strict=True))
    assert float(measured["max_rss"]) > 10


def test_an_edit_is_seen_and_a_failure_is_told(fresh):
    assert fresh.run(PROBLEMS).returncode == 0
    path = fresh.folder / MODULE
    text = path.read_text()
    for statement, said in FAILURES.items():
        path.write_text(f"{text}\n{statement}\n")
        failed = fresh.run(PROBLEMS)
        assert failed.returncode == 1
        assert said in failed.stdout
        assert not (fresh.folder / PROBLEMS).exists()


def test_a_job_ends_when_its_snakemake_is_killed(fresh):
    append(fresh, WAIT)
    options = fresh.command(PROBLEMS)[3:]
    given = options, fresh.folder, fresh.environment()
    begun: list[int] = []
    ends: list[int] = []

    def run() -> None:
        ends.append(starts.start(*given, begun=begun.append).returncode)

    thread = threading.Thread(target=run)
    thread.start()
    told = fresh.folder / "job"
    until(lambda: told.exists() and told.read_text() != "")
    job = psutil.Process(int(told.read_text()))
    (snakemake,) = begun
    assert snakemake in [process.pid for process in job.parents()]
    os.kill(snakemake, signal.SIGKILL)
    thread.join()
    assert ends == [-signal.SIGKILL]
    until(lambda: not job.is_running() or job.status() == psutil.STATUS_ZOMBIE)


def until(condition) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
