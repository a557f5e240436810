"""What a shard cost: the row that every stage with a model leaves behind."""

import polars as pl
import torch

from doubletake.model.decoder import Decoder
from doubletake.model.devices import device_name
from doubletake.running.logs import Progress
from doubletake.tables.runs import RUNS


def run_of(
    stage: str, shard: str, progress: Progress, decoder: Decoder, traces: int, note: str
) -> pl.DataFrame:
    """One row of `schemas.RUNS` of a stage that ran the model; see `run_on`."""
    device, dtype = decoder.device, decoder.settings.dtype
    return run_on(stage, shard, progress, device, dtype, traces, note)


def run_on(
    stage: str,
    shard: str,
    progress: Progress,
    device: torch.device,
    dtype: str,
    traces: int,
    note: str = "",
) -> pl.DataFrame:
    """One row of `schemas.RUNS`.

    Args:
        stage: its name.
        shard: k-of-n.
        progress: of the computation, finished.
        device: where it computed.
        dtype: of the model.
        traces: how many were worked on.
        note: what a reader should know; may be empty.
    """
    row = {
        "stage": stage,
        "shard": shard,
        "traces": traces,
        "tokens": progress.tokens,
        "seconds": progress.seconds,
        "device": device_name(device),
        "dtype": dtype,
        "note": note,
    }
    return RUNS.frame([row])
