"""Seeded draws: every random choice of a study, by seed and name alone.

Nothing here has a state that calls share: neither the order of calls nor the other
names change a draw. What comes out is part of the results, so that no algorithm may
change. There are two for names, from SHA-256 and from Python's generator, and two for
arrays, from NumPy's default generator and from Philox.
"""

import hashlib
import random
from collections.abc import Iterable

import numpy as np

Name = tuple[str | int, ...]
"""What is drawn, e.g. trace and event."""


def ranked_by_digest(names: Iterable[Name], seed: int | str) -> list[Name]:
    """The names in the order of the SHA-256 of seed and name."""
    return sorted(names, key=lambda name: _digest(_key(seed, *name)))


def ranked_by_generator(names: Iterable[Name], seed: int) -> list[Name]:
    """The names in the order of the first number of a generator each."""
    return sorted(names, key=lambda name: random.Random(f"{seed}/{name}").random())


def generator(seed: int | str, *name: str | int) -> random.Random:
    """A generator of its own for a name: Python's Mersenne Twister."""
    return random.Random(_key(seed, *name))


def array_generator(seed: int, number: int) -> np.random.Generator:
    """A generator of its own for a numbered array: NumPy's default."""
    return np.random.default_rng([seed, number])


def resamples(clusters: int, count: int, seed: int) -> np.ndarray:
    """How often each cluster is drawn, with replacement: [resample, cluster]."""
    shares = np.full(clusters, 1 / clusters)
    return np.random.default_rng(seed).multinomial(clusters, shares, size=count)


def uniforms(seed: int, key: str, count: int) -> np.ndarray:
    """Uniform numbers of one row, one per position: [count], float64 in [0, 1).

    They come from a counter-based generator (Salmon et al. 2011, Philox) keyed by the
    digest of seed and row id, so that a longer row begins with the same numbers.
    """
    philox = np.random.Philox(
        key=int.from_bytes(_digest(f"{seed}\0{key}")[:16], "little")
    )
    return np.random.Generator(philox).random(count)


def _key(*words: str | int) -> str:
    return "/".join(map(str, words))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
