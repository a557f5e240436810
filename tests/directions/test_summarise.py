"""Shares of ordered pairs and their tests."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from directions.pair_order import ordered
from directions.summarise import held_out, main
from directions.tables import (
    DIRECTION_HELD_OUT,
    DIRECTION_PAIRS,
)
from doubletake.stats.intervals import IntervalSettings

INTERVALS = IntervalSettings()


def pairs_with(shares, *, names=("ward",), problems=30, each=4, seed=0, fit=0.5):
    """Pairs of test problems in order with these shares at boundaries 1, 2, ..."""
    rng = np.random.default_rng(seed)
    rows = []
    for name in names:
        for boundary, share in enumerate(shares, 1):
            for part in ("fit", "test"):
                p = share if part == "test" else fit * boundary / len(shares)
                rows += [
                    {
                        "direction": name,
                        "boundary": boundary,
                        "part": part,
                        "pair": pair,
                        "problem": f"p{pair // each}",
                        "ordered": float(rng.random() < p),
                        "shuffled": 0.5 if part == "test" else None,
                    }
                    for pair in range(problems * each)
                ]
    return DIRECTION_PAIRS.frame(rows)


def test_pairs_in_order() -> None:
    """The member of the first class must lie higher; ties count half."""
    cases = pl.DataFrame(
        {
            "pair": [7, 3, 3, 7, 5, 5],
            "label": [True, False, True, False, True, False],
        }
    )
    scores = np.array([2.0, 1.0, 0.5, 1.0, 4.0, 4.0])
    assert ordered(scores, cases).tolist() == [0.0, 0.5, 1.0]
    assert ordered(-scores[None], cases).tolist() == [[1.0, 0.5, 0.0]]


def test_the_boundary_is_chosen_on_the_fit_problems() -> None:
    """The best boundary of the test problems is not looked for."""
    table = held_out(pairs_with([0.95, 0.5, 0.6]), INTERVALS)
    assert table.filter("chosen")["boundary"].to_list() == [3]
    assert table.filter(~pl.col("chosen"))["p"].null_count() == 2
    row = table.filter("chosen").to_dicts()[0]
    assert (row["pairs"], row["problems"]) == (120, 30)
    assert row["low"] < row["ordered"] < row["high"]


def test_the_embedding_is_not_chosen() -> None:
    """Boundary 0 holds the token alone; pairs agree in its class."""
    pairs = pairs_with([0.6, 0.6], fit=0.9).with_columns(
        boundary=1 - (pl.col("boundary") - 1)
    )
    zero = pairs.filter(pl.col("part") == "fit").group_by("boundary")
    shares = dict(zero.agg(pl.col("ordered").mean()).iter_rows())
    higher = pairs.with_columns(
        ordered=pl.when(boundary=0, part="fit").then(1.0).otherwise("ordered")
    )
    assert set(shares) == {0, 1}
    table = held_out(DIRECTION_PAIRS.check(higher), INTERVALS)
    assert table.filter("chosen")["boundary"].to_list() == [1]


def test_p_values_are_corrected_for_the_number_of_directions() -> None:
    """One direction among four has four times its p-value."""
    alone = held_out(pairs_with([0.62]), INTERVALS).filter("chosen")["p"][0]
    pairs = pl.concat(
        [
            pairs_with([0.62]),
            pairs_with([0.5], names=("a", "b", "c"), seed=5),
        ]
    )
    among = held_out(pairs, INTERVALS).filter(direction="ward", chosen=True)["p"][0]
    assert among == pytest.approx(4 * alone, rel=1e-9)


def test_beyond_shuffled_labels() -> None:
    """The difference within pairs, with an interval over problems."""
    pairs = pairs_with([0.7]).with_columns(
        shuffled=pl.when(part="test").then(0.25 + pl.col("pair") % 2 / 2)
    )
    row = held_out(DIRECTION_PAIRS.check(pairs), INTERVALS).to_dicts()[0]
    assert row["shuffled"] == 0.5
    assert row["beyond"] == pytest.approx(row["ordered"] - 0.5)
    assert row["beyond_low"] < row["beyond"] < row["beyond_high"]


@pytest.mark.parametrize(
    ("share", "low", "high"), [(0.5, 0.0, 0.11), (0.7, 0.95, 1.0), (0.3, 0.95, 1.0)]
)
def test_claims_come_at_the_nominal_rate(share: float, low: float, high: float) -> None:
    """Without an effect at most 5% of studies claim one; a known effect is found."""
    claims = []
    for seed in range(100):
        table = held_out(pairs_with([share], seed=seed), INTERVALS)
        claims.append(table["p"][0] <= 0.05)
    assert low <= np.mean(claims) <= high


def test_few_problems_are_not_tested() -> None:
    """Below the least number of problems there is neither interval nor p-value."""
    row = held_out(pairs_with([0.9], problems=9), INTERVALS).to_dicts()[0]
    assert (row["low"], row["p"]) == (None, None)
    assert held_out(DIRECTION_PAIRS.frame([]), INTERVALS).is_empty()


def test_files(tmp_path: Path) -> None:
    """The script reads its input and writes the table, also without a pair."""
    DIRECTION_PAIRS.write(DIRECTION_PAIRS.frame([]), tmp_path / "pairs.parquet")
    main(
        pairs_path=tmp_path / "pairs.parquet",
        held_out_path=tmp_path / "held_out.parquet",
        intervals=INTERVALS,
    )
    assert DIRECTION_HELD_OUT.read(tmp_path / "held_out.parquet").is_empty()
