"""Means and net changes by hand; how often claims are wrong, and whether they come."""

import numpy as np
import polars as pl
import pytest
from tiny_wrong_samples import row, thought

from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings
from wrong_samples.net_change import Weights, net_change
from wrong_samples.summarise import net_changes, summarise
from wrong_samples.tables import NET, SUMMARY, THOUGHTS, WRONG_SAMPLES

FEW = IntervalSettings(least_problems=2)
HOUSE = IntervalSettings()


def summary_of(rows, s=FEW):
    table = summarise(WRONG_SAMPLES.frame(rows), s)
    return {
        (one["start"], one["place"], one["action"]): one for one in table.to_dicts()
    }


def test_means_by_hand():
    rows = [
        row("resample", "a", False),
        row("resample", "b", False, tokens=10),
        row("resample", "c", True),
        row("steer", "a", True, tokens=60, backtracks=3),
        row("steer", "b", False, tokens=30, closed=False, limited=True, looped=True),
        row("steer", "c", True, tokens=10),
        row("random", "a", False),
        row("random", "b", True),
        row("resample", "a", True, start="right"),
        row("resample", "b", True, start="right"),
        row("wait", "a", False, start="right"),
        row("wait", "b", True, start="right"),
    ]
    found = summary_of(rows)
    steer = found["wrong", "last", "steer"]
    assert (steer["thoughts"], steer["problems"], steer["draws"]) == (3, 3, 3)
    assert steer["changed"] == steer["accuracy"] == pytest.approx(2 / 3)
    assert steer["tokens"] == pytest.approx(100 / 3)
    assert steer["token_rate"] == pytest.approx(100 / 50)
    assert steer["turns"] == pytest.approx(5 / 3)
    assert [steer[key] for key in ("unclosed", "limited", "looped")] == [1, 1, 1]
    assert steer["over_resample"] == pytest.approx(1 / 3)
    assert steer["over_random"] == 0  # on a and b, which have both
    assert steer["over_vote"] is None
    wait = found["right", "last", "wait"]
    assert (wait["changed"], wait["accuracy"]) == (0.5, 0.5)
    assert wait["over_resample"] == -0.5
    random = found["wrong", "last", "random"]
    assert random["over_resample"] == 0.5
    assert random["over_resample_p"] is random["over_resample_holm"] is None
    assert found["wrong", "last", "resample"]["over_resample"] is None


def test_only_tested_actions_are_corrected_within_their_start():
    rows = []
    for k in range(20):
        rows += [row("resample", f"{k}", False), row("wait", f"{k}", k < 12)]
        rows += [row("steer", f"{k}", k < 3), row("random", f"{k}", k < 12)]
        rows += [row("resample", f"{k}", True, start="right")]
        rows += [row("wait", f"{k}", k < 12, start="right")]
    found = summary_of(rows)
    wait, steer = (found["wrong", "last", name] for name in ("wait", "steer"))
    assert wait["over_resample_holm"] == pytest.approx(2 * wait["over_resample_p"])
    assert steer["over_resample_holm"] == pytest.approx(steer["over_resample_p"])
    right = found["right", "last", "wait"]
    assert right["over_resample_holm"] == right["over_resample_p"] < 0.05


def studies(draw, mended, plain, simulations, problems=16, draws=4):
    """Corrected p-values of `steer` over `resample`; problems differ in how hard."""
    values = []
    for _ in range(simulations):
        rows = []
        for k in range(problems):
            hard = draw.beta(0.5, 0.5) - 0.5
            for name, rate in (("steer", mended), ("wait", plain), ("resample", plain)):
                share = np.clip(rate + 0.3 * hard, 0, 1)
                rows += [
                    row(name, f"{k}", bool(draw.random() < share), draw=number)
                    for number in range(draws)
                ]
        found = summary_of(rows, HOUSE)
        one = found["wrong", "last", "steer"]
        values.append((one["over_resample_holm"], one["over_resample"]))
    return values


def test_without_an_effect_mending_is_rarely_claimed():
    found = studies(array_generator(0, 17), 0.3, 0.3, 200)
    claimed = [p <= 0.05 for p, _ in found]
    assert np.mean(claimed) < 0.095  # 5%, three errors of 200 simulations


def test_a_known_effect_is_found():
    found = studies(array_generator(0, 18), 0.6, 0.15, 40)
    assert np.mean([p <= 0.05 and over > 0 for p, over in found]) > 0.9


def test_too_few_problems_give_no_test():
    rows = [row(name, f"{k}", True) for k in range(9) for name in ("resample", "steer")]
    steer = summary_of(rows, HOUSE)["wrong", "last", "steer"]
    assert steer["over_resample_p"] is steer["over_resample_holm"] is None
    assert steer["changed_low"] is None


def test_net_change_by_hand():
    thoughts = THOUGHTS.frame(
        [
            *(thought(f"{k}", False) for k in range(2)),
            thought("x", False, arrivals=0),
            *(thought(f"{k}", True, test=False) for k in range(2, 9)),
            thought("f", False, source="further"),
        ]
    )
    rows = [
        *(row("steer", f"{k}", k == 0) for k in range(4)),
        *(row("steer", f"{k}", k != 5, start="right") for k in range(4, 9)),
        *(row("resample", f"{k}", False) for k in range(4)),
        *(row("resample", f"{k}", True, start="right") for k in range(4, 9)),
    ]
    net = net_changes(WRONG_SAMPLES.frame(rows), thoughts, FEW)
    plain, steer = net.to_dicts()
    assert (steer["wrong_share"], steer["right_share"]) == (0.2, 0.7)
    assert (steer["wrong"], steer["right"], steer["problems"]) == (4, 5, 9)
    assert steer["net"] == pytest.approx(0.2 / 4 - 0.7 / 5)
    assert steer["over_resample"] == pytest.approx(steer["net"])
    assert plain["net"] == 0
    assert plain["over_resample"] is None
    assert steer["over_resample_low"] < steer["over_resample"]
    found = summary_of(rows)
    wrong, right = (found[start, "last", "steer"] for start in ("wrong", "right"))
    for end, sign in (("low", -1), ("high", 1)):
        parts = [
            weight * (one[f"accuracy_{end}"] - one["accuracy"])
            for weight, one in ((0.2, wrong), (0.7, right))
        ]
        expected = steer["net"] + sign * sum(part**2 for part in parts) ** 0.5
        assert steer[f"net_{end}"] == pytest.approx(expected)


def test_right_thoughts_that_none_spoils_leave_the_net_change_open():
    thoughts = THOUGHTS.frame([thought(f"{k}", k > 1) for k in range(20)])
    rows = [row("wait", f"{k}", True) for k in range(12)]
    rows += [row("wait", f"{k}", True, start="right") for k in range(12)]
    (one,) = net_changes(WRONG_SAMPLES.frame(rows), thoughts, HOUSE).to_dicts()
    assert one["net"] == pytest.approx(0.1)
    assert one["net_low"] < 0 < one["net_high"]


@pytest.mark.parametrize("spoiling", [0.03, 0.2])
def test_intervals_of_the_net_change_cover(spoiling):
    draw, weights, hits, n = array_generator(0, 19), Weights(0.2, 0.8), 0, 300
    for _ in range(n):
        mended, spoiled = draw.random((20, 3)) < 0.5, draw.random((20, 3)) < spoiling
        rows = pl.DataFrame(
            {
                "start": ["wrong"] * 60 + ["right"] * 60,
                "problem": [f"w{k // 3}" for k in range(60)]
                + [f"r{k // 3}" for k in range(60)],
                "correct": [*mended.ravel(), *~spoiled.ravel()],
            }
        )
        mean = net_change(rows, weights, HOUSE)
        hits += mean.low <= 0.2 * 0.5 - 0.8 * spoiling <= mean.high
    assert hits / n > 0.92


def test_a_group_that_is_missing_or_small_has_no_net_interval():
    rows = [row("wait", f"{k}", True) for k in range(20)]
    thoughts = THOUGHTS.frame([thought("a", False), thought("b", True)])
    assert net_changes(WRONG_SAMPLES.frame(rows), thoughts, HOUSE).is_empty()
    rows += [row("wait", f"{k}", k > 2, start="right") for k in range(5)]
    (one,) = net_changes(WRONG_SAMPLES.frame(rows), thoughts, HOUSE).to_dicts()
    assert one["net"] == pytest.approx(0.5 - 0.5 * 3 / 5)
    assert one["net_low"] is None


def test_no_continuation_gives_no_row():
    empty = WRONG_SAMPLES.frame([])
    assert summarise(empty, HOUSE).schema == SUMMARY.schema
    assert net_changes(empty, THOUGHTS.frame([]), HOUSE).schema == NET.schema
