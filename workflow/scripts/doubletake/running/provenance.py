"""Provenance of results: commit of the workflow, packages, machine, benchmarks."""

import csv
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

UNKNOWN = "unknown"
PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "datasets",
    "math-verify",
    "numpy",
    "polars",
    "scikit-learn",
    "scipy",
    "matplotlib",
    "jinja2",
    "snakemake",
)


@dataclass(frozen=True)
class Provenance:
    """Versions and machine that made a page or a manifest."""

    commit: str
    """Commit of the workflow, with a note if there are uncommitted changes."""
    packages: dict[str, str]
    """Versions by name, with Python."""
    machine: str
    """Processor, cores, memory, system; without names of hosts or people."""
    written: str
    """Date and time, UTC."""

    @classmethod
    def here(cls, workflow: Path) -> "Provenance":
        """Provenance of the workflow in a folder, on this machine, now."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return cls(commit_of(workflow), package_versions(), machine(), now)


@dataclass(frozen=True)
class Benchmark:
    """Snakemake's measurements of the jobs of one rule."""

    stage: str
    script: str
    """Name of a script of the stage, without suffix."""
    jobs: int
    seconds: float
    """Wall time with start-up, summed over the jobs."""
    memory: float | None
    """Largest resident memory of a job, MiB; None if all jobs were too short."""


def commit_of(folder: Path) -> str:
    """Commit of the git repository at `folder`; "unknown" if it is not its top."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    # An export of the workflow inside another repository must not borrow its commit.
    if top is None or Path(top).resolve() != folder.resolve():
        return UNKNOWN
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return UNKNOWN
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit[:12]}{' with uncommitted changes' if changed else ''}"


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of a git command; None if there is no git or no repository."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.strip()


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def machine() -> str:
    """Processor, number of usable cores, memory and system."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    parts = [_processor(), f"{cores} core{'' if cores == 1 else 's'}"]
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        parts.append(f"{size / 2**30:.0f} GiB memory")
    return ", ".join([*parts, f"{platform.system()} {platform.machine()}"])


def _processor() -> str:
    """Name of the processor, if the system knows it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip() not in ("", UNKNOWN):
                return value.strip()
    return platform.processor() or platform.machine()


def benchmarks(folder: Path) -> list[Benchmark]:
    """Measurements in a folder of Snakemake's benchmark files.

    The files are `stage/script.tsv`, or `stage/script/shard.tsv`.
    """
    rules: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(folder.glob("*/**/*.tsv")):
        stage, script = path.relative_to(folder).with_suffix("").parts[:2]
        rules.setdefault((stage, script), []).append(path)
    measured = [_benchmark(*rule, paths) for rule, paths in rules.items()]
    return [benchmark for benchmark in measured if benchmark.jobs]


def _benchmark(stage: str, script: str, paths: list[Path]) -> Benchmark:
    rows = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file, delimiter="\t"))
    cells = [_number(row.get("s")) for row in rows]
    seconds = [value for value in cells if value is not None]
    peaks = [_number(row.get("max_rss")) for row in rows]
    memory = max((value for value in peaks if value is not None), default=None)
    return Benchmark(stage, script, len(seconds), sum(seconds), memory)


def _number(text: str | None) -> float | None:
    """A cell of a benchmark file; None for NA or a dash, which short jobs have."""
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
