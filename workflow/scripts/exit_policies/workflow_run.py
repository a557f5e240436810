"""Runs Snakemake from a script: shows what its jobs say, and ends with their error."""

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from doubletake.running.digests import SCRIPTS
from doubletake.running.errors import InputError
from doubletake.running.visible_text import visible

JOB_LINE = re.compile(r"\d{4}-\d\d-\d\d \S+ (INFO|WARNING|ERROR) \S+: (.*)")
CONFIG_LINE = re.compile(r"(config: .*)")
LAST_LINES = 15


def run_workflow(
    configs: Sequence[Path], targets: Sequence[str], *, cores: str, log: Path
) -> None:
    """Make the targets.

    Args:
        configs: config files; later ones win.
        targets: names of stages.
        cores: number of cores, or "all".
        log: where all of Snakemake's output goes.

    Raises:
        InputError: a job refused its input, with its message; or a job failed.
    """
    words = [
        *(sys.executable, "-m", "snakemake", f"--cores={cores}"),
        *("--snakefile", str(SCRIPTS.parents[1] / "Snakefile")),
        *("--configfile", *map(str, configs), "--", *targets),
    ]
    with (
        log.open("w", encoding="utf-8", errors="replace") as file,
        subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            file.write(line)
            said.append(line.rstrip())
            match = JOB_LINE.match(line)
            if match and match[1] != "ERROR":
                print(visible(match[2]), file=sys.stderr, flush=True)
    if process.returncode:
        raise InputError(f"{why_failed(said)} (all output: {log})")


def why_failed(said: Iterable[str]) -> str:
    """The first error of a job or of the config; else the last lines of the output."""
    lines = list(said)
    for line in lines:
        error, config = JOB_LINE.match(line), CONFIG_LINE.match(line)
        if error and error[1] == "ERROR":
            return error[2]
        if config:
            return config[1]
    last = " | ".join(filter(None, lines[-LAST_LINES:]))
    return f"Snakemake failed: {last}"
