"""Changes by planted cause, by hand and on simulated studies."""

import numpy as np
import polars as pl
import pytest
from tiny_repair import arrivals_of, simulated

from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings
from repair.causes import changes_by_cause
from repair.tables import ARRIVALS, BEGUN, BY_CAUSE, NO_TURN

FEW = IntervalSettings(least_problems=2)
LEVEL, STUDIES = 0.05, 300


def test_changes_of_each_cause_are_counted():
    slips = arrivals_of((["7"], "8"), (["7"], "6"), (["8"], "7"), cause="slip")
    none = arrivals_of((["8"], "8"), cause="none").with_columns(turn=pl.lit(BEGUN))
    no_turn = arrivals_of((["7"], "7"))
    table = changes_by_cause(pl.concat([slips, none, no_turn]), FEW)
    rows = {row["cause"]: row for row in table.to_dicts()}
    assert list(rows) == ["slip", "none", NO_TURN]
    slip = rows["slip"]
    assert (slip["n"], slip["wrong"], slip["begun"]) == (3, 2, 0)
    assert (slip["repair"], slip["damage"], slip["shift"]) == (0.5, 1, 1)
    assert (slip["accuracy"], slip["next_accuracy"]) == pytest.approx((1 / 3, 1 / 3))
    assert (slip["change"], slip["changed"], slip["p"]) == (0, 2, None)
    assert (rows["none"]["begun"], rows["none"]["repair"]) == (1, None)
    assert (rows[NO_TURN]["repair"], rows[NO_TURN]["shift"]) == (0, 0)


def test_nothing_planted_gives_an_empty_table():
    assert changes_by_cause(ARRIVALS.frame([]), FEW).equals(BY_CAUSE.frame([]))


def claims(seed, mended, spoiled, studies):
    """Whether a change is claimed of slips and of turns without a cause: [study, 2]."""
    draw, found = array_generator(seed, 0), []
    for _ in range(studies):
        causes = np.tile(["slip", "none"], 120)
        table = simulated(
            draw, mended, spoiled, arrivals=2, problems=60, samples=2, cause=causes
        )
        rows = changes_by_cause(table, IntervalSettings())
        p = dict(rows.select("cause", "p_holm").iter_rows())
        found.append([(p[cause] or 1) <= LEVEL for cause in ("slip", "none")])
    return np.array(found)


def test_without_an_effect_a_change_after_any_cause_is_rarely_claimed():
    found = claims(3, [0.1, 0.1], [0.1, 0.1], STUDIES)
    error = 3 * np.sqrt(LEVEL * (1 - LEVEL) / STUDIES)
    assert found.any(1).mean() <= LEVEL + error
    assert found.any()


def test_a_change_after_one_cause_is_found():
    found = claims(4, [0.25, 0.05], [0.03, 0.05], 100)
    assert found[:, 0].mean() > 0.9
    assert found[:, 1].mean() <= 0.12


def test_no_turn_is_no_test():
    thoughts = arrivals_of(*[(["7"], "8")] * 8, *[(["8"], "8")] * 4)
    (row,) = changes_by_cause(thoughts, FEW).to_dicts()
    assert (row["cause"], row["p_holm"], row["changed"]) == (NO_TURN, None, 8)
    assert row["p"] < LEVEL
