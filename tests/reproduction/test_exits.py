"""Published claims on early exits, recomputed from small tables."""

import numpy as np
import pytest
from tiny_reproduction import exits_of, run_with

from reproduction import exits
from reproduction.run import NotMeasured


def thoughts(rng, number, *, jump=9.0, arrivals=5):
    """Thoughts with some arrivals: logit and right answer at every exit."""
    found = []
    for _ in range(number):
        before = rng.normal(15, 1)
        later = before + jump + rng.normal(0, 1, size=arrivals)
        right = [False, *(rng.random(arrivals) < 0.9)]
        found.append(list(zip([before, *later], map(bool, right), strict=True)))
    return found


def test_jumps_are_differences_within_thoughts():
    given = thoughts(np.random.default_rng(0), 30)
    run = run_with(**exits_of(given))
    for found, column in ((exits.logit_jump(run), 0), (exits.accuracy_jump(run), 1)):
        steps = [float(one[1][column]) - float(one[0][column]) for one in given]
        assert found.value == pytest.approx(np.mean(steps))
        assert found.low < found.value < found.high
        assert (found.cases, found.problems) == (30, 30)
        assert found.holds is True


def test_a_jump_that_is_none_is_seldom_claimed():
    claims = 0
    for seed in range(120):
        given = thoughts(np.random.default_rng(seed), 12, jump=0.0)
        claims += bool(exits.logit_jump(run_with(**exits_of(given))).holds)
    assert claims / 120 <= 0.025 + 3 * (0.025 * 0.975 / 120) ** 0.5


def test_few_problems_test_nothing():
    found = exits.logit_jump(
        run_with(**exits_of(thoughts(np.random.default_rng(0), 9)))
    )
    assert found.value is not None
    assert found.holds is None


def test_accuracies_are_of_thoughts_with_as_many_arrivals_as_published():
    rng = np.random.default_rng(1)
    inside = [one for n in (4, 9) for one in thoughts(rng, 10, arrivals=n)]
    outside = [one for n in (1, 3, 10) for one in thoughts(rng, 10, arrivals=n)]
    run = run_with(**exits_of([*outside, *inside]))
    later = [right for one in inside for _, right in one[1:]]
    assert exits.accuracy_without_thought(run).value == 0
    assert exits.accuracy_without_thought(run).cases == 20
    found = exits.accuracy_after_arrivals(run)
    assert found.value == pytest.approx(np.mean(later))
    assert (found.cases, found.problems) == (130, 20)
    with pytest.raises(NotMeasured, match="no case"):
        exits.accuracy_without_thought(run_with(**exits_of(outside)))


def slope(which, low, part="later"):
    return {
        **{"measure": "logit", "part": part, "which": which, "steps": 50},
        **{"problems": 40, "slope": low + 0.1, "slope_low": low},
        "slope_high": low + 0.2,
    }


@pytest.mark.parametrize(
    ("every", "went_on", "published", "ours"),
    [
        (0.1, 0.1, True, True),
        (0.1, -0.1, True, False),
        (-0.1, 0.1, False, False),
    ],
)
def test_our_recipe_asks_both_means_the_published_one_asks_one(
    every, went_on, published, ours
):
    rows = [slope("all", every), slope("went_on", went_on)]
    rows += [slope("all", -9.0, "first"), slope("went_on", -9.0, "first")]
    for recipe, holds in ((True, published), (False, ours)):
        run = run_with(published=recipe, early_exit__slopes=rows)
        found = exits.rise_later(run)
        assert found.holds is holds
        assert found.value == pytest.approx(every + 0.1)
        assert exits.rise_to_second(run).holds is False
        assert ("went on" in found.note) is not recipe


def test_a_logit_is_that_of_its_exit_and_group():
    rows = [
        {"arrivals": n, "exit": k, "logit": 10.0 * n + k, "traces": 3, "problems": 3}
        for n in (4, 5)
        for k in range(n + 1)
    ]
    run = run_with(early_exit__summary=rows)
    assert exits.logit(run, 5, 3).value == 53
    with pytest.raises(NotMeasured, match=r"early_exit\.groups has so many"):
        exits.logit(run, 9, 0)
