"""What a shard cost: the row that every stage with a model leaves behind."""

import polars as pl

from doubletake.devices import device_name
from doubletake.logs import Progress
from doubletake.models import Decoder
from doubletake.schemas import RUNS


def run_of(
    stage: str, shard: str, progress: Progress, decoder: Decoder, traces: int, note: str
) -> pl.DataFrame:
    """One row of `schemas.RUNS`.

    Args:
        stage: the rule.
        shard: k-of-n.
        progress: of the computation, finished.
        decoder: what computed.
        traces: how many were worked on.
        note: what a reader should know; may be empty.
    """
    row = {
        "stage": stage,
        "shard": shard,
        "traces": traces,
        "tokens": progress.tokens,
        "seconds": progress.seconds,
        "device": device_name(decoder.device),
        "dtype": decoder.settings.dtype,
        "note": note,
    }
    return RUNS.frame([row])
