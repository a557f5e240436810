"""Digests of vectors, so that a reader of some of a file notices damage in its part."""

import math
from collections.abc import Iterable
from typing import Any

import torch
import xxhash


def vector_digests(values: torch.Tensor) -> torch.Tensor:
    """XXH3 (64 bits, as int64) of every vector's bytes.

    Args:
        values: [..., d], any type, on the CPU.

    Returns:
        [...].
    """
    shape = values.shape[:-1]
    if values.numel() == 0:
        return torch.zeros(shape, dtype=torch.int64)
    rows = values.contiguous().reshape(math.prod(shape), -1).view(torch.uint8)
    return _digests(rows.numpy()).reshape(shape)


def bytes_digest(data: bytes) -> torch.Tensor:
    """The same of a piece of bytes, [1]."""
    return _digests([data])


def _digests(parts: Iterable[Any]) -> torch.Tensor:
    digests = b"".join(xxhash.xxh3_64_digest(part) for part in parts)
    return torch.frombuffer(bytearray(digests), dtype=torch.int64)
