"""Where the CPU seconds of every job of the default study go.

Runs the study in a temporary folder, one job at a time, on one thread. Prints CPU
seconds (user and system): imports by package, loading of model and tokenizer,
self-proof, reading of tables, and the work itself. `start_up/sitecustomize.py` counts
them inside the jobs. Transformers also imports packages that a study does not need if
they are installed, so the environment should be the study's own.

Run: python tests/bench/bench_start_up.py [TARGET ...]
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow/scripts"
GOAL_START, GOAL_TOTAL = 60, 200
PACKAGES = ("torch", "transformers", "polars", "matplotlib", "scipy", "sklearn")
"""Packages with a column of their own."""
OWN = ("python", *PACKAGES, "others", "model", "self-proof", "reading")
WIDTHS = {key: max(len(key), 5) + 2 for key in (*OWN, "start-up", "work", "total")}
"""Columns of seconds, and their widths in characters."""


def row_of(line: dict) -> tuple[str, Counter[str]]:
    """Name of a job's rule, and its seconds by column."""
    row: Counter[str] = Counter()
    for label, seconds in line["seconds"].items():
        package = label.removeprefix("import ")
        row[package if package in OWN else "others"] += seconds
    row["start-up"] = sum(row.values())
    row["total"] = line["total"]
    row["work"] = row["total"] - row["start-up"]
    return line["rule"], row


def run_study(folder: Path, targets: list[str]) -> list[tuple[str, Counter[str]]]:
    """Run the default study in an empty folder; a row per job."""
    times = folder / "times"
    times.mkdir()
    (folder / "study").mkdir()
    own_path = os.pathsep.join([str(Path(__file__).parent / "start_up"), str(SCRIPTS)])
    environment = os.environ | {
        "PYTHONPATH": own_path,
        "START_UP_TIMES": str(times),
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    command += ["--directory", folder / "study", "--snakefile", ROOT / "Snakefile"]
    command += ["--configfile", ROOT / "config/config.yaml", "--", *targets]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if result.returncode:
        sys.exit(result.stderr[-4000:])
    return [row_of(json.loads(path.read_text())) for path in times.iterdir()]


def printed(name: str, count: int, row: Counter[str]) -> str:
    """One line of the table."""
    seconds = (f"{row[key]:{width}.2f}" for key, width in WIDTHS.items())
    return f"{name:26}{count:>5}{''.join(seconds)}"


def main(targets: list[str]) -> None:
    """Run the study and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        rows = run_study(Path(folder), targets)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    jobs: dict[str, list[Counter[str]]] = {}
    for name, row in rows:
        jobs.setdefault(name, []).append(row)
    heads = (f"{key:>{width}}" for key, width in WIDTHS.items())
    print(f"{'rule':26}{'jobs':>5}{''.join(heads)}")
    for name, parts in sorted(jobs.items()):
        print(printed(name, len(parts), sum(parts, Counter())))
    total = sum((row for parts in jobs.values() for row in parts), Counter())
    print(printed("all jobs", sum(map(len, jobs.values())), total))
    others = usage.ru_utime + usage.ru_stime - total["total"]
    print(
        f"Start-up {total['start-up']:.0f} s (goal {GOAL_START} s), all jobs "
        f"{total['total']:.0f} s (goal {GOAL_TOTAL} s); Snakemake itself and the ends "
        f"of the processes {others:.0f} s"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
