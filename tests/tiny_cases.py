"""Cases of two classes for the tests of probes: noise, and a planted direction."""

import numpy as np


def noisy_cases(cases=400, width=24, strength=0.0, problems=80, seed=0):
    """Noise of unequal scales, plus a direction times the label."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=width)
    direction /= np.linalg.norm(direction)
    labels = rng.random(cases) < 0.4
    names = np.array([f"p{k}" for k in rng.integers(problems, size=cases)])
    features = rng.normal(size=(cases, width)) + 3.0
    features += strength * np.outer(labels, direction)
    return features, labels, names, direction
