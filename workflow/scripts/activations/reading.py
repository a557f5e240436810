"""Reads the activation cache: one safetensors file per shard, found through an index.

`shard_format` describes the tensors. A digest is checked for every vector that is read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import torch
from safetensors import SafetensorError, safe_open

from activations.shard_format import DTYPE_CODES, FORMAT, ShardSizes, digest_name
from activations.tables import ACTIVATION_INDEX
from activations.vector_digests import bytes_digest, vector_digests
from doubletake.running.digests import file_digest
from doubletake.running.errors import InputError
from doubletake.running.seals import REMEDY
from doubletake.study.settings import ModelSettings


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
        self._files: dict[str, Any] = {}
        self._paths: dict[str, str | Path] = {}
        sizes: set[tuple[int, int]] = set()
        for path in shard_paths:
            file = _open(path)
            metadata = _check_metadata(path, file, origin)
            self._files[metadata["shard"]] = file
            self._paths[metadata["shard"]] = path
            sizes.add((int(metadata["n_layers"]), int(metadata["d_model"])))
            self._check_shapes(path, metadata)
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
        dtype, shape = self._dtype_and_shape(name)
        shape = shape[1:] if layer is None else shape[2:]
        result = torch.empty([events.height, *shape], dtype=dtype)
        for (shard,), part in located.group_by("shard"):
            file = self._files[str(shard)]
            view, digests = file.get_slice(name), file.get_slice(digest_name(name))
            for start, stop, result_rows in _consecutive_rows(part.sort("row")):
                cells: Any = slice(start, stop)
                if layer is not None:
                    cells = (cells, slice(layer, layer + 1))
                values = view[cells]
                self._verify(str(shard), name, values, digests[cells])
                result[result_rows] = values if layer is None else values[:, 0]
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
            total = total + self._read_whole(shard, name)
            count += int(self._read_whole(shard, "mean_resid_count").item())
        if count == 0:
            raise InputError("activations: no thought token in the calibration split")
        return total / count

    def _read_whole(self, shard: str, name: str) -> torch.Tensor:
        """A whole tensor, which has a single digest."""
        file = self._files[shard]
        tensor, digest = (file.get_tensor(key) for key in (name, digest_name(name)))
        self._verify(shard, name, tensor.reshape(1, -1), digest)
        return tensor

    def _verify(
        self, shard: str, name: str, values: torch.Tensor, digests: torch.Tensor
    ) -> None:
        vectors = values[:, None] if values.dim() == 1 else values
        if not torch.equal(vector_digests(vectors), digests):
            raise InputError(
                f"{self._paths[shard]} is damaged ({name} does not match its digests): "
                f"{REMEDY}"
            )

    def _dtype_and_shape(self, name: str) -> tuple[torch.dtype, list[int]]:
        file = next(iter(self._files.values()))
        code = file.get_slice(name).get_dtype()
        dtype = next(kind for kind, known in DTYPE_CODES.items() if known == code)
        sizes = ShardSizes(0, self.n_layers, self.d_model)
        return dtype, sizes.tensors(dtype)[name][1]

    def _check_shapes(self, path: str | Path, metadata: dict[str, str]) -> None:
        shard = metadata["shard"]
        rows = self.index.filter(pl.col("shard") == shard).height
        sizes = ShardSizes(rows, int(metadata["n_layers"]), int(metadata["d_model"]))
        shapes = sizes.tensors(torch.float32) | sizes.stored(torch.float32)
        for name, (_, shape) in shapes.items():
            in_file = self._files[shard].get_slice(name).get_shape()
            if in_file != shape:
                raise InputError(
                    f"{path}: {name} is {in_file}, but the index and the model want "
                    f"{shape}"
                )


def _open(path: str | Path) -> Any:
    """Open a shard and check the digest of its header."""
    try:
        file = safe_open(str(path), framework="pt", device="cpu")
        digest = file.get_tensor(digest_name("header"))
        with open(path, "rb") as raw:
            length = raw.read(8)
            header = length + raw.read(int.from_bytes(length, "little"))
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path}: damaged or missing, or of another version ({error}): {REMEDY}"
        ) from error
    if not torch.equal(digest, bytes_digest(header)):
        raise InputError(
            f"{path} is damaged (its header does not match its digest): {REMEDY}"
        )
    return file


def _check_metadata(path: str | Path, file: Any, origin: Origin) -> dict[str, str]:
    metadata = file.metadata() or {}
    for key, wanted in {"format": FORMAT, **asdict(origin)}.items():
        in_file = metadata.get(key)
        if in_file != wanted:
            raise InputError(
                f"{path}: made from another {key}: {in_file!r} instead of {wanted!r}"
            )
    return metadata


def _consecutive_rows(part: pl.DataFrame) -> Iterator[tuple[int, int, list[int]]]:
    """Blocks of consecutive rows of a shard.

    Args:
        part: columns row (ascending, may repeat) and result_row.

    Yields:
        First row, row after the last, and where the block lies in the result.
    """
    rows, result_rows = part["row"].to_list(), part["result_row"].to_list()
    breaks = [k for k, (a, b) in enumerate(pairwise(rows), 1) if b != a + 1]
    for start, stop in pairwise([0, *breaks, len(rows)]):
        yield rows[start], rows[stop - 1] + 1, result_rows[start:stop]
