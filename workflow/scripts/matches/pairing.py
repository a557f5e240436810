"""Optimal pair matching without replacement, within calipers.

Of all ways to pair the cases of two classes, the one with the most pairs is taken, and
of those the one with the least total distance (Rosenbaum 1989, "Optimal matching for
observational studies").
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

EXACT = ("line_start", "token_class")
# ASSUME: another problem matters as much as a difference at the limit of one caliper.
OTHER_PROBLEM = 1.0
LARGEST_COST = 1 + 3 + OTHER_PROBLEM
ROUNDING = 1e-9


@dataclass(frozen=True)
class Calipers:
    """The `matches` section of the config."""

    since_arrival: float
    """Largest ratio of the tokens since the last arrival, each plus one."""
    depth: float
    """Largest ratio of the tokens of the thought so far, each plus one."""
    arrivals: int
    """Largest difference of the numbers of earlier arrivals."""

    @property
    def widths(self) -> np.ndarray:
        """[covariate], in the units of `scales`."""
        return np.array([np.log(self.since_arrival), np.log(self.depth), self.arrivals])


@dataclass(frozen=True)
class Pairing:
    """Which cases are pairs."""

    first: np.ndarray
    """[pair], index of the case of the first class."""
    second: np.ndarray
    """[pair], index of its partner."""
    alike: np.ndarray
    """[case of the first class], number of cases that are equal in `EXACT`."""
    near: np.ndarray
    """[case of the first class], how many of these lie within the calipers."""


def scales(cases: pl.DataFrame) -> np.ndarray:
    """Covariates on the scales of their calipers: [case, covariate], float64.

    Tokens are on a logarithmic scale, since the thoughts of some models are ten times
    as long as those of others.
    """
    names = ("since_arrival", "depth", "arrivals_before")
    since, depth, arrivals = (cases[name].cast(pl.Float64).to_numpy() for name in names)
    return np.stack([np.log1p(since), np.log1p(depth), arrivals], axis=1)


def pair(first: pl.DataFrame, second: pl.DataFrame, calipers: Calipers) -> Pairing:
    """Pair cases of two classes; the same input always gives the same pairs.

    The distance of two cases is the sum of the squares of their differences in units of
    the calipers, and `OTHER_PROBLEM` if they belong to two problems.

    Args:
        first: cases of the first class, with the columns of
            `matches.covariates.with_covariates`. Of those that can be in a pair, as
            many as possible of the `preferred` ones get a partner. This costs no pair:
            the sets of cases that can all have partners are a matroid (Edmonds &
            Fulkerson 1965), so each of them is part of a largest one.
        second: cases of the second class.
        calipers: how much two members of a pair may differ.
    """
    alike, near = (np.zeros(first.height, dtype=int) for _ in range(2))
    pairs = [np.zeros((2, 0), dtype=int)]
    for rows, columns in strata(first, second):
        alike[rows] = len(columns)
        costs = _costs(first[rows], second[columns], calipers)
        near[rows] = [len(found) for found, _ in costs]
        preferred = first["preferred"].to_numpy()[rows]
        matched = _most_pairs(costs, preferred, len(columns))
        pairs.append(np.stack([rows[matched[0]], columns[matched[1]]]))
    firsts, seconds = np.concatenate(pairs, axis=1)
    order = np.argsort(firsts)
    return Pairing(firsts[order], seconds[order], alike, near)


def strata(
    first: pl.DataFrame, second: pl.DataFrame
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices of the cases of both classes that are equal in `EXACT`."""
    of_class = [
        table.with_row_index("index")
        .group_by(EXACT, maintain_order=True)
        .agg("index")
        .rows_by_key(EXACT, unique=True)
        for table in (first, second)
    ]
    for key, (rows,) in of_class[0].items():
        columns = of_class[1].get(key, ([],))[0]
        yield np.array(rows, dtype=int), np.array(columns, dtype=int)


def _costs(
    first: pl.DataFrame, second: pl.DataFrame, calipers: Calipers
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Partners within the calipers and 1 + distance to each, by case of `first`."""
    widths = calipers.widths
    units = np.where(widths > 0, widths, 1)
    others, problems = scales(second), second["problem"].to_numpy()
    costs = []
    for row, problem in zip(scales(first), first["problem"], strict=True):
        difference = np.abs(others - row)
        near = np.flatnonzero((difference <= widths + ROUNDING).all(1))
        distance = ((difference[near] / units) ** 2).sum(1)
        distance += OTHER_PROBLEM * (problems[near] != problem)
        costs.append((near, 1 + distance))
    return costs


def _most_pairs(
    costs: list[tuple[np.ndarray, np.ndarray]], preferred: np.ndarray, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pairs: as many as possible, then of least cost.

    Every row also has a column of its own that costs more than all pairs together, and
    twice as much for a preferred row. A row that gets this column has no partner.
    """
    # Loaded here, so that later stages and the page start without it.
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows = len(costs)
    alone = LARGEST_COST * (rows + 1) * (1 + preferred)
    counts = [len(near) + 1 for near, _ in costs]
    matrix = csr_array(
        (
            np.concatenate(
                [
                    np.append(cost, own)
                    for (_, cost), own in zip(costs, alone, strict=True)
                ]
            ),
            np.concatenate(
                [np.append(near, columns + k) for k, (near, _) in enumerate(costs)]
            ),
            np.concatenate([[0], np.cumsum(counts)]),
        ),
        shape=(rows, columns + rows),
    )
    row, column = min_weight_full_bipartite_matching(matrix)
    has_partner = column < columns
    return row[has_partner], column[has_partner]
