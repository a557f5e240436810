"""Starts of Snakemake that share its imports: each is a fork of a loaded process.

For tests that ask Snakemake something (a plan, a summary, whether it refuses a config).
It is Snakemake's own main function, in a process of its own, with the folder, the
environment and the arguments of the caller.
"""

import gc
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _loaded(variables: tuple[tuple[str, str], ...]) -> "subprocess.Popen[str]":
    """The process that forks; it ends when its standard input does."""
    return subprocess.Popen(
        [sys.executable, __file__],
        env=dict(variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def start(
    arguments: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Start Snakemake and wait for its end; stderr is joined to stdout."""
    python = {k: v for k, v in environment.items() if k.startswith(("PYTHON", "OMP"))}
    process = _loaded(tuple(sorted((python | {"PATH": os.environ["PATH"]}).items())))
    assert process.stdin
    assert process.stdout
    output = folder.with_name(f"{folder.name}.output")
    request = {
        "arguments": ["snakemake", *arguments],
        "folder": str(folder),
        "environment": environment,
        "output": str(output),
    }
    print(json.dumps(request), file=process.stdin, flush=True)
    status = int(process.stdout.readline())
    said = output.read_text(errors="replace")
    return subprocess.CompletedProcess(request["arguments"], status, said)


def _become(request: dict[str, Any]) -> None:
    """Make this process what a new one would be, and be Snakemake."""
    from snakemake.cli import main

    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    places = [
        os.open(os.devnull, os.O_RDONLY),
        os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
    ]
    for target, place in enumerate([*places, places[-1]]):
        os.dup2(place, target)
    sys.argv = request["arguments"]
    sys.path[0] = request["folder"]
    main()


def _serve() -> None:
    """Load what every start needs, then fork for each request."""
    import jinja2  # noqa: F401
    import jsonschema  # noqa: F401
    import pandas  # noqa: F401
    import polars  # noqa: F401
    import snakemake.cli  # noqa: F401
    import tokenizers  # noqa: F401

    gc.freeze()  # no start looks for garbage in what all of them share
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
