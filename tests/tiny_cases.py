"""Cases of two classes for the tests of probes: noise, and a planted direction."""

import numpy as np


def noisy_cases(cases=400, width=24, strength=0.0, problems=80, seed=0):
    """Noise of unequal scales, plus a direction times the label.

    Returns:
        Features, labels, problems, and the direction.
    """
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=width)
    direction /= np.linalg.norm(direction)
    labels = rng.random(cases) < 0.4
    names = np.array([f"p{k}" for k in rng.integers(problems, size=cases)])
    features = rng.normal(size=(cases, width)) + 3.0
    features += strength * np.outer(labels, direction)
    return features, labels, names, direction


def paired_cases(pairs=200, width=24, strength=0.0, problems=80, seed=0, shared=0.0):
    """The same in matched pairs, the first member first, of random problems.

    Args:
        pairs: their number.
        width: number of features.
        strength: length of the direction.
        problems: their number.
        seed: of the noise.
        shared: standard deviation of what the members of a pair have in common.

    Returns:
        Features, labels, problems, and the direction.
    """
    cases = 2 * pairs
    features, _, names, direction = noisy_cases(cases, width, 0, problems, seed)
    labels = np.arange(cases) % 2 == 0
    features += strength * np.outer(labels, direction)
    common = np.random.default_rng([seed, 1]).normal(size=(pairs, width))
    return features + shared * common.repeat(2, axis=0), labels, names, direction


def pairs_of(labels):
    """Numbers of the pairs of `paired_cases`."""
    return np.arange(len(labels)) // 2
