"""Writes one shard of the activation cache, row by row.

`shard_format` describes the tensors, `reading` reads them.
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import torch

from activations.reading import Origin
from activations.shard_format import (
    DTYPE_CODES,
    FORMAT,
    PER_ROW,
    ShardSizes,
    digest_name,
)
from activations.vector_digests import bytes_digest, vector_digests
from doubletake.running.files import replacing


class ShardWriter:
    """Writes one shard of the cache, rows in any order."""

    def __init__(
        self,
        file: BinaryIO,
        sizes: ShardSizes,
        dtype: torch.dtype,
        metadata: dict[str, str],
    ) -> None:
        """Write the header; see `open_shard_writer`."""
        self.file = file
        self.tensors = sizes.stored(dtype)
        self.offsets: dict[str, int] = {}
        self.missing_rows = sizes.rows
        header: dict[str, Any] = {"__metadata__": metadata}
        end = 0
        for name, (tensor_dtype, shape) in self.tensors.items():
            start, end = end, end + tensor_dtype.itemsize * math.prod(shape)
            self.offsets[name] = start
            header[name] = {
                "dtype": DTYPE_CODES[tensor_dtype],
                "shape": shape,
                "data_offsets": [start, end],
            }
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        encoded = len(text).to_bytes(8, "little") + text
        file.write(encoded)
        self.data_start = file.tell()
        self._write(digest_name("header"), 0, bytes_digest(encoded))

    def write_rows(self, first: int, rows: dict[str, torch.Tensor]) -> None:
        """Write consecutive rows.

        Args:
            first: row of the shard at which they begin.
            rows: the tensors of `PER_ROW`, [n, ...].
        """
        for name in PER_ROW:
            self._write(name, first, rows[name])
            vectors = rows[name] if rows[name].dim() > 1 else rows[name][:, None]
            self._write(digest_name(name), first, vector_digests(vectors))
        self.missing_rows -= len(rows["final_scale"])

    def write_means(
        self, resid: torch.Tensor, attn_out: torch.Tensor, count: int
    ) -> None:
        """Write the sums behind the means over the calibration thoughts.

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
        self.file.seek(self.data_start + self.offsets[name] + offset)
        self.file.write(values.contiguous().view(torch.uint8).numpy().data)


@contextmanager
def open_shard_writer(
    path: str | Path, shard: str, origin: Origin, sizes: ShardSizes, dtype: torch.dtype
) -> Iterator[ShardWriter]:
    """Open a shard for writing under a temporary name; rename it when complete.

    Raises:
        ValueError: some rows were not written.
    """
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
        if writer.missing_rows:
            raise ValueError(f"{path}: {writer.missing_rows} rows were not written")
