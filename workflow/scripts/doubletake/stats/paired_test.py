"""Is one policy right more often than another, or not worse by a margin?"""

import numpy as np

from doubletake.stats.intervals import IntervalSettings, cluster_sums
from doubletake.stats.jackknife import Jackknife


def paired_p(
    right: np.ndarray,
    other: np.ndarray,
    problems: np.ndarray,
    intervals: IntervalSettings,
    *,
    margin: float = 0.0,
) -> float | None:
    """Two-sided p-value of "the accuracies differ by -`margin`" (`score_z`).

    With a margin, a small p and a difference above -`margin` show that at most the
    margin is lost. Thoughts on one problem depend on each other. So all counts are
    divided by the design effect: the variance of the difference from the jackknife
    over problems over that of independent thoughts, at least 1 (Rao & Scott 1992,
    Biometrics 48:577).

    Args:
        right: [thought], whether the first policy is right.
        other: [thought], whether the other is.
        problems: [thought].
        intervals: there is no p-value of fewer than `least_problems` problems.
        margin: share of thoughts, at least 0.
    """
    difference = right.astype(float) - other
    columns = np.zeros(len(difference), dtype=np.int64)
    sums, counts = cluster_sums(difference, problems, columns, 1)
    if len(sums) < intervals.least_problems:
        return None
    n, mean = len(difference), difference.mean()
    left_out = (sums.sum(0) - sums) / (counts.sum(0) - counts)
    jackknife = Jackknife.of(sums.sum(0) / n, left_out, counts)
    helped, harmed = (int((difference == sign).sum()) for sign in (1, -1))
    independent = ((helped + harmed) / n - mean**2) / (n - 1)
    # ASSUME: thoughts on one problem are as one case, where problems do not differ.
    effect = n / float(jackknife.effective[0])
    if independent > 0 and jackknife.error[0] > 0:
        effect = max(1.0, float(jackknife.error[0]) ** 2 / independent)
    pairs, b, c = np.array([n, helped, harmed]) / effect
    return two_sided(float(score_z(pairs, b, c, margin)))


def score_z(
    n: np.ndarray, helped: np.ndarray, harmed: np.ndarray, margin: float
) -> np.ndarray:
    """Score statistic of a difference of paired shares (Tango 1998, Stat. Med. 17:891).

    With d = -margin, b helped and c harmed of n pairs:
    `z = (b - c - n d) / sqrt(n (2 q + d (1 - d)))`, where q is the most likely
    probability of harm if the difference is d. Without a margin it is McNemar's test.
    It also holds where few pairs or none differ. 0 where nothing differs and d = 0.

    Args:
        n: [...], pairs.
        helped: [...], pairs in which only the first is right.
        harmed: [...], pairs in which only the other is right.
        margin: share of pairs, from 0 to below 1.
    """
    d = -margin
    linear = (helped + harmed) * (1 - d) - 2 * d * (n - helped)
    root = np.sqrt(np.maximum(linear**2 + 8 * n * harmed * d * (1 - d), 0.0))
    q = (linear + root) / (4 * n)
    variance = n * (2 * q + d * (1 - d))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (helped - harmed - n * d) / np.sqrt(variance)
    return np.where(variance > 0, z, 0.0)


def two_sided(z: float) -> float:
    """Two-sided p-value of a standard normal statistic."""
    from scipy.special import ndtr  # here, because its import is slow

    return float(2 * ndtr(-abs(z)))
