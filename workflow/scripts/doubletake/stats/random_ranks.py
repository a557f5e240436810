"""The rank of a case among random draws as a p-value, and how many draws it needs."""


def rank_p(above: int, draws: int) -> float:
    """Monte Carlo p-value (r + 1) / (n + 1) of a rank (Davison & Hinkley 1997, 4.2).

    Args:
        above: r, draws at least as extreme as the tested case.
        draws: n.
    """
    return (above + 1) / (draws + 1)


def draws_needed(per_test: int, tests: int) -> int:
    """Random draws behind each test, if Holm's correction counts this many tests.

    The smallest p-value of n draws is 1 / (n + 1). With n = `per_test` * `tests` it
    stays just below 1 / `per_test` after the correction, however many tests there are.
    """
    return per_test * tests
