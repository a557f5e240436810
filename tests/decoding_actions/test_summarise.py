"""Means by hand; how often the page's verdicts are wrong, and whether they find one."""

import numpy as np
import pytest

from decoding_actions.page import side
from decoding_actions.summarise import summarise
from decoding_actions.tables import DECODING_ACTIONS
from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings, cluster_ends

INTERVALS = IntervalSettings(least_problems=3)


def row(action, problem, right, whole, total, full=100, **changes):
    values = {
        "action": action,
        "trace": f"{problem}/0",
        "problem": problem,
        "applied": True,
        "tokens": total,
        "trials": 0,
        "trial_tokens": 0,
        "total": total,
        "closed": True,
        "answer": "8",
        "correct": right,
        "backtracks": 1,
        "forbidden": 0,
        "spelled": 0,
        "shared": 3,
        "same": False,
        "whole_tokens": full,
        "whole_correct": whole,
        "whole_backtracks": 3,
        "whole_forbidden": 2,
        "text": "x",
    }
    return values | changes


def test_means_by_hand():
    table = DECODING_ACTIONS.frame(
        [
            row("nowait", "a", True, True, 50),
            row("nowait", "b", False, True, 40, 200, closed=False, backtracks=0),
            row("nowait", "c", True, False, 110, same=True, applied=False),
            row("control", "a", True, True, 90),
            row("control", "b", True, True, 190, 200),
            row("control", "c", False, False, 100),
            row("cgrs", "a", True, True, 70, tokens=60, trials=2, trial_tokens=10),
        ]
    )
    nowait, control, cgrs = summarise(table, INTERVALS).to_dicts()
    counted = ("helped", "harmed", "unchanged", "same", "unclosed", "applied")
    assert [nowait[name] for name in counted] == [1, 1, 1, 1, 1, 2]
    assert nowait["total_rate"] == nowait["kept_rate"] == 200 / 400
    assert (nowait["accuracy"], nowait["change"]) == (pytest.approx(2 / 3), 0)
    assert nowait["backtracks"] == pytest.approx(2 / 3)
    assert nowait["backtracks_change"] == pytest.approx(-7 / 3)
    assert nowait["over_control"] == pytest.approx((0 - 1 + 1) / 3)
    assert nowait["tokens_over_control"] == pytest.approx((-40 - 150 + 10) / 400)
    assert nowait["over_control_low"] < 0 < nowait["over_control_high"]
    assert control["over_control"] is None
    assert (cgrs["total_rate"], cgrs["kept_rate"], cgrs["trials"]) == (0.7, 0.6, 2)
    assert cgrs["change_low"] is None  # one problem


def test_no_thought_gives_no_row():
    assert summarise(DECODING_ACTIONS.frame([]), INTERVALS).is_empty()


def verdicts(sums, counts):
    """Share of simulations that call the column higher, and lower."""
    low, high = cluster_ends(sums, counts, IntervalSettings())
    rows = [
        {"x_low": None, "x_high": None}
        if np.isnan(a)
        else {"x_low": float(a), "x_high": float(b)}
        for a, b in zip(low, high, strict=True)
    ]
    said = [side(one, "x", "higher") for one in rows]
    return said.count("higher") / len(said), said.count("lower") / len(said)


def flips(draw, problems, harmed, helped, simulations=500):
    """Paired changes of verdicts [problem, simulation]: -1, 0 or 1."""
    uniform = draw.random((problems, simulations))
    return np.where(uniform < harmed, -1.0, np.where(uniform > 1 - helped, 1.0, 0.0))


def test_verdicts_on_accuracy_are_rarely_wrong_and_find_an_effect():
    draw = array_generator(0, 1)
    equal = flips(draw, 40, 0.15, 0.15)
    higher, lower = verdicts(equal, np.ones_like(equal))
    assert 0.01 < higher + lower < 0.085  # 5%, three errors of 500 simulations
    worse = flips(draw, 40, 0.4, 0.05)
    higher, lower = verdicts(worse, np.ones_like(worse))
    assert lower > 0.9
    assert higher == 0


def test_verdicts_on_length_are_rarely_wrong_and_find_an_effect():
    draw = array_generator(0, 2)
    full = draw.gamma(4, 30, (40, 500))
    equal = full * (draw.gamma(4, 0.25, full.shape) - 1)  # mean 0
    higher, lower = verdicts(equal, full)
    assert 0.01 < higher + lower < 0.095
    shorter = full * (draw.gamma(4, 0.25 * 0.6, full.shape) - 1)
    assert verdicts(shorter, full)[1] > 0.95


def test_a_difference_to_the_control_uses_thoughts_with_both():
    rows = [row("nowait", name, True, True, 50) for name in "abcd"]
    rows += [row("control", name, False, True, 50) for name in "abc"]
    nowait = summarise(DECODING_ACTIONS.frame(rows), INTERVALS).row(0, named=True)
    assert nowait["over_control"] == 1
    alone = DECODING_ACTIONS.frame(rows[:4])
    assert summarise(alone, INTERVALS)["over_control"].to_list() == [None]
