"""Pairs: within their calipers, as many as possible, at the least distance."""

from itertools import permutations

import numpy as np
import polars as pl
import pytest

from matches.pairing import LARGEST_COST, Calipers, pair, scales

CALIPERS = Calipers(since_arrival=1.5, depth=2, arrivals=1)


def cases(*rows: tuple, token_class: str = ".") -> pl.DataFrame:
    """Cases with tokens since the arrival, depth, arrivals before and problem."""
    names = ["since_arrival", "depth", "arrivals_before", "problem"]
    table = pl.DataFrame(list(rows), schema=names, orient="row")
    flags = {name: pl.lit(False) for name in ("line_start", "preferred")}
    return table.with_columns(**flags, token_class=pl.lit(token_class))


def pairs_of(first, second, calipers=CALIPERS) -> list[tuple[int, int]]:
    found = pair(first, second, calipers)
    return list(zip(found.first.tolist(), found.second.tolist(), strict=True))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((14, 99, 2, "q"), True),  # (14 + 1) / (9 + 1) is the limit
        ((15, 99, 2, "q"), False),
        ((9, 199, 3, "q"), True),
        ((9, 200, 2, "q"), False),
        ((9, 49, 1, "q"), True),
        ((9, 48, 2, "q"), False),
        ((9, 99, 4, "q"), False),
    ],
)
def test_members_lie_within_all_calipers(other, expected):
    one = cases((9, 99, 2, "p"))
    assert bool(pairs_of(one, cases(other))) == expected
    assert bool(pairs_of(cases(other), one)) == expected


def test_the_narrowest_calipers_ask_for_equal_numbers():
    narrow = Calipers(since_arrival=1, depth=1, arrivals=0)
    one = cases((9, 99, 2, "p"))
    assert pairs_of(one, cases((9, 99, 2, "q"), (9, 98, 2, "p")), narrow) == [(0, 0)]


def test_members_agree_in_line_start_and_token_class():
    one = cases((9, 99, 2, "p"))
    assert pairs_of(one, cases((9, 99, 2, "p"), token_class="\n")) == []
    lines = one.with_columns(line_start=pl.lit(True))
    assert pairs_of(one, lines) == []
    found = pair(one, lines, CALIPERS)
    assert (found.alike.tolist(), found.near.tolist()) == ([0], [0])
    assert pairs_of(lines, lines) == [(0, 0)]


def test_a_member_of_the_same_problem_is_preferred():
    one = cases((9, 99, 2, "p"))
    both = cases((9, 100, 2, "q"), (9, 104, 2, "p"))
    assert pairs_of(one, both) == [(0, 1)]


def test_the_nearest_partner_gives_way_where_that_makes_another_pair():
    """The first case could take either partner, the second case only the near one."""
    first = cases((10, 99, 2, "p"), (14, 99, 2, "p"))
    second = cases((11, 99, 2, "p"), (7, 99, 2, "p"))
    assert pairs_of(first, second) == [(0, 1), (1, 0)]


def random_cases(rng: np.random.Generator, count: int) -> pl.DataFrame:
    rows = zip(
        rng.integers(5, 14, count).tolist(),
        rng.integers(50, 150, count).tolist(),
        rng.integers(1, 4, count).tolist(),
        rng.choice(["p", "q"], count).tolist(),
        strict=True,
    )
    return cases(*rows)


def test_a_preferred_case_gets_the_only_partner():
    """The other case stands nearer to it."""
    first = cases((10, 99, 2, "p"), (11, 99, 2, "p"))
    second = cases((10, 99, 2, "p"))
    assert pairs_of(first, second) == [(0, 0)]
    preferred = first.with_columns(preferred=pl.Series([False, True]))
    assert pairs_of(preferred, second) == [(1, 0)]


def brute_force(first: pl.DataFrame, second: pl.DataFrame) -> tuple[int, int, float]:
    """Most pairs, then most preferred cases, then the least distance.

    Over all assignments. The three are the optimum one after the other.
    """
    gaps = np.abs(scales(first)[:, None] - scales(second)[None])
    near = (gaps <= CALIPERS.widths + 1e-9).all(2)
    distance = ((gaps / CALIPERS.widths) ** 2).sum(2)
    problems = [table["problem"].to_numpy() for table in (first, second)]
    distance = distance + (problems[0][:, None] != problems[1][None])
    preferred = first["preferred"].to_numpy()
    best = (0, 0, 0.0)
    for order in permutations(range(second.height), first.height):
        chosen = [(i, j) for i, j in enumerate(order) if near[i, j]]
        total = sum(distance[i, j] for i, j in chosen)
        taken = sum(int(preferred[i]) for i, _ in chosen)
        best = min(best, (-len(chosen), -taken, total))
    return -best[0], -best[1], best[2]


@pytest.mark.parametrize("seed", range(12))
def test_pairs_are_those_of_a_search_through_all_assignments(seed):
    rng = np.random.default_rng(seed)
    first, second = random_cases(rng, 6), random_cases(rng, 6)
    first = first.with_columns(preferred=pl.Series(rng.random(6) < seed % 2 / 2))
    found = pairs_of(first, second)
    number, preferred, least = brute_force(first, second)
    assert sum(first["preferred"][row] for row, _ in found) == preferred
    one, two = (
        table[[pair[k] for pair in found]] for k, table in enumerate((first, second))
    )
    total = (((scales(one) - scales(two)) / CALIPERS.widths) ** 2).sum()
    total += (one["problem"] != two["problem"]).sum()
    assert len(found) == number > 0
    assert total == pytest.approx(least)
    assert total <= number * LARGEST_COST


def test_no_case_is_used_twice_and_the_result_is_the_same_again():
    rng = np.random.default_rng(3)
    first, second = random_cases(rng, 300), random_cases(rng, 200)
    found = pairs_of(first, second)
    assert found == pairs_of(first, second)
    for k in (0, 1):
        members = [pair[k] for pair in found]
        assert len(set(members)) == len(members)
    assert len(found) == 200


def test_empty_classes_have_no_pair():
    one = cases((9, 99, 2, "p"))
    none = one.clear()
    assert pairs_of(one, none) == pairs_of(none, one) == pairs_of(none, none) == []


def test_matching_removes_what_place_alone_tells():
    """Controls lie farther from the arrival: position alone tells them before."""
    rng = np.random.default_rng(0)

    def drawn(mean: float, count: int) -> pl.DataFrame:
        since = rng.lognormal(mean, 0.7, count).astype(int)
        rows = zip(since, since + 100, [1] * count, ["p"] * count, strict=True)
        return cases(*rows)

    def auroc(one: pl.DataFrame, two: pl.DataFrame) -> float:
        values = (table["since_arrival"].to_numpy() for table in (one, two))
        above = np.subtract.outer(*values)
        return float((above > 0).mean() + (above == 0).mean() / 2)

    first, second = drawn(2.5, 200), drawn(3.3, 1600)
    before = auroc(second, first)
    found = pair(first, second, Calipers(since_arrival=1.25, depth=2, arrivals=0))
    after = auroc(second[found.second], first[found.first])
    assert before > 0.75
    assert after == pytest.approx(0.5, abs=0.03)
    assert len(found.first) > 150
