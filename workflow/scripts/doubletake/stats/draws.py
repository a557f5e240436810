"""Seeded draws: all random choices of a study, each from a seed and a name alone.

A draw does not depend on the order of calls or on other names. The algorithms must not
change, because their draws are part of the results. Two algorithms draw names (SHA-256
and Python's generator), and two draw arrays (NumPy's default generator and Philox).
"""

import hashlib
import random
from collections.abc import Iterable

import numpy as np

Name = tuple[str | int, ...]
"""Name of a case that can be drawn, e.g. trace and event."""


def ranked_by_digest(names: Iterable[Name], seed: int | str) -> list[Name]:
    """The names, sorted by the SHA-256 of seed and name."""
    return sorted(names, key=lambda name: _digest(_key(seed, *name)))


def ranked_by_generator(names: Iterable[Name], seed: int) -> list[Name]:
    """The names, sorted by the first random number of each name's own generator."""
    return sorted(names, key=lambda name: random.Random(f"{seed}/{name}").random())


def generator(seed: int | str, *name: str | int) -> random.Random:
    """A random generator for one name: Python's Mersenne Twister."""
    return random.Random(_key(seed, *name))


def array_generator(seed: int, number: int) -> np.random.Generator:
    """A random generator for one numbered array: NumPy's default."""
    return np.random.default_rng([seed, number])


def uniforms(seed: int, key: str, count: int) -> np.ndarray:
    """Uniform numbers of one row, one per position: [count], float64 in [0, 1).

    They come from a counter-based generator (Salmon et al. 2011, Philox). Its key is
    the digest of seed and row id, so a longer row begins with the same numbers.
    """
    philox = np.random.Philox(
        key=int.from_bytes(_digest(f"{seed}\0{key}")[:16], "little")
    )
    return np.random.Generator(philox).random(count)


def _key(*words: str | int) -> str:
    return "/".join(map(str, words))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
