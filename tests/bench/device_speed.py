"""What a device can do at best, and what a piece of work takes on it."""

import gc
import logging
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from study_plan import GIB, Ceilings

from doubletake.model.devices import out_of_memory
from doubletake.running.errors import InputError

ROUNDS = 3


@dataclass(frozen=True)
class Measurement:
    """One run of a piece of work."""

    seconds: float
    peak_gib: float
    """GPU: most memory of all tensors at one time. CPU: largest resident memory of the
    process so far."""
    warnings: list[str] = field(default_factory=list)
    """What was logged, for example that a batch was halved."""
    failure: str | None = None
    """Why the work was not finished, in words."""


def measure(device: torch.device, work: Callable[[], object]) -> Measurement:
    """Run a piece of work alone on the device, up to its last kernel.

    If memory runs out, the measurement says so, and the memory is free again.
    """
    logged, failure = _Warnings(), None
    logging.getLogger().addHandler(logged)
    _free_memory(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    started = _now(device)
    try:
        work()
    except (InputError, RuntimeError, MemoryError) as error:
        if not isinstance(error, InputError) and not out_of_memory(error):
            raise
        failure = str(error).partition("\n")[0]
    finally:
        logging.getLogger().removeHandler(logged)
    # Outside of the handler: inside it, the error still holds tensors.
    if failure is not None:
        _free_memory(device)
    return Measurement(
        _now(device) - started, _peak_gib(device), logged.messages, failure
    )


def measured_ceilings(device: torch.device, dtype: torch.dtype) -> Ceilings:
    """Speed of a large matrix product, and of a large copy (read and write)."""
    on_gpu = device.type == "cuda"
    width, gib, repeats = (8192, 2.0, 100) if on_gpu else (256, 2**-6, 2)
    left, right = (
        torch.randn(width, width, device=device, dtype=dtype) for _ in range(2)
    )
    product = torch.empty_like(left)
    seconds = _fastest(device, repeats, lambda: torch.mm(left, right, out=product))
    source = torch.ones(int(gib * GIB / 4), device=device)
    target = torch.empty_like(source)
    copying = _fastest(device, repeats, lambda: target.copy_(source))
    return Ceilings(2 * width**3 / seconds, 2 * 4 * len(source) / copying)


def _fastest(device: torch.device, repeats: int, work: Callable[[], object]) -> float:
    """Seconds of one call, in the fastest of some rounds of calls."""
    work()
    times = []
    for _ in range(ROUNDS):
        started = _now(device)
        for _ in range(repeats):
            work()
        times.append((_now(device) - started) / repeats)
    return min(times)


def _now(device: torch.device) -> float:
    """Seconds, when all work that was given to the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _free_memory(device: torch.device) -> None:
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()


def _peak_gib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / GIB
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB


class _Warnings(logging.Handler):
    """Keeps the texts of warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
