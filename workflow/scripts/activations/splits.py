"""Seeded splits of the problems, the same for every stage, shard and limit."""

import hashlib
import math
from collections.abc import Iterable

CALIBRATION = "calibration"


def calibration_problems(problems: Iterable[str], share: float) -> set[str]:
    """The problems whose thoughts give the mean residual.

    Problems are ranked by the SHA-256 of their id; the first ceil(share * n) are taken,
    so that the split depends on neither order nor shards and is empty only when there
    are no problems.
    """
    ranked = sorted(set(problems), key=_rank)
    return set(ranked[: math.ceil(share * len(ranked))])


def _rank(problem: str) -> bytes:
    return hashlib.sha256(f"{CALIBRATION}/{problem}".encode()).digest()
