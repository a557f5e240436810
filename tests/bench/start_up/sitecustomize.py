"""Counts the CPU seconds of a process by what they were spent on.

Python imports this module at its start if this folder is in PYTHONPATH. An import, and
a call of a function of `CALLS`, gets the seconds that nothing inside it gets. At its
end, the process writes a line of JSON into the folder that `START_UP_TIMES` names.
"""

import atexit
import importlib._bootstrap
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial, reduce
from pathlib import Path
from typing import Any

CALLS = {
    "doubletake.model.loading": {"load_decoder": "model"},
    "doubletake.model.lens": {"Lens.load": "model"},
    "doubletake.text.tokenizer": {"load_tokenizer": "model"},
    "doubletake.model.self_proof": {"prove": "self-proof"},
    "doubletake.tables.table": {"Table.read": "reading"},
    "activations.reading": {"ActivationCache.__init__": "reading"},
}
"""Functions and methods by module, and what their seconds are spent on."""


class Clock:
    """CPU seconds of the main thread's work by label."""

    def __init__(self) -> None:
        """Count what the start of Python took."""
        self.seconds = Counter({"python": time.process_time()})
        self._inside: list[float] = []
        self._thread = threading.get_ident()

    def call(self, label: str, work: Callable, *args: Any, **kwargs: Any) -> Any:
        """Call a function and count its seconds, without those counted inside it."""
        if threading.get_ident() != self._thread:
            return work(*args, **kwargs)
        start = time.process_time()
        self._inside.append(0.0)
        try:
            return work(*args, **kwargs)
        finally:
            spent = time.process_time() - start
            self.seconds[label] += spent - self._inside.pop()
            if self._inside:
                self._inside[-1] += spent

    def load(self, find: Callable, name: str, import_: Any) -> Any:
        """Import a module that is not loaded yet."""
        module = self.call(f"import {name.partition('.')[0]}", find, name, import_)
        for path, label in CALLS.get(name, {}).items():
            *owners, last = path.split(".")
            owner = reduce(getattr, owners, module)
            inner = getattr(owner, last)
            bound = not owners or hasattr(inner, "__self__")
            timed = partial(self.call, label, inner)
            setattr(owner, last, timed if bound else _method(timed))
        return module

    def write(self, folder: Path) -> None:
        """Write the seconds of a job, with the name of its rule."""
        job = getattr(sys.modules["__main__"], "snakemake", None)
        if job is None:
            return  # Snakemake itself, or a process of a job
        total = time.process_time()
        line = {"rule": job.rule, "total": total, "seconds": dict(self.seconds)}
        (folder / f"{os.getpid()}.json").write_text(json.dumps(line))


def _method(timed: Callable) -> Callable:
    """A function that becomes a method of its class."""
    return lambda *args, **kwargs: timed(*args, **kwargs)


if folder := os.environ.get("START_UP_TIMES"):
    clock = Clock()
    find_and_load = importlib._bootstrap._find_and_load  # type: ignore[attr-defined]
    importlib._bootstrap._find_and_load = partial(clock.load, find_and_load)  # type: ignore[attr-defined]
    atexit.register(clock.write, Path(folder))
