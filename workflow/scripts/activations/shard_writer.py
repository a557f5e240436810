"""Writes one shard of the activation cache, row by row.

`shard_format` describes the tensors, `reading` reads them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from activations.reading import Origin
from activations.shard_format import FORMAT, PER_ROW, ShardSizes
from doubletake.tensors.row_files import RowWriter, open_row_writer


@dataclass(frozen=True)
class ShardWriter:
    """Writes one shard of the cache, rows in any order."""

    file: RowWriter

    def write_rows(self, first: int, rows: dict[str, torch.Tensor]) -> None:
        """Write consecutive rows.

        Args:
            first: row of the shard at which they begin.
            rows: the tensors of `PER_ROW`, [n, ...].
        """
        for name in PER_ROW:
            self.file.write_rows(name, first, rows[name])

    def write_means(
        self, resid: torch.Tensor, attn_out: torch.Tensor, count: int
    ) -> None:
        """Write the sums behind the means over the calibration thoughts.

        Args:
            resid: [n_layers + 1, d_model], float64, summed over tokens.
            attn_out: [n_layers, d_model], float64, summed over the same tokens.
            count: number of tokens summed.
        """
        self.file.write_whole("mean_resid_sum", resid)
        self.file.write_whole("mean_attn_out_sum", attn_out)
        self.file.write_whole("mean_resid_count", torch.tensor([count]))


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
    with open_row_writer(path, sizes.tensors(dtype), PER_ROW, metadata) as file:
        yield ShardWriter(file)
