"""Checksum of every cached vector, so that damage of a part of a file is noticed."""

import math
from collections.abc import Iterable
from typing import Any

import torch
import xxhash


def vector_digests(vectors: torch.Tensor) -> torch.Tensor:
    """XXH3 (64 bits, as int64) of every vector's bytes.

    Args:
        vectors: [..., d], any type, on the CPU.

    Returns:
        [...].
    """
    shape = vectors.shape[:-1]
    if vectors.numel() == 0:
        return torch.zeros(shape, dtype=torch.int64)
    rows = vectors.contiguous().reshape(math.prod(shape), -1).view(torch.uint8)
    return _digests(rows.numpy()).reshape(shape)


def bytes_digest(data: bytes) -> torch.Tensor:
    """XXH3 of some bytes, [1]."""
    return _digests([data])


def _digests(parts: Iterable[Any]) -> torch.Tensor:
    digests = b"".join(xxhash.xxh3_64_digest(part) for part in parts)
    return torch.frombuffer(bytearray(digests), dtype=torch.int64)
