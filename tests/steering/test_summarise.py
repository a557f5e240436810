"""Means by hand, bands, and how often the claims on strengths are wrong."""

import math

import numpy as np
import polars as pl
import pytest
from tiny_steering import (
    LOGPROB,
    TOKENS,
    continuation,
    simulated_short,
    thought,
    thoughts_of,
)

from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings
from steering.cell_means import band_rank, cell_means
from steering.strength_tests import slope_rows, trend_row
from steering.summarise import ladder_of, steered_continuations, steered_thoughts
from steering.tables import SHORT, SUMMARY
from steering.thought_means import summary_rows

INTERVALS = IntervalSettings(least_problems=3)
STRENGTHS = (-0.5, -0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.4, 0.5)


def test_means_of_a_cell_by_hand():
    rows = [continuation("none", k, k < 2, ended=k == 0) for k in range(4)]
    worse = {"logprob": -TOKENS * 0.7, "loop": True}
    rows += [continuation("direction", k, k < 3, 0.5, **worse) for k in range(4)]
    none, one = cell_means(SHORT.frame(rows), 0.1, INTERVALS)
    assert (none["turned"], none["turned_shift"], none["ended"]) == (0.5, None, 1)
    assert (one["turned"], one["turned_shift"]) == (0.75, 0.25)
    assert one["turned_shift_low"] < 0.25 < one["turned_shift_high"]
    assert one["probability_shift"] == pytest.approx(0.25 * 0.8)
    assert one["coherence"] == pytest.approx(math.exp(-0.7))
    assert one["kept"] == pytest.approx(math.exp(-0.7 - LOGPROB))
    assert (one["whole"], none["whole"], one["loops"]) == (False, True, 4)
    assert one["wait_share"] == 3 / 32
    assert one["turned_lowest"] is one["turned_band_low"] is None  # no draws


def test_coherence_is_compared_on_the_same_thoughts():
    rows = [continuation("none", 0, 0), continuation("none", 1, 0, logprob=-50.0)]
    rows += [continuation("random", 0, 0, 0.5)]
    _, one = cell_means(SHORT.frame(rows), 0.1, INTERVALS)
    assert one["kept"] == 1


def test_texts_without_a_score_or_a_token_are_left_out_of_coherence():
    rows = [continuation("none", 0, 0)]
    rows += [continuation("random", 0, 0, 0.5, logprob=None, draw=1)]
    rows += [continuation("direction", 0, 0, 0.5, tokens=0, logprob=0.0, words=0)]
    _, random, direction = cell_means(SHORT.frame(rows), 0.1, INTERVALS)
    assert random["coherence"] is random["whole"] is None
    assert direction["coherence"] is direction["wait_share"] is None


@pytest.mark.parametrize(
    ("draws", "rank"), [(5, 0), (38, 0), (39, 1), (40, 1), (79, 2), (100, 2)]
)
def test_a_band_of_95_percent_needs_39_draws(draws, rank):
    assert band_rank(draws, 0.95) == rank


def test_one_more_vector_lies_outside_the_band_as_often_as_it_claims():
    draw = array_generator(0, 4)
    rates = np.sort(draw.random((4000, 40)))
    more = draw.random(4000)
    k = band_rank(40, 0.95)
    outside = (more < rates[:, k - 1]) | (more > rates[:, -k])
    assert outside.mean() == pytest.approx(2 / 41, abs=0.011)  # three errors


def test_draws_that_take_turns_have_no_spread():
    rows = [continuation("none", k, 0) for k in range(4)]
    rows += [continuation("random", k, k == 0, 0.5, draw=k % 2) for k in range(4)]
    turns = cell_means(SHORT.frame(rows), 0.1, INTERVALS)[1]
    assert (turns["draws"], turns["turned_lowest"]) == (2, None)
    rows += [continuation("random", k, 0, 0.5, draw=1 - k % 2) for k in range(4)]
    full = cell_means(SHORT.frame(rows), 0.1, INTERVALS)[1]
    assert (full["turned_lowest"], full["turned_highest"]) == (0, 0.25)
    assert full["turned_band_low"] is None


def claims(outcome, rate, number, simulations=60, **options):
    """Shares of simulations with a claim: by side against random, and of the trend."""
    draw = array_generator(1, number)
    found = {"toward": 0, "away": 0, "trend": 0}
    for _ in range(simulations):
        short = simulated_short(draw, rate, STRENGTHS, **options)
        ladder = ladder_of(short, 0.1, IntervalSettings())
        texts, means = steered_continuations(outcome, short, ladder)
        for row in slope_rows(outcome, short, means, IntervalSettings()):
            found[row["side"]] += row["holm"] <= 0.05
        trend = trend_row(outcome, texts, means, IntervalSettings())
        found["trend"] += trend["p"] <= 0.05
    return {name: count / simulations for name, count in found.items()}


@pytest.mark.parametrize(("outcome", "number"), [("turned", 1), ("probability", 7)])
def test_claims_on_strengths_are_rarely_wrong(outcome, number):
    found = claims(outcome, lambda _: 0.5, number, spread=0.1)
    assert found["toward"] + found["away"] <= 0.15  # 5%, three errors
    assert found["trend"] <= 0.15


@pytest.mark.parametrize(("outcome", "slope"), [("turned", 0.9), ("probability", 0.2)])
def test_claims_on_strengths_find_an_effect(outcome, slope):
    found = claims(outcome, lambda s: 0.5 + slope * s, 2, simulations=15)
    assert found["trend"] > 0.9
    assert min(found["toward"], found["away"]) > 0.7


def test_only_strengths_with_whole_text_are_tested():
    draw = array_generator(0, 5)
    short = simulated_short(
        draw, lambda s: 0.9 if s > 0.35 else 0.3, STRENGTHS, broken=(0.4, 0.5)
    )
    ladder = ladder_of(short, 0.1, IntervalSettings())
    texts, means = steered_continuations("turned", short, ladder)
    trend = trend_row("turned", texts, means, IntervalSettings())
    assert trend["strengths"] == 9
    assert trend["run_to"] is None or trend["run_to"] <= 0.3
    away, toward = slope_rows("turned", short, means, IntervalSettings())
    assert (away["strengths"], toward["strengths"]) == (6, 4)
    broken = short.with_columns(
        logprob=pl.col("logprob") * pl.when(source="direction").then(5).otherwise(1)
    )
    texts, means = steered_continuations(
        "turned", broken, ladder_of(broken, 0.1, IntervalSettings())
    )
    assert trend_row("turned", texts, means, IntervalSettings())["p"] is None
    for row in slope_rows("turned", broken, means, IntervalSettings()):
        assert row["slope"] is row["p"] is None


def test_few_random_vectors_or_problems_make_no_claim():
    draw = array_generator(0, 6)
    for options in ({"vectors": 20}, {"problems": 9}, {"vectors": 0}):
        short = simulated_short(draw, lambda s: 0.5 + s, STRENGTHS, **options)
        ladder = ladder_of(short, 0.1, IntervalSettings())
        _, means = steered_continuations("turned", short, ladder)
        rows = slope_rows("turned", short, means, IntervalSettings())
        assert [row["p"] for row in rows] == [None, None]


def test_whole_thoughts_by_hand():
    rows = [thought(k, 0.0, 2) for k in range(4)]
    rows += [thought(k, 0.5, 2 + k, correct=k > 0, tokens=200) for k in range(4)]
    rows += [thought(k, 1.0, 9, closed=False, limited=True) for k in range(4)]
    rows += [thought(k, 1.5, 2) for k in range(4)]
    none, half, one, last = summary_rows(thoughts_of(rows), 0.1, INTERVALS)
    assert (none["backtracks"], none["backtracks_change"]) == (2, None)
    assert half["backtracks"] == pytest.approx(100 * 14 / 800)
    assert half["backtracks_change"] == pytest.approx(np.mean([1, 1.5, 2, 2.5]) - 2)
    assert (half["tokens_change"], half["accuracy_change"]) == (100, -0.25)
    assert half["accuracy_holm"] >= half["accuracy_p"]
    assert (one["unclosed"], one["limited"], one["broken"]) == (4, 4, 1)
    # All thoughts at 1.0 are open, so 1.5 is not intact, though its own text is.
    assert [row["intact"] for row in (none, half, one, last)] == [
        True,
        True,
        False,
        False,
    ]
    assert last["whole"]
    SUMMARY.frame([none, half, one, last])


def test_lost_coherence_ends_a_side():
    rows = [thought(k, s, 2) for k in range(4) for s in (-0.5, 0.0, 0.5)]
    rows += [thought(k, -0.25, 2, logprob=-70.0) for k in range(4)]
    found = summary_rows(thoughts_of(rows), 0.1, INTERVALS)
    assert [row["intact"] for row in found] == [False, False, True, True]


def test_nothing_gives_no_row():
    short, thoughts = SHORT.frame([]), thoughts_of([])
    ladder = ladder_of(short, 0.1, INTERVALS)
    summary = SUMMARY.frame(summary_rows(thoughts, 0.1, INTERVALS))
    texts, means = steered_continuations("turned", short, ladder)
    assert trend_row("turned", texts, means, INTERVALS) is None
    assert (
        trend_row("backtracks", *steered_thoughts(thoughts, summary), INTERVALS) is None
    )
    assert slope_rows("turned", short, means, INTERVALS) == []
