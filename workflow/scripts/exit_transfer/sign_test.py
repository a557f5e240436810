"""Exact sign test: does one of two choices gain more problems than it loses?"""

import numpy as np


def sign_test_p(gains: np.ndarray, problems: np.ndarray) -> float | None:
    """Two-sided p-value of "a problem that changes is as likely to gain as to lose".

    With one thought per problem this is McNemar's exact test: of n changed problems, k
    lose, and p = 2 P(Binomial(n, 1/2) <= min(k, n - k)), at most 1. Thoughts on one
    problem are added up, so a problem counts once.

    Args:
        gains: [thought], 1 where only the first choice is right, -1 where only the
            other is, else 0.
        problems: [thought].

    Returns:
        None where no problem changes.
    """
    from scipy.special import bdtr  # here, because its import is slow

    _, index = np.unique(problems, return_inverse=True)
    sums = np.bincount(index, weights=gains)
    won, lost = int((sums > 0).sum()), int((sums < 0).sum())
    if won + lost == 0:
        return None
    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5)))
