"""Run every bench; print one table of all comparisons, with date and machine.

Each `bench_*.py` runs in a process of its own, on one thread, and prints what it finds;
its lines of `comparison.py` are collected. A bench that fails is named, and the others
run on.

Run: make bench                        (all of them)
     python tests/bench/run.py generation probing
     python tests/bench/run.py --write README.md
                    (also replace the table between the marks of a document)
"""

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from comparison import HEAD, RULE

HERE = Path(__file__).parent
MARKS = ("<!-- bench: start -->", "<!-- bench: end -->")
PACKAGES = ("torch", "transformers")
LONG = {"bench_memory", "bench_start_up"}
"""Benches without comparisons, which run by name only."""


def run(script: Path) -> tuple[list[str], bool]:
    """Rows that a bench prints, and whether it ended well; its text passes through."""
    print(f"\n== {script.name}", flush=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    rows = []
    for line in process.stdout:
        print(line, end="", flush=True)
        if line.startswith("| ") and line.rstrip("\n") not in (HEAD, RULE):
            rows.append(line.rstrip("\n"))
    return rows, process.wait() == 0


def table_of(rows: list[str]) -> str:
    """The table of all rows, under a line on how it was made."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    made = (
        f"Made on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} by `make bench`: "
        f"one thread of {processor()}, {packages}. CPU seconds are medians; a ratio is "
        "the median over rounds of the other's seconds divided by ours (above 1, ours "
        "is faster)."
    )
    return "\n".join([made, "", HEAD, RULE, *rows])


def processor() -> str:
    """Name of the processor."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or "an unknown processor"
    names = re.findall(r"model name\s*: (.*)", text)
    return names[0] if names else platform.machine()


def replace_table(document: Path, table: str) -> None:
    """Put the table between the marks of a document.

    Raises:
        SystemExit: the document has no such marks.
    """
    text = document.read_text(encoding="utf-8")
    start, end = (text.find(mark) for mark in MARKS)
    if not 0 <= start < end:
        sys.exit(f"{document}: the marks {MARKS[0]} and {MARKS[1]} are missing")
    head, tail = text[: start + len(MARKS[0])], text[end:]
    document.write_text(f"{head}\n{table}\n{tail}", encoding="utf-8")


def main(names: list[str], write: Path | None) -> None:
    """Run, print the table, name what failed."""
    scripts = sorted(HERE.glob("bench_*.py"))
    if names:
        scripts = [HERE / f"bench_{name}.py" for name in names]
    else:
        scripts = [script for script in scripts if script.stem not in LONG]
    results = {script: run(script) for script in scripts}
    table = table_of([row for rows, _ in results.values() for row in rows])
    print(f"\n{table}")
    failed = [
        script.name for script, (_, ended_well) in results.items() if not ended_well
    ]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
    if write:
        replace_table(write, table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="e.g. `generation`; default: all")
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    main(**vars(parser.parse_args()))
