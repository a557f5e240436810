"""Reads the activation cache: one safetensors file per shard, found through an index.

`shard_format` describes the tensors. A digest is checked for every vector that is read.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl
import torch

from activations.shard_format import FORMAT, PER_ROW, ShardSizes
from activations.tables import ACTIVATION_INDEX
from doubletake.running.digests import file_digest
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings
from doubletake.tensors.row_files import readers_by_shard


@dataclass(frozen=True)
class Origin:
    """The model and events that a cache was made from; metadata of every shard."""

    source: str
    """Folder or hub id of the model."""
    revision: str
    """Commit of the model on the hub; empty for a folder."""
    dtype: str
    """Type of the model's weights and of the cached rows."""
    events: str
    """SHA-256 of the events table."""

    @classmethod
    def of(cls, model: ModelSettings, events_path: str | Path) -> "Origin":
        """Origin of a cache made with this model for the events of this file."""
        digest = file_digest(events_path)
        return cls(model.source, model.revision or "", model.dtype, digest)


class ActivationCache:
    """The cache of a study; tensors are read from the files when they are needed.

    Attributes:
        index: rows of `ACTIVATION_INDEX`.
        n_layers: number of layers of the model.
        d_model: width of its residual stream.
    """

    def __init__(
        self, index_path: str | Path, shard_paths: Iterable[str | Path], origin: Origin
    ) -> None:
        """Open every shard and compare it with the index and with `origin`.

        Args:
            index_path: the merged index.
            shard_paths: the shards' safetensors files, in any order.
            origin: what the cache must have been made from.

        Raises:
            InputError: a file is damaged, or does not fit the others, the index or
                `origin`. The message names the file.
        """
        self.index = ACTIVATION_INDEX.read(index_path)
        wanted = {"format": FORMAT, **asdict(origin)}
        self._files = readers_by_shard(shard_paths, wanted)
        sizes: set[tuple[int, int]] = set()
        for shard, file in self._files.items():
            layers, d = (int(file.metadata[key]) for key in ("n_layers", "d_model"))
            sizes.add((layers, d))
            rows = self.index.filter(pl.col("shard") == shard).height
            shapes = ShardSizes(rows, layers, d).tensors(torch.float32)
            file.check_shapes(shapes, PER_ROW)
        if len(sizes) != 1:
            raise InputError(
                f"{index_path}: shards of different models, layers and widths are "
                f"{sorted(sizes)}"
            )
        ((self.n_layers, self.d_model),) = sizes
        unknown = set(self.index["shard"].unique()) - set(self._files)
        if unknown:
            raise InputError(f"{index_path}: no file of shard {min(unknown)}")

    def locate(self, events: pl.DataFrame) -> pl.DataFrame:
        """Rows of the index for these events, in the order of the events.

        Args:
            events: columns trace and event; other columns are ignored.

        Raises:
            InputError: an event has no cached row.
        """
        located = events.select("trace", "event").join(
            self.index, on=["trace", "event"], how="left", maintain_order="left"
        )
        missing = located.filter(pl.col("row").is_null())
        if missing.height:
            trace, event = missing.select("trace", "event").row(0)
            raise InputError(
                f"activations: event {event} of trace {trace} is not in the cache "
                f"({missing.height} missing events)"
            )
        return located

    def read(
        self, name: str, events: pl.DataFrame, layer: int | None = None
    ) -> torch.Tensor:
        """Cached activations of these events, in the order of the events.

        Args:
            name: resid, attn_out, mlp_out or final_scale.
            events: columns trace and event.
            layer: this layer only (for resid: this boundary, 0 ... n_layers).

        Returns:
            [event, layer, d_model], [event, d_model] with `layer`, [event] for
            final_scale; in the cache's dtype.

        Raises:
            InputError: an event has no cached row, or a file is damaged.
        """
        located = self.locate(events).with_row_index("result_row")
        dtype, shape = next(iter(self._files.values())).dtype_and_shape(name)
        shape = shape[1:] if layer is None else shape[2:]
        result = torch.empty([events.height, *shape], dtype=dtype)
        for (shard,), part in located.group_by("shard"):
            part = part.sort("row")
            places = part["result_row"].to_list()
            file = self._files[str(shard)]
            for values, block in file.rows(name, part["row"].to_list(), layer):
                result[places[block]] = values
        return result

    def mean_resid(self) -> torch.Tensor:
        """Mean residual over the thought tokens of the calibration problems.

        Returns:
            [n_layers + 1, d_model], float64.

        Raises:
            InputError: there is no thought token of a calibration problem.
        """
        return self._mean("mean_resid_sum")

    def means(self) -> dict[str, torch.Tensor]:
        """Means of resid, attn_out and mlp_out over the same thought tokens.

        Returns:
            `resid` [n_layers + 1, d_model], `attn_out` and `mlp_out` [n_layers,
            d_model]; float64.

        Raises:
            InputError: there is no thought token of a calibration problem.
        """
        resid, attn_out = self.mean_resid(), self._mean("mean_attn_out_sum")
        mlp_out = resid[1:] - resid[:-1] - attn_out
        return {"resid": resid, "attn_out": attn_out, "mlp_out": mlp_out}

    def _mean(self, name: str) -> torch.Tensor:
        total, count = torch.zeros((), dtype=torch.float64), 0
        for shard in sorted(self._files):
            file = self._files[shard]
            total = total + file.whole(name)
            count += int(file.whole("mean_resid_count").item())
        if count == 0:
            raise InputError("activations: no thought token in the calibration split")
        return total / count
