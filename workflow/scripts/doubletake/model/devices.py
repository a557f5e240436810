"""Chooses the device of a job: a free GPU, or the CPU.

On a workstation, jobs of all users find each other's locks (`gpu_locks`). Under SLURM a
job sees only the GPU that SLURM gave it, which is free.
"""

import os
from functools import cache

import torch

from doubletake.running.errors import InputError
from doubletake.running.gpu_locks import FOLDER, claim, jobs_per_gpu


def choose_device(name: str) -> torch.device:
    """The device for a value of `models.<name>.device`; waits until a GPU is free.

    Only the GPUs in CUDA_VISIBLE_DEVICES are used, if it is set. A process keeps its
    GPU until it ends. Further calls give the same GPU.

    Raises:
        InputError: the config requires a GPU and there is no GPU, or the locks cannot
            be used.
    """
    if name != "cpu" and torch.cuda.is_available():
        return _claimed_gpu()
    if name == "cuda":
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
        raise InputError(
            "models.<name>.device: cuda is required, but there is no GPU "
            f"(CUDA_VISIBLE_DEVICES: {visible})"
        )
    return torch.device("cpu")


def device_name(device: torch.device) -> str:
    """Name of a device, for the table of runs."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{device.type}, {threads} thread{'s' if threads > 1 else ''}"


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on a GPU or on the CPU."""
    return isinstance(
        error, (torch.OutOfMemoryError, MemoryError)
    ) or "can't allocate memory" in str(error)


@cache
def _claimed_gpu() -> torch.device:
    """One of the visible GPUs, locked until this process ends."""
    count = torch.cuda.device_count()
    gpus = [torch.cuda.get_device_properties(index) for index in range(count)]
    names = [f"GPU-{gpu.uuid}" for gpu in gpus]
    index = claim(names, jobs_per_gpu(), FOLDER)
    torch.cuda.set_device(index)  # for code that names only "cuda"
    return torch.device("cuda", index)
