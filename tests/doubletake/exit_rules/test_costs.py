"""Costs by hand, and claims on simulated studies."""

import numpy as np
import pytest
from tiny_exits import exits, history, random_thoughts, thought_of

from doubletake.exit_rules.costs import (
    Prices,
    accuracy_difference,
    cost_summary,
    matched_share,
    ratio,
    regret,
)
from doubletake.exit_rules.deer import Deer
from doubletake.exit_rules.published import POLICIES, RULES
from doubletake.exit_rules.replay import replay
from doubletake.exit_rules.thresholds import spent_tokens
from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings

SETTINGS = IntervalSettings(least_problems=3)


def study():
    """Stop at token 20 of 100, right and wrong; at no point; at 20 of 40, helped."""
    sure, unsure = {"trial_logprobs": (0.0,) * 3}, {"trial_logprobs": (-9.0,) * 5}
    cases = [("8", "8", 100), ("7", "8", 100), (None, "8", 100), ("8", "7", 40)]
    return [
        thought_of(
            history("cue", unsure, (sure if answer else unsure) | {"answer": answer}),
            tokens=tokens,
            end=end,
            trace=f"{number}",
            problem=f"{number}",
        )
        for number, (answer, end, tokens) in enumerate(cases)
    ]


def test_the_summary_of_costs():
    row = cost_summary(replay(Deer("deer"), study()), SETTINGS, Prices(suffix=4))
    counted = [row[key] for key in ("thoughts", "problems", "stopped", "able")]
    assert counted == [4, 4, 3, 4]
    assert row["kept_rate"] == pytest.approx((20 + 20 + 100 + 20) / 340)
    # trials: 5 and 3 tokens at three thoughts, 5 and 5 where it does not stop
    assert row["total_rate"] == pytest.approx((160 + 3 * 8 + 10) / 340)
    assert (row["trials"], row["trial_tokens"], row["fed_tokens"]) == (8, 34, 32)
    assert (row["accuracy"], row["end_accuracy"], row["change"]) == (0.75, 0.75, 0)
    assert (row["helped"], row["harmed"], row["unchanged"]) == (1, 1, 2)
    assert row["change_low"] < 0 < row["change_high"]
    assert row["kept_rate_low"] < row["kept_rate"] < row["kept_rate_high"]


def test_work_that_is_no_trial():
    thoughts = [exits(["8"] * 3, kind="paragraph")]
    eat = cost_summary(replay(RULES["eat"], thoughts), SETTINGS, Prices(4))
    assert (eat["trials"], eat["entropies"], eat["fed_tokens"]) == (0, 3, 12)
    arrivals = [exits(["8"] * 3, kind="arrival")]
    probed = replay(RULES["correctness_probe"], arrivals)
    row = cost_summary(probed, SETTINGS, Prices(4, probe=0.5))
    assert (row["trial_tokens"], row["probes"], row["probe_work"]) == (0, 3, 1.5)


def test_tokens_that_are_read_to_find_a_stop_are_counted_beside_the_rates():
    points = history("cue", {"cues": 1, "read": 13}, {"cues": 2, "read": 25})
    thoughts = [thought_of(points), thought_of(history("cue", {"cues": 1}))]
    row = cost_summary(replay(RULES["cue_1"], thoughts), SETTINGS, Prices(4))
    assert row["read_ahead"] == 3
    assert row["kept_rate"] == 0.1
    assert replay(RULES["to_the_end"], thoughts).read_ahead.tolist() == [0, 0]


def test_to_the_end_changes_nothing_and_has_no_interval_of_the_change():
    row = cost_summary(replay(RULES["to_the_end"], study()), SETTINGS, Prices(4))
    assert (row["kept_rate"], row["total_rate"], row["change"]) == (1, 1, 0)
    assert (row["change_low"], row["change_high"]) == (None, None)
    assert (row["helped"], row["harmed"]) == (0, 0)


def test_too_few_problems_have_no_interval():
    row = cost_summary(replay(Deer("deer"), study()), IntervalSettings(), Prices(4))
    assert all(v is None for k, v in row.items() if k.endswith(("_low", "_high")))


def test_regret_against_the_oracle():
    deer, oracle = (replay(p, study()) for p in (Deer("deer"), POLICIES["oracle_any"]))
    lost, tokens = regret(deer, oracle, SETTINGS)
    # the oracle is right four times, at tokens 20, 100, 100 and 20
    assert lost.value == 0.25
    assert tokens.value == pytest.approx((194 - 240) / 340)


def test_the_matched_share_has_at_least_the_tokens():
    thoughts = random_thoughts(200, 20, seed=0)
    for name in ("deer", "convergence_3", "thinkbrake", "first_arrival", "to_the_end"):
        stops = replay(POLICIES[name], thoughts)
        share = matched_share(stops)
        assert share.kept.sum() >= min(spent_tokens(stops).sum(), stops.full.sum())
        percent = int(share.name.removeprefix("share_"))
        if percent:
            less = replay(type(POLICIES["share_10"])("", (percent - 1) / 100), thoughts)
            assert less.kept.sum() < spent_tokens(stops).sum()


def test_dearer_than_the_full_thoughts_is_matched_by_those():
    stops = replay(RULES["convergence_10"], [exits([None] * 30, step=1)])
    assert stops.trial_tokens.sum() == 30
    assert (matched_share(stops).point == -1).all()


def test_a_ratio_of_sums():
    names = np.arange(4)
    found = ratio(np.array([1, 2, 3, 4]), np.array([10, 10, 10, 10]), names, SETTINGS)
    assert found.value == 0.25
    assert (found.n, found.clusters) == (4, 4)
    # of four equal wholes it is the mean 0.25, with the t interval: +- 3.18 * 0.0645
    assert found.high - found.value == pytest.approx(3.182 * 0.0645, rel=1e-3)


def claims(effect, seed, studies=500, problems=40):
    """Shares of studies in which a difference in accuracy is claimed: lower, higher."""
    draw = array_generator(seed, 0)
    names = np.repeat(np.arange(problems), 2)
    found = []
    for _ in range(studies):
        base = draw.random(2 * problems) < 0.7
        moved = draw.random(2 * problems) < 0.3
        redrawn = draw.random(2 * problems) < 0.7 + effect
        right = np.where(moved, redrawn, base)
        mean = accuracy_difference(right, base, names, IntervalSettings())
        found.append((mean.high is not None and mean.high < 0, (mean.low or 0) > 0))
    return np.mean(found, axis=0)


def test_a_difference_is_rarely_claimed_without_an_effect_and_found_with_one():
    lower, higher = claims(0.0, seed=0)
    error = 3 * np.sqrt(0.025 * 0.975 / 500)
    assert max(lower, higher) <= 0.025 + error
    lower, higher = claims(-0.6, seed=1)
    assert lower > 0.9
    assert higher == 0


def thoughts_with_probe(draw, knows, problems=40, points=10):
    """Right at point k with chance k / points; the probe knows it or says nothing."""
    chances = np.arange(1, points + 1) / points
    for number in range(problems):
        right = draw.random(points) < chances
        scores = np.where(right, 0.9, 0.1) if knows else draw.random(points)
        knowns = [
            {"answer": "8" if ok else "7", "probe_score": float(score)}
            for ok, score in zip(right, scores, strict=True)
        ]
        arrivals = history("arrival", *knowns)
        yield thought_of(arrivals, tokens=10 * points, problem=f"{number}")


def beats_share(knows, seed, studies):
    """Share of studies in which the probe beats the share of the same cost."""
    draw, found = array_generator(seed, 0), []
    for _ in range(studies):
        thoughts = list(thoughts_with_probe(draw, knows))
        stops = replay(RULES["correctness_probe"], thoughts)
        share = matched_share(stops)
        settings = IntervalSettings()
        mean = accuracy_difference(stops.right, share.right, stops.problems, settings)
        found.append((mean.low or 0) > 0)
    return np.mean(found)


def test_a_share_is_rarely_beaten_without_knowledge_and_nearly_always_with_it():
    assert beats_share(False, seed=0, studies=500) <= 0.025 + 3 * (0.025 / 500) ** 0.5
    assert beats_share(True, seed=1, studies=50) > 0.95
