"""Builds the row of the table of runs: time, tokens and device of one shard."""

import polars as pl
import torch

from doubletake.model.decoder import Decoder
from doubletake.model.devices import device_name
from doubletake.running.logs import Progress
from doubletake.tables.runs import RUNS


def run_row(
    stage: str, shard: str, progress: Progress, decoder: Decoder, traces: int, note: str
) -> pl.DataFrame:
    """A row of `RUNS` for a stage that ran the model; see `run_row_on`."""
    device, dtype = decoder.device, decoder.settings.dtype
    return run_row_on(stage, shard, progress, device, dtype, traces, note)


def run_row_on(
    stage: str,
    shard: str,
    progress: Progress,
    device: torch.device,
    dtype: str,
    traces: int,
    note: str = "",
) -> pl.DataFrame:
    """A row of `RUNS`.

    Args:
        stage: name of the stage.
        shard: name of the shard, k-of-n.
        progress: the finished progress of the computation.
        device: device of the computation.
        dtype: number format of the model.
        traces: number of processed traces.
        note: a note for readers; may be empty.
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
