"""Starts of Snakemake and of its jobs that share their imports: forks of one process.

A process loads what Snakemake and scripts import from other packages, once, and forks
for each start. So a run is Snakemake's own main function, in a process of its own, with
the folder, the environment and the arguments of the caller. Before it begins, it forks
a process that has no threads, and this one forks for each script of the run:

    loaded process -> Snakemake -> forks jobs -> waits for a job -> the job

All that Snakemake does around a job (environment, logs, benchmarks, what follows a
failure) is its own. Nothing of workflow/scripts is loaded before the job, so that it
reads the files of its checkout, as they are then.

Jobs of one loaded process share the seed of hashes. Forgotten imports and an order that
follows hashes are found by runs with plain starts: tests/faults compares their bytes
with those of these starts, for all rules.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

AT_IMPORT = "PYTHON", "OMP_", "HF_", "TRANSFORMERS_"
"""Beginnings of the variables that are read when packages are imported."""
THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"
"""Threads that packages start when they are imported: none, they would end in forks."""
PACKAGES = [
    *("jinja2", "jsonschema", "math_verify", "numpy", "polars", "psutil", "yaml"),
    *("snakemake.cli", "snakemake.executors.local", "snakemake.script", "tqdm"),
    *("matplotlib.figure", "matplotlib.backends.backend_svg"),
    *("scipy.sparse.csgraph", "scipy.special", "scipy.stats"),
    *("sklearn.linear_model", "sklearn.model_selection"),
    *("safetensors.torch", "tokenizers", "torch", "transformers"),
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.llama.modeling_llama",
]
"""What the scripts and Snakemake import, or load when they are used."""


@cache
def _loaded(variables: tuple[tuple[str, str], ...]) -> "subprocess.Popen[str]":
    """The process that forks; it ends when its standard input does."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(AT_IMPORT)}
    return subprocess.Popen(
        [sys.executable, __file__],
        env=others | dict(variables) | dict.fromkeys(THREADS, "1"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


ONE_AT_A_TIME = threading.Lock()


def start(
    arguments: list[str],
    folder: Path,
    environment: dict[str, str],
    begun: Callable[[int], None] = lambda pid: None,
    niceness: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Start Snakemake and wait for its end; stderr is joined to stdout.

    Args:
        begun: is called with the process id of Snakemake.
        niceness: of Snakemake and its jobs; more is a lower priority.
    """
    variables = {k: v for k, v in environment.items() if k.startswith(AT_IMPORT)}
    process = _loaded(tuple(sorted(variables.items())))
    assert process.stdin
    assert process.stdout
    output = folder.with_name(f"{folder.name}.output")
    request = {
        "arguments": ["snakemake", *arguments],
        "folder": str(folder),
        "environment": environment,
        "output": str(output),
        "niceness": niceness,
    }
    with ONE_AT_A_TIME:  # the process that forks answers in turn
        print(json.dumps(request), file=process.stdin, flush=True)
        begun(int(process.stdout.readline()))
        status = int(process.stdout.readline())
    said = output.read_text(errors="replace")
    return subprocess.CompletedProcess(request["arguments"], status, said)


def _fork(act: Callable[..., None], *arguments: Any) -> int:
    """Fork a process that acts and ends, and return its id."""
    child = os.fork()
    if child:
        return child
    try:
        act(*arguments)
    except BaseException as error:
        _end(error)
    _end(None)


def _end(error: BaseException | None) -> NoReturn:
    """End as Python does, but without freeing all memory, which takes half a second."""
    status = 0 if error is None else 1
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else bool(error.code)
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    elif error is not None:
        sys.excepthook(type(error), error, error.__traceback__)
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _become(request: dict[str, Any], path: list[str]) -> None:
    """Make this process what a new one would be.

    Args:
        request: arguments, folder and environment.
        path: where Python looks for modules, before and after PYTHONPATH.
    """
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["arguments"]
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [path[0], *filter(None, own), *path[1:]]


def _run_snakemake(request: dict[str, Any], installed: list[str]) -> None:
    """Be Snakemake, with a process that forks its jobs."""
    from snakemake.cli import main

    _become(request, [request["folder"], *installed])
    os.nice(request["niceness"])
    places = [
        os.open(os.devnull, os.O_RDONLY),
        os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
    ]
    for target, place in enumerate([*places, places[-1]]):
        os.dup2(place, target)
    ours, theirs = socket.socketpair()
    _fork(_fork_jobs, theirs, ours, installed)
    theirs.close()
    module = sys.modules["snakemake.shell"]
    starting = vars(subprocess) | {"Popen": _popen(ours)}
    vars(module)["sp"] = types.SimpleNamespace(**starting)
    main()


def _popen(forks: socket.socket) -> Callable[..., Any]:
    """What Snakemake calls in place of Popen: starts a Python script as a fork."""
    start = ["set", "-euo", "pipefail;", sys.executable]

    def popen(command: str, **options: Any) -> Any:
        *words, script = shlex.split(command)
        if words != start:
            return subprocess.Popen(command, **options)
        return _Job(forks, {"arguments": [script], "environment": options["env"]})

    return popen


class _Job:
    """The part of Popen that Snakemake uses, for a job that another process forks."""

    def __init__(self, forks: socket.socket, request: dict[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(forks, [b"1"], [theirs.fileno()])
        self.said = ours.makefile("rw")
        ours.close()
        request["folder"] = os.getcwd()
        print(json.dumps(request), file=self.said, flush=True)
        self.pid = int(self.said.readline())

    def wait(self) -> int:
        """Wait for its end, and return its status as Popen does."""
        with self.said:
            return int(self.said.readline())

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _fork_jobs(
    requests: socket.socket, others: socket.socket, installed: list[str]
) -> None:
    """Fork for each job; end when Snakemake does, which has the other end."""

    def reap(*_: Any) -> None:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    others.close()
    signal.signal(signal.SIGCHLD, reap)
    while True:
        said, places, *_ = socket.recv_fds(requests, 1, 1)
        if not said:
            return
        with socket.socket(fileno=places[0]) as caller:
            _fork(_wait_for_job, caller, requests, installed)


def _wait_for_job(
    caller: socket.socket, requests: socket.socket, installed: list[str]
) -> None:
    """Fork the job, say its process id, and then how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    requests.close()
    with caller, caller.makefile("rw") as file:
        job = _fork(_run_script, json.loads(file.readline()), caller, installed)
        try:
            print(job, file=file, flush=True)
            _, status = os.waitpid(job, 0)
            print(os.waitstatus_to_exitcode(status), file=file, flush=True)
        except BrokenPipeError:
            os._exit(1)  # Snakemake is gone


def _run_script(
    request: dict[str, Any], caller: socket.socket, installed: list[str]
) -> None:
    """Do what `python SCRIPT` does."""
    os.close(caller.detach())
    (script,) = request["arguments"]
    _become(request, [os.path.dirname(script), *installed])
    sys.modules["torch"].set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main = types.ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    code = compile(Path(script).read_bytes(), script, "exec", dont_inherit=True)
    exec(code, vars(main))


def _serve() -> None:
    """Load what every start needs, then fork for each request."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [path for path in sys.path[1:] if path not in given]
    for name in PACKAGES:
        importlib.import_module(name)
    installed = list(sys.path)
    gc.freeze()  # no start looks for garbage in what all of them share
    for line in sys.stdin:
        child = _fork(_run_snakemake, json.loads(line), installed)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
