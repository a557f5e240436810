"""The device of a job: a GPU of its own, or the CPU.

The rule is the same wherever a job runs. On a workstation jobs find each other's locks,
whoever started them (`gpu_locks`); under SLURM a job sees just the device that it was
given, which is free.
"""

import os
from functools import cache

import torch

from doubletake.running.errors import InputError
from doubletake.running.gpu_locks import FOLDER, claim, jobs_per_gpu


def choose_device(name: str) -> torch.device:
    """The device that `models.<name>.device` asks for; waits for a GPU of its own.

    Of the GPUs in CUDA_VISIBLE_DEVICES, if that is set. A process keeps its GPU until
    it ends, and every further call gives the same one.

    Raises:
        InputError: a GPU is asked for and there is none, or the locks cannot be used.
    """
    there = name != "cpu" and torch.cuda.is_available()
    if there:
        return _own_gpu()
    if name == "cuda":
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
        raise InputError(
            "models.<name>.device: cuda is asked for, but there is no GPU "
            f"(CUDA_VISIBLE_DEVICES: {visible})"
        )
    return torch.device("cpu")


def device_name(device: torch.device) -> str:
    """What to call a device in the run table."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{device.type}, {threads} thread{'s' if threads > 1 else ''}"


def out_of_memory(error: BaseException) -> bool:
    """Whether this is a lack of memory, on a GPU or not."""
    return isinstance(
        error, (torch.OutOfMemoryError, MemoryError)
    ) or "can't allocate memory" in str(error)


@cache
def _own_gpu() -> torch.device:
    """One of the visible GPUs, this process's until it ends."""
    count = torch.cuda.device_count()
    known = [torch.cuda.get_device_properties(index) for index in range(count)]
    names = [f"GPU-{properties.uuid}" for properties in known]
    index = claim(names, jobs_per_gpu(), FOLDER)
    torch.cuda.set_device(index)  # what says just "cuda" goes there too
    return torch.device("cuda", index)
