"""Peak memory of tensors, on the CPU and on a GPU."""

from collections.abc import Callable
from itertools import accumulate

import torch
from torch.profiler import ProfilerActivity, profile


def peak_bytes(work: Callable[[], object], device: str = "cpu") -> int:
    """Most bytes that tensors take during a call, in addition to those before it.

    On the CPU, the profiler records every allocation of torch. The process itself takes
    more, because the C library keeps some freed memory (with its setting
    MALLOC_MMAP_THRESHOLD_=1048576 it keeps none of large tensors). On a GPU, torch's
    allocator keeps the peak.
    """
    if torch.device(device).type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    events = profiled.profiler.kineto_results.events()
    changes = [
        (event.start_ns(), event.nbytes())
        for event in events
        if event.name() == "[memory]"
    ]
    changes.sort(key=lambda change: change[0])
    return max(accumulate((size for _, size in changes), initial=0))
