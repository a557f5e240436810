"""Shards of the activation cache: what is kept in which row, and how it is written.

The tensors are described in `activations.reading`, which reads them.
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import torch

from activations.reading import (
    CODES,
    FORMAT,
    PER_ROW,
    Origin,
    Sizes,
    digest_name,
)
from activations.tables import ACTIVATION_INDEX
from activations.vector_digests import bytes_digest, vector_digests
from doubletake.running.errors import InputError
from doubletake.running.files import replacing


def cached_positions(events: pl.DataFrame) -> pl.DataFrame:
    """Where the pass keeps activations: one position per event.

    An arrival is cached at its `token`, where the number has been read. A sentence
    (backtrack, wrap-up, control) is cached at `token - 1`, where the model chooses to
    begin it: at `token` itself a probe would only read the first word. A sentence that
    begins the sequence has no such position and no row.

    Args:
        events: `schemas.EVENTS`.

    Returns:
        Columns trace, event, token; in the order of the events.
    """
    before = pl.col("token") - (pl.col("kind") != "arrival").cast(pl.Int32)
    return events.select("trace", "event", token=before).filter(pl.col("token") >= 0)


def index_of(
    traces: pl.DataFrame, mine: pl.DataFrame, events: pl.DataFrame, shard: str
) -> pl.DataFrame:
    """The shard's part of the index, in the order of its traces `mine`.

    Args:
        traces: `schemas.TRACES`, of the study.
        mine: those that the shard reads.
        events: `schemas.EVENTS`, of the study.
        shard: k-of-n.

    Returns:
        `schemas.ACTIVATION_INDEX`.

    Raises:
        InputError: an event of an unknown trace or beyond its trace's end.
    """
    lost = events.join(traces, on="trace", how="anti")
    if lost.height:
        raise InputError(f"events: trace {lost['trace'][0]} is not in the traces table")
    lengths = pl.col("prompt_ids").list.len() + pl.col("completion_ids").list.len()
    placed = events.join(traces.select("trace", length=lengths), on="trace")
    beyond = placed.filter(pl.col("token") >= pl.col("length"))
    if beyond.height:
        trace, event, token = beyond.select("trace", "event", "token").row(0)
        raise InputError(
            f"events: event {event} lies at token {token}, beyond trace {trace}"
        )
    order = mine.select("trace").with_row_index("order")
    positions = cached_positions(events).join(order, on="trace")
    index = (
        positions.sort("order", "event", "token")
        .with_row_index("row")
        .select(
            pl.col("row").cast(pl.Int32),
            pl.lit(shard).alias("shard"),
            "trace",
            "event",
            "token",
        )
    )
    return ACTIVATION_INDEX.check(index)


class ShardWriter:
    """Writes one shard of the cache, rows in any order."""

    def __init__(
        self, file: BinaryIO, sizes: Sizes, dtype: torch.dtype, metadata: dict[str, str]
    ) -> None:
        """Write the header; see `writing`."""
        self.file = file
        self.tensors = sizes.stored(dtype)
        self.offsets: dict[str, int] = {}
        self.missing = sizes.rows
        header: dict[str, Any] = {"__metadata__": metadata}
        end = 0
        for name, (kind, shape) in self.tensors.items():
            start, end = end, end + kind.itemsize * math.prod(shape)
            self.offsets[name] = start
            header[name] = {
                "dtype": CODES[kind],
                "shape": shape,
                "data_offsets": [start, end],
            }
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        whole = len(text).to_bytes(8, "little") + text
        file.write(whole)
        self.begin = file.tell()
        self._write(digest_name("header"), 0, bytes_digest(whole))

    def write_rows(self, first: int, rows: dict[str, torch.Tensor]) -> None:
        """Write consecutive rows.

        Args:
            first: row of the shard at which they begin.
            rows: `PER_ROW` tensors, [n, ...] as in `activations.reading`.
        """
        for name in PER_ROW:
            self._write(name, first, rows[name])
            vectors = rows[name] if rows[name].dim() > 1 else rows[name][:, None]
            self._write(digest_name(name), first, vector_digests(vectors))
        self.missing -= len(rows["final_scale"])

    def write_means(
        self, resid: torch.Tensor, attn_out: torch.Tensor, count: int
    ) -> None:
        """Write the shard's share of the means over the calibration thoughts.

        Args:
            resid: [n_layers + 1, d_model], float64, summed over tokens.
            attn_out: [n_layers, d_model], float64, summed over the same tokens.
            count: number of tokens summed.
        """
        for name, values in {
            "mean_resid_sum": resid,
            "mean_attn_out_sum": attn_out,
            "mean_resid_count": torch.tensor([count]),
        }.items():
            self._write(name, 0, values)
            self._write(digest_name(name), 0, vector_digests(values.reshape(1, -1)))

    def _write(self, name: str, first: int, values: torch.Tensor) -> None:
        dtype, shape = self.tensors[name]
        if values.dtype != dtype or list(values.shape[1:]) != shape[1:]:
            raise ValueError(f"{name}: {values.dtype} {list(values.shape)}")
        if values.numel() == 0:
            return
        offset = first * dtype.itemsize * math.prod(shape[1:])
        self.file.seek(self.begin + self.offsets[name] + offset)
        self.file.write(values.contiguous().view(torch.uint8).numpy().data)


@contextmanager
def writing(
    path: str | Path, shard: str, origin: Origin, sizes: Sizes, dtype: torch.dtype
) -> Iterator[ShardWriter]:
    """Open a shard for writing under a temporary name; rename it when complete."""
    metadata = {
        "format": FORMAT,
        "shard": shard,
        "n_layers": str(sizes.n_layers),
        "d_model": str(sizes.d_model),
        **asdict(origin),
    }
    with replacing(path) as partial:
        with open(partial, "wb") as file:
            writer = ShardWriter(file, sizes, dtype, metadata)
            yield writer
        if writer.missing:
            raise ValueError(f"{path}: {writer.missing} rows were not written")
