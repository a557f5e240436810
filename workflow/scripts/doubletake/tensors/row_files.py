"""Safetensors files with a row per case: written and read a few rows at a time.

A file may be larger than the memory. So it is written row by row, and read slice by
slice. A reader of a slice must notice damage in it. So the file holds digests (64 bits
of XXH3, as int64): of every vector of a tensor with rows, of every other tensor, and of
its header:

    NAME_digest    one for each vector of NAME, or one for all of NAME
    header_digest  [1], of the bytes before the tensors
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open

from doubletake.running.errors import InputError
from doubletake.running.files import replacing
from doubletake.running.seals import REMEDY
from doubletake.tensors.vector_digests import bytes_digest, vector_digests

Shapes = dict[str, tuple[torch.dtype, list[int]]]
"""Type and shape of tensors, by name."""
DTYPE_CODES = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
}
"""Names of the types in a safetensors header."""


def digest_name(name: str) -> str:
    """Name of the tensor that holds the digests of a tensor."""
    return f"{name}_digest"


def with_digests(tensors: Shapes, per_row: Collection[str]) -> Shapes:
    """Type and shape of all tensors and digests, in the order of the file.

    Args:
        tensors: in an order that keeps them aligned, the widest types first.
        per_row: those whose first axis are rows.
    """
    digests: Shapes = {
        digest_name(name): (torch.int64, shape if len(shape) < 3 else shape[:-1])
        for name, (_, shape) in tensors.items()
        if name in per_row
    }
    whole = [name for name in tensors if name not in per_row]
    digests |= {digest_name(name): (torch.int64, [1]) for name in (*whole, "header")}
    return digests | tensors


class RowWriter:
    """Writes the tensors of a file, rows in any order."""

    def __init__(
        self,
        file: BinaryIO,
        tensors: Shapes,
        per_row: Collection[str],
        metadata: dict[str, str],
    ) -> None:
        """Write the header; see `open_row_writer`."""
        self.file, self.per_row = file, per_row
        self.tensors = with_digests(tensors, per_row)
        self.offsets: dict[str, int] = {}
        self.missing = {name: tensors[name][1][0] for name in per_row}
        header: dict[str, Any] = {"__metadata__": metadata}
        end = 0
        for name, (dtype, shape) in self.tensors.items():
            start, end = end, end + dtype.itemsize * math.prod(shape)
            self.offsets[name] = start
            header[name] = {
                "dtype": DTYPE_CODES[dtype],
                "shape": shape,
                "data_offsets": [start, end],
            }
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        encoded = len(text).to_bytes(8, "little") + text
        file.write(encoded)
        self.data_start = file.tell()
        self._write(digest_name("header"), 0, bytes_digest(encoded))

    def write_rows(self, name: str, first: int, values: torch.Tensor) -> None:
        """Write consecutive rows of a tensor and their digests.

        Args:
            name: of the tensor.
            first: row at which they begin.
            values: `[row, ...]`, on the CPU.
        """
        self._write(name, first, values)
        vectors = values if values.dim() > 1 else values[:, None]
        self._write(digest_name(name), first, vector_digests(vectors))
        self.missing[name] -= len(values)

    def write_whole(self, name: str, values: torch.Tensor) -> None:
        """Write a tensor without rows, and its digest."""
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
def open_row_writer(
    path: str | Path,
    tensors: Shapes,
    per_row: Collection[str],
    metadata: dict[str, str],
) -> Iterator[RowWriter]:
    """Open a file for writing under a temporary name; rename it when complete.

    Raises:
        ValueError: some rows were not written.
    """
    with replacing(path) as partial:
        with open(partial, "wb") as file:
            writer = RowWriter(file, tensors, per_row, metadata)
            yield writer
        for name, rows in writer.missing.items():
            if rows:
                raise ValueError(f"{path}: {rows} rows of {name} were not written")


class RowReader:
    """Reads the tensors of a file, and checks the digest of all that it reads."""

    def __init__(self, path: str | Path, wanted: dict[str, str]) -> None:
        """Open a file and check its header.

        Args:
            path: the file.
            wanted: metadata that it must have.

        Raises:
            InputError: the file is damaged, or has other metadata.
        """
        self.path = path
        self.file = _open(path)
        self.metadata: dict[str, str] = self.file.metadata() or {}
        for key, value in wanted.items():
            in_file = self.metadata.get(key)
            if in_file != value:
                raise InputError(
                    f"{path}: made from another {key}: {in_file!r} instead of {value!r}"
                )

    def dtype_and_shape(self, name: str) -> tuple[torch.dtype, list[int]]:
        """Type and shape of a tensor."""
        view = self.file.get_slice(name)
        code = view.get_dtype()
        dtype = next(kind for kind, known in DTYPE_CODES.items() if known == code)
        return dtype, view.get_shape()

    def check_shapes(self, tensors: Shapes, per_row: Collection[str]) -> None:
        """Compare the shapes of tensors and digests with what they must be.

        Args:
            tensors: as they were written; their types are not compared.
            per_row: those whose first axis are rows.

        Raises:
            InputError: a shape differs.
        """
        for name, (_, shape) in (tensors | with_digests(tensors, per_row)).items():
            in_file = self.file.get_slice(name).get_shape()
            if in_file != shape:
                raise InputError(
                    f"{self.path}: {name} is {in_file}, but the index and the model "
                    f"want {shape}"
                )

    def rows(
        self, name: str, rows: list[int], layer: int | None = None
    ) -> Iterator[tuple[torch.Tensor, slice]]:
        """Rows of a tensor in blocks of consecutive ones.

        Args:
            name: of the tensor.
            rows: ascending; they may repeat.
            layer: only this entry of the second axis, which goes; None: all.

        Yields:
            Values of a block, and its place in `rows`.

        Raises:
            InputError: the file is damaged.
        """
        view, digests = (self.file.get_slice(key) for key in (name, digest_name(name)))
        breaks = [k for k, (a, b) in enumerate(pairwise(rows), 1) if b != a + 1]
        for start, stop in pairwise([0, *breaks, len(rows)]):
            if start == stop:
                continue
            cells: Any = slice(rows[start], rows[stop - 1] + 1)
            if layer is not None:
                cells = (cells, slice(layer, layer + 1))
            values = view[cells]
            self._verify(name, values, digests[cells])
            yield values if layer is None else values[:, 0], slice(start, stop)

    def whole(self, name: str) -> torch.Tensor:
        """A tensor without rows.

        Raises:
            InputError: the file is damaged.
        """
        tensor, digest = (
            self.file.get_tensor(key) for key in (name, digest_name(name))
        )
        self._verify(name, tensor.reshape(1, -1), digest)
        return tensor

    def _verify(self, name: str, values: torch.Tensor, digests: torch.Tensor) -> None:
        vectors = values[:, None] if values.dim() == 1 else values
        if not torch.equal(vector_digests(vectors), digests):
            raise InputError(
                f"{self.path} is damaged ({name} does not match its digests): {REMEDY}"
            )


def readers_by_shard(
    paths: Iterable[str | Path], wanted: dict[str, str]
) -> dict[str, RowReader]:
    """A reader of each file, by the shard that its metadata names."""
    readers = [RowReader(path, wanted) for path in paths]
    return {reader.metadata["shard"]: reader for reader in readers}


def _open(path: str | Path) -> Any:
    """Open a file and check the digest of its header."""
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
