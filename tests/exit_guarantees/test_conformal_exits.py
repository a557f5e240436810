"""The conformal exit on other problems: errors at their rate, by hand and simulated."""

import math

import numpy as np
import pytest
from scipy.stats import binom
from tiny_exits import history, thought_of
from tiny_guarantees import turns_of

from doubletake.exit_rules.conformal import conformal_quantile
from doubletake.exit_rules.published import RULES
from doubletake.exit_rules.splits import GROUPS
from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.conformal_exits import Looks, above_p_value, conformal_rows
from exit_guarantees.tables import CONFORMAL, POINT, PROBLEM

STUDIES, LEVEL = 1000, 0.05
LYNX = RULES["lynx"]


def simulated(seed, count, cases, delta, shift=0.0):
    """P-values of studies whose wrong scores move by `shift` on reported problems."""
    p_values = np.array(
        [above_p_value(k, cases, count, delta) for k in range(cases + 1)]
    )
    scores = array_generator(seed, count).normal(size=(STUDIES, GROUPS, count))
    rank = math.ceil((count + 1) * (1 - delta) - 1e-9)
    q = np.sort(scores, axis=2)[:, [1, 2, 0], rank - 1]  # of the calibration group
    errors = (scores[:, :, :cases] + shift > q[..., None]).sum(2)
    return np.minimum(1, GROUPS * p_values[errors].min(1))


@pytest.mark.parametrize(("count", "delta"), [(9, 0.1), (30, 0.1), (60, 0.3)])
def test_few_studies_claim_too_many_errors_where_the_bound_holds(count, delta):
    p = simulated(1, count, count, delta)
    error = 3 * math.sqrt(LEVEL * (1 - LEVEL) / STUDIES)
    assert np.mean(p <= LEVEL) <= LEVEL + error


def test_the_test_can_claim_and_finds_scores_that_move():
    assert (simulated(1, 60, 60, 0.1) <= LEVEL).any()
    assert np.mean(simulated(2, 60, 60, 0.1, shift=2.0) <= LEVEL) > 0.95


def test_a_binomial_test_would_claim_too_often():
    """Given one calibration, the share of errors differs from delta by chance."""
    rng = array_generator(4, 0)
    claims = []
    for _ in range(STUDIES):
        q = conformal_quantile(rng.normal(size=20), 0.1)
        errors = int((rng.normal(size=300) > q).sum())
        claims.append(binom.sf(errors - 1, 300, 0.1) <= LEVEL)
    assert np.mean(claims) > 0.15


def test_p_values_by_hand():
    # n = 9, delta = 0.1: k = 9, the share above is Beta(1, 9), so its mean is 0.1
    assert above_p_value(1, 1, 9, 0.1) == pytest.approx(0.1)
    assert above_p_value(0, 1, 9, 0.1) == 1
    assert above_p_value(3, 5, 8, 0.1) == 1  # nothing can be certified
    assert above_p_value(0, 0, 9, 0.1) == 1


def thought(number, *looks):
    """A thought with a cue per (score, right)."""
    knowns = [
        {"probe_score": score, "answer": "8" if right else "7"}
        for score, right in looks
    ]
    points = history("cue", *knowns)
    return thought_of(points, trace=f"{number}", problem=f"{number}")


def test_looks_are_at_cues_only():
    mixed = thought(0, (0.4, False), (0.9, True))
    other = thought_of(history("sentence", {"answer": "8"}), problem="b")
    found = Looks.of(LYNX, [mixed, other])
    assert found.p.tolist() == [0.4, 0.9]
    assert found.right.tolist() == [False, True]
    assert found.problem.tolist() == ["0", "0"]
    assert Looks.of(LYNX, [other]).p.size == 0


def rows_of(thoughts, deltas=(0.3,)):
    rows = conformal_rows(LYNX, turns_of(thoughts), deltas, IntervalSettings())
    return CONFORMAL.frame(rows)


def test_rows_by_hand():
    """Each wrong score is 0.1 to 0.4, each right one 0.9: the rule never errs."""
    thoughts = [
        thought(k, (0.1 + 0.01 * (k % 30), False), (0.9, True)) for k in range(60)
    ]
    table = rows_of(thoughts)
    assert table.height == 2 * (GROUPS + 1)
    whole = table.filter(case=PROBLEM).row(-1, named=True)
    assert (whole["group"], whole["certified"]) == (None, 3)
    assert (whole["problems"], whole["with_wrong"]) == (60, 60)
    # The second of two cues is at 20 of 100 tokens, and all stop there.
    assert (whole["stopped_wrong"], whole["error"], whole["p_above"]) == (0, 0, 1)
    assert whole["total_rate"] == pytest.approx(0.2)
    assert whole["change"] == 0
    group = table.filter(case=PROBLEM, group=0).row(0, named=True)
    assert (group["right_cases"], group["wrong_cases"]) == (20, 20)
    assert group["q_right"] == pytest.approx(0.1)
    points = table.filter(case=POINT)
    assert points["p_above"].null_count() == points.height


def test_errors_are_problems_that_are_stopped_at_a_wrong_point():
    """Wrong scores are 0.2 to 0.8, and right ones lower: the probe tells nothing."""
    scores = np.linspace(0.2, 0.8, 60)
    thoughts = [thought(f"w{k}", (p, False)) for k, p in enumerate(scores)]
    thoughts += [thought(f"r{k}", (0.1, True)) for k in range(60)]
    groups = rows_of(thoughts).filter(case=PROBLEM).to_dicts()
    for turn, row in zip(turns_of(thoughts), groups, strict=False):
        p = [one.points[0].probe_score for one in turn.reported if not one.right[1]]
        assert row["with_wrong"] == len(p)
        assert row["stopped_wrong"] == (np.array(p) > row["q_wrong"]).sum()
    whole = groups[-1]
    assert 0.1 < whole["error"] < 0.5
    assert whole["p_above_corrected"] == whole["p_above"]


def test_too_few_wrong_cases_think_to_the_end():
    table = rows_of([thought(k, (0.9, True)) for k in range(12)])
    assert (table["certified"] == 0).all()
    assert (table["total_rate"] == 1).all()
    reasons = table["why_not"].drop_nulls().unique().to_list()
    assert reasons == [
        "Nothing can be certified: think to the end. There are 0 wrong calibration "
        "cases, and 3 are needed."
    ]
    assert table["p_above"].null_count() == table.height
