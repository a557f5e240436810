"""The activation cache: one safetensors file per shard, found through an index table.

Tensors of a shard (`row` runs over the shard's rows of `schemas.ACTIVATION_INDEX`,
d = d_model; the first three in the model's dtype):

    resid           [row, n_layers + 1, d]  residual stream at every layer boundary;
                                            the last is the input of the final norm
    attn_out        [row, n_layers, d]      what attention adds to it
    mlp_out         [row, n_layers, d]      what the MLP adds to it
    final_scale     [row]                   float32, rsqrt(mean(resid²) + eps) of the
                                            final norm
    mean_resid_sum  [n_layers + 1, d]       float64, sum of resid over the thought
                                            tokens of the shard's calibration problems
    mean_resid_count [1]                    int64, their number
    mean_attn_out_sum [n_layers, d]         float64, sum of attn_out over the same
                                            tokens; that of mlp_out follows from the
                                            two: resid[l + 1] - resid[l] - attn_out[l]

The files are written row by row, so that a shard need not fit into memory, and read
slice by slice. So that a reader of slices notices damage, a shard holds the digest of
every vector (64 bits of XXH3 as int64, checked when it is read) and of its own header:

    resid_digest    [row, n_layers + 1]     of resid[row, layer]; likewise the others
    header_digest   [1]                     of the bytes before the tensors
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import torch
from safetensors import SafetensorError, safe_open

from activations.tables import ACTIVATION_INDEX
from activations.vector_digests import bytes_digest, vector_digests
from doubletake.running.digests import file_digest
from doubletake.running.errors import InputError
from doubletake.running.seals import REMEDY
from doubletake.study.settings import ModelSettings

FORMAT = "2"
PER_ROW = ("resid", "attn_out", "mlp_out", "final_scale")
CODES = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
}


@dataclass(frozen=True)
class Origin:
    """What a cache was made from; metadata of every shard."""

    source: str
    """Model: folder or hub id."""
    revision: str
    """Its commit on the hub; empty for a folder."""
    dtype: str
    """Type of the model's weights and of the cached rows."""
    events: str
    """SHA-256 of the events table."""

    @classmethod
    def of(cls, model: ModelSettings, events_path: str | Path) -> "Origin":
        """Origin of a cache of this model at the events of this file."""
        digest = file_digest(events_path)
        return cls(model.source, model.revision or "", model.dtype, digest)


@dataclass(frozen=True)
class Sizes:
    """Sizes of a shard's tensors."""

    rows: int
    n_layers: int
    d_model: int

    def stored(self, dtype: torch.dtype) -> dict[str, tuple[torch.dtype, list[int]]]:
        """The file's tensors and digests; wide types first keep the file aligned."""
        tensors = self.tensors(dtype)
        digests = {
            digest_name(name): (torch.int64, shape if len(shape) < 3 else shape[:-1])
            for name, (_, shape) in tensors.items()
            if name in PER_ROW
        }
        whole = ("mean_resid_sum", "mean_attn_out_sum", "mean_resid_count", "header")
        digests |= {digest_name(name): (torch.int64, [1]) for name in whole}
        return digests | tensors

    def tensors(self, dtype: torch.dtype) -> dict[str, tuple[torch.dtype, list[int]]]:
        """Type and shape of every tensor."""
        rows, layers, d = self.rows, self.n_layers, self.d_model
        return {
            "mean_resid_sum": (torch.float64, [layers + 1, d]),
            "mean_attn_out_sum": (torch.float64, [layers, d]),
            "mean_resid_count": (torch.int64, [1]),
            "final_scale": (torch.float32, [rows]),
            "resid": (dtype, [rows, layers + 1, d]),
            "attn_out": (dtype, [rows, layers, d]),
            "mlp_out": (dtype, [rows, layers, d]),
        }


def digest_name(name: str) -> str:
    """Name of the tensor that holds the digests of a tensor."""
    return f"{name}_digest"


class ActivationCache:
    """Reads the cache of a study; tensors are read when asked for.

    Attributes:
        index: `schemas.ACTIVATION_INDEX`.
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
            InputError: names the file and what does not fit.
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
        """Index rows of these events, in their order.

        Args:
            events: columns trace and event, others are ignored.

        Raises:
            InputError: an event has no cached row.
        """
        found = events.select("trace", "event").join(
            self.index, on=["trace", "event"], how="left", maintain_order="left"
        )
        lost = found.filter(pl.col("row").is_null())
        if lost.height:
            trace, event = lost.select("trace", "event").row(0)
            raise InputError(
                f"activations: event {event} of trace {trace} is not in the cache "
                f"({lost.height} such)"
            )
        return found

    def read(
        self, name: str, events: pl.DataFrame, layer: int | None = None
    ) -> torch.Tensor:
        """Cached rows of these events, in their order.

        Args:
            name: resid, attn_out, mlp_out or final_scale.
            events: columns trace and event.
            layer: only this layer (of resid: this boundary, 0 ... n_layers).

        Returns:
            [event, layer, d_model], [event, d_model] with `layer`, [event] for
            final_scale; in the cache's dtype.

        Raises:
            InputError: an event has no cached row, or a file is damaged.
        """
        places = self.locate(events).with_row_index("place")
        kind, shape = self._kind(name)
        shape = shape[1:] if layer is None else shape[2:]
        result = torch.empty([events.height, *shape], dtype=kind)
        for (shard,), part in places.group_by("shard"):
            file = self._files[str(shard)]
            view, digests = file.get_slice(name), file.get_slice(digest_name(name))
            for start, stop, where in _runs(part.sort("row")):
                cells: Any = slice(start, stop)
                if layer is not None:
                    cells = (cells, slice(layer, layer + 1))
                found = view[cells]
                self._verify(str(shard), name, found, digests[cells])
                result[where] = found if layer is None else found[:, 0]
        return result

    def mean_resid(self) -> torch.Tensor:
        """Mean residual over the thought tokens of the calibration problems.

        Returns:
            [n_layers + 1, d_model], float64.

        Raises:
            InputError: there was no such token.
        """
        return self._mean("mean_resid_sum")

    def means(self) -> dict[str, torch.Tensor]:
        """Means of all parts over the thought tokens of the calibration problems.

        Returns:
            `resid` [n_layers + 1, d_model], `attn_out` and `mlp_out` [n_layers,
            d_model]; float64.

        Raises:
            InputError: there was no such token.
        """
        resid, attn_out = self.mean_resid(), self._mean("mean_attn_out_sum")
        mlp_out = resid[1:] - resid[:-1] - attn_out
        return {"resid": resid, "attn_out": attn_out, "mlp_out": mlp_out}

    def _mean(self, name: str) -> torch.Tensor:
        total, count = torch.zeros((), dtype=torch.float64), 0
        for shard in sorted(self._files):
            total = total + self._whole(shard, name)
            count += int(self._whole(shard, "mean_resid_count").item())
        if count == 0:
            raise InputError("activations: no thought token in the calibration split")
        return total / count

    def _whole(self, shard: str, name: str) -> torch.Tensor:
        """A tensor that has one digest."""
        file = self._files[shard]
        found, digest = (file.get_tensor(key) for key in (name, digest_name(name)))
        self._verify(shard, name, found.reshape(1, -1), digest)
        return found

    def _verify(
        self, shard: str, name: str, found: torch.Tensor, digests: torch.Tensor
    ) -> None:
        vectors = found[:, None] if found.dim() == 1 else found
        if not torch.equal(vector_digests(vectors), digests):
            raise InputError(
                f"{self._paths[shard]} is damaged ({name} does not match its digests): "
                f"{REMEDY}"
            )

    def _kind(self, name: str) -> tuple[torch.dtype, list[int]]:
        file = next(iter(self._files.values()))
        dtype = {code: kind for kind, code in CODES.items()}[
            file.get_slice(name).get_dtype()
        ]
        sizes = Sizes(0, self.n_layers, self.d_model)
        return dtype, sizes.tensors(dtype)[name][1]

    def _check_shapes(self, path: str | Path, metadata: dict[str, str]) -> None:
        shard = metadata["shard"]
        rows = self.index.filter(pl.col("shard") == shard).height
        sizes = Sizes(rows, int(metadata["n_layers"]), int(metadata["d_model"]))
        known = sizes.tensors(torch.float32) | sizes.stored(torch.float32)
        for name, (_, shape) in known.items():
            found = self._files[shard].get_slice(name).get_shape()
            if found != shape:
                raise InputError(
                    f"{path}: {name} is {found}, but the index and the model want "
                    f"{shape}"
                )


def _open(path: str | Path) -> Any:
    """Open a shard whose header is as it was written."""
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
        found = metadata.get(key)
        if found != wanted:
            raise InputError(
                f"{path}: made from another {key}: {found!r} instead of {wanted!r}"
            )
    return metadata


def _runs(part: pl.DataFrame) -> Iterator[tuple[int, int, list[int]]]:
    """Consecutive rows of a shard: first row, row after the last, places in the result.

    Args:
        part: columns row (ascending, may repeat) and place.
    """
    rows, places = part["row"].to_list(), part["place"].to_list()
    breaks = [k for k, (a, b) in enumerate(pairwise(rows), 1) if b != a + 1]
    for start, stop in pairwise([0, *breaks, len(rows)]):
        yield rows[start], rows[stop - 1] + 1, places[start:stop]
