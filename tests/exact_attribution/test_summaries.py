"""Agreement by step, recall against chance, sizes, and planted causes."""

from itertools import permutations

import numpy as np
import polars as pl
import pytest
from tiny_exact import caused, cell_rows, stepped, studied, truth_of, word_rows

from doubletake.stats.intervals import IntervalSettings
from exact_attribution.cause_ranks import causes_table, chance_of, found_at
from exact_attribution.claims import corrected
from exact_attribution.recall import recall_table, screen_recall, variance_of
from exact_attribution.sizes import sizes_table
from exact_attribution.steps import steps_table
from exact_attribution.tables import EXACT_CELLS, EXACT_EVENTS, EXACT_WORDS

INTERVALS = IntervalSettings()


def test_correlations_are_means_over_backtracks_of_those_of_numpy():
    draw = np.random.default_rng(0)
    exact, estimate = draw.normal(size=(2, 12, 6))
    rows = [row for k in range(12) for row in cell_rows(k, exact[k], estimate[k])]
    table = steps_table(EXACT_CELLS.frame(rows), INTERVALS)
    (row,) = table.filter(layer=2).to_dicts()
    wanted = [np.corrcoef(exact[k], estimate[k])[0, 1] for k in range(12)]
    assert row["pearson"] == pytest.approx(np.mean(wanted))
    assert (row["words"], row["events"], row["problems"]) == (72, 12, 12)
    assert table.filter(pl.col("layer").is_null()).is_empty()  # no sample


def test_a_fall_with_the_step_is_found():
    table = steps_table(
        stepped(np.random.default_rng(1), {0.1: 0.05, 1: 3.0}), INTERVALS
    )
    (fall,) = table.filter(method="difference").to_dicts()
    assert fall["pearson_low"] > 0.3
    (path,) = table.filter(method="integrated").to_dicts()
    assert path["pearson"] == pytest.approx(1)
    small = table.filter(pl.col("step") == 0.1, method="gradient").to_dicts()
    assert [row["layer"] for row in small] == [None]
    assert small[0]["pearson"] > 0.95
    assert table.filter(layer=5)["pearson"].item() < 0.5


def test_no_fall_is_claimed_at_the_nominal_rate():
    draw, claims, runs = np.random.default_rng(2), 0, 120
    for _ in range(runs):
        table = steps_table(stepped(draw, {0.1: 1.0, 1: 1.0}), INTERVALS)
        (row,) = table.filter(method="difference").to_dicts()
        claims += row["pearson_low"] > 0 or row["pearson_high"] < 0
    assert 0 < claims <= 13  # 6 expected


def test_recall_beside_chance():
    words, events = studied(np.random.default_rng(3), 0.0)
    table = recall_table(words, events, INTERVALS)
    for row in table.filter(ranking="estimate").to_dicts():
        assert row["recall"] == pytest.approx(1)
        assert row["chance"] == pytest.approx(row["k"] / 12)
        assert row["events"] == 14


def test_recall_of_a_blind_estimate_is_chance_at_the_nominal_rate():
    draw, claims, runs = np.random.default_rng(4), 0, 120
    for _ in range(runs):
        table = recall_table(*studied(draw, 1e6), INTERVALS)
        (row,) = table.filter(ranking="estimate", k=3).to_dicts()
        claims += row["gain_low"] > 0 or row["gain_high"] < 0
    assert 0 < claims <= 13  # 6 expected


def test_a_good_estimate_is_told_from_chance():
    table = recall_table(*studied(np.random.default_rng(5), 0.3), INTERVALS)
    assert table.filter(ranking="estimate", k=3)["gain_low"].item() > 0


def test_random_words_stand_for_the_words_that_were_not_drawn():
    """4 top words; 2 random ones of 8 others, so each counts four times."""
    sources = ["top", "random", "top", "top", "random", "top"]
    event = [{"source": source, "context_words": 12} for source in sources]
    assert screen_recall(event, 1) == (1.0, 4 / 12)
    assert screen_recall(event, 3) == pytest.approx((1 / 3, 4 / 12))
    assert screen_recall(event, 7) == pytest.approx((3 / 7, 4 / 12))
    assert screen_recall([{"source": "top", "context_words": 1}], 1) is None


def test_the_screen_is_unbiased_where_the_others_are_sampled():
    draw, wanted, found = np.random.default_rng(6), [], []
    for number in range(400):
        exact = draw.normal(size=30)
        estimate = exact + draw.normal(size=30)
        rows = sorted(
            word_rows(number, exact, estimate, top=5), key=lambda row: row["exact_rank"]
        )
        rows = [row | {"context_words": 30} for row in rows]
        wanted.append(sum(row["source"] == "top" for row in rows[:5]) / 5)
        others = [row["word"] for row in rows if row["source"] == "random"]
        drawn = set(draw.choice(others, 12, replace=False))
        sample = [row for row in rows if row["source"] == "top" or row["word"] in drawn]
        found.append(screen_recall(sample, 5)[0])
    assert np.mean(found) == pytest.approx(np.mean(wanted), abs=0.03)
    assert 0.2 < np.mean(wanted) < 0.8


def test_chance_of_a_cause_by_counting_all_orders():
    words, cause, k = 6, 2, 3
    orders = list(permutations(range(words)))
    hits = sum(bool(set(order[:k]) & set(range(cause))) for order in orders)
    assert chance_of(words, cause, k) == pytest.approx(hits / len(orders))
    assert chance_of(2, 1, 3) == 1
    assert chance_of(4, 0, 3) == chance_of(0, 0, 3) == 0


def test_a_cause_that_is_always_first():
    words, events = caused(np.random.default_rng(7), -9.0)
    table = causes_table(words, events, truth_of(14), INTERVALS)
    for cause in ("slip", "all"):
        (row,) = table.filter(cause=cause, ranking="exact", k=3).to_dicts()
        assert (row["hits"], row["events"], row["share"]) == (14, 14, 1)
        assert row["chance"] == pytest.approx(3 / 12)
        assert row["context_chance"] == pytest.approx(3 / 20)
        assert row["over_estimate_low"] > 0
        assert row["unnamed"] == 0
    assert causes_table(words, events, truth_of(0), INTERVALS).is_empty()


def test_a_cause_that_a_ranking_has_no_word_of_is_a_miss_of_it():
    words, events = caused(np.random.default_rng(7), -9.0)
    few = pl.col("is_cause") & (pl.col("problem").cast(pl.Int32) < 5)
    words = words.with_columns(is_ranked=~few)
    table = causes_table(words, events, truth_of(14), INTERVALS)
    exact, estimate, published = (
        table.filter(cause="all", ranking=name, k=3).row(0, named=True)
        for name in ("exact", "estimate", "published")
    )
    assert [row["unnamed"] for row in (exact, estimate, published)] == [0, 0, 5]
    assert {row["events"] for row in (exact, estimate, published)} == {14}
    assert published["hits"] <= estimate["hits"]
    assert published["chance"] == pytest.approx(9 / 14 * 3 / 12)
    # A cause without a measured word is a miss of every ranking.
    none = words.with_columns(is_cause=pl.col("is_cause") & ~few)
    table = causes_table(none, events, truth_of(14), INTERVALS)
    (row,) = table.filter(cause="all", ranking="exact", k=3).to_dicts()
    assert (row["hits"], row["unnamed"], row["events"]) == (9, 5, 14)


def test_a_word_at_two_occurrences_counts_once_with_its_better_rank():
    rows = word_rows(0, np.arange(9.0, 0, -1), np.arange(9.0), cause=(5,))
    rows[0] |= {"word": "w5"}
    rows[1] |= {"word": "w2"}
    event = [row | {"all_words": 30} for row in rows]
    found = found_at(event, "exact", 1)
    assert (found.hit, found.is_named) == (True, True)
    assert found.chance == pytest.approx(1 / 7)
    assert found.context_chance == pytest.approx(1 / 30)


def test_a_cause_without_effect_is_claimed_at_the_nominal_rate():
    draw, claims, runs = np.random.default_rng(8), 0, 120
    for _ in range(runs):
        words, events = caused(draw, 0.0, 30)
        table = causes_table(words, events, truth_of(30), INTERVALS)
        (row,) = table.filter(cause="all", ranking="exact", k=3).to_dicts()
        claims += row["gain_low"] is not None and row["gain_low"] > 0
    assert claims <= 8  # 3 expected


def summaries(words, events, cells, truth):
    return corrected(
        steps_table(cells, INTERVALS),
        recall_table(words, events, INTERVALS),
        causes_table(words, events, truth, INTERVALS),
    )


def test_the_claims_of_the_section_are_corrected_together():
    words, events = caused(np.random.default_rng(7), -9.0)
    cells = stepped(np.random.default_rng(1), {0.1: 0.05, 1: 3.0})
    steps, recall, causes = summaries(words, events, cells, truth_of(14))
    found = [
        *(table.select("p", "p_holm") for table in (steps, recall, causes)),
        causes.select(p="over_estimate_p", p_holm="over_estimate_p_holm"),
    ]
    tested = pl.concat(found).drop_nulls("p_holm").sort("p")
    # The fall and two layers, two recalls, three rankings, and one difference.
    assert tested.height == 9
    assert tested["p_holm"][0] == min(1.0, 9 * tested["p"][0])
    assert recall.filter(pl.col("k") != 3)["p_holm"].drop_nulls().is_empty()
    assert causes.filter(pl.col("cause") != "all")["p_holm"].drop_nulls().is_empty()


def test_studies_without_an_effect_rarely_claim_anything():
    draw, studies, runs = np.random.default_rng(10), 0, 40
    for _ in range(runs):
        words, events = caused(draw, 0.0)
        cells = stepped(draw, {0.1: 1.0, 1: 1.0})
        cells = cells.with_columns(exact=pl.Series(draw.normal(size=cells.height)))
        tables = summaries(words, events, cells, truth_of(14))
        studies += any((table["p_holm"] <= 0.05).any() for table in tables)
    assert studies <= 6  # 2 expected


def test_the_variance_of_a_random_recall_is_that_of_all_orders():
    words, k = 7, 3
    recalls = [
        len(set(order[:k]) & set(range(k))) / k for order in permutations(range(words))
    ]
    assert variance_of(words, k) == pytest.approx(np.var(recalls))
    assert variance_of(3, 3) == 0


def test_sizes_against_the_whole_and_the_spread():
    draw = np.random.default_rng(9)
    words, events = studied(draw, 1.0, 12, top=4)
    tokens = pl.DataFrame({"metric_value": [-1.0, 1.0, -1.0, 1.0]})
    table = sizes_table(words, events, tokens, INTERVALS)
    first = words.filter(exact_rank=1)["exact"]
    (row,) = table.filter(quantity="first").to_dicts()
    assert row["size"] == pytest.approx(first.abs().mean())
    assert row["of_whole"] == pytest.approx(first.abs().mean() / 2.0)
    assert row["of_spread"] == pytest.approx(first.abs().mean() / np.sqrt(4 / 3))
    assert row["negative"] == pytest.approx((first < 0).mean())
    assert row["of_whole_low"] < row["of_whole"] < row["of_whole_high"]
    (other,) = table.filter(quantity="random").to_dicts()
    assert other["size"] < row["size"]


def test_everything_is_empty_without_backtracks():
    cells, words, events = (
        table.frame([]) for table in (EXACT_CELLS, EXACT_WORDS, EXACT_EVENTS)
    )
    assert steps_table(cells, INTERVALS).is_empty()
    assert set(recall_table(words, events, INTERVALS)["events"]) == {0}
    tokens = pl.DataFrame({"metric_value": []}, schema={"metric_value": pl.Float64})
    assert sizes_table(words, events, tokens, INTERVALS)["size"].null_count() == 4
    assert causes_table(words, events, truth_of(0), INTERVALS).is_empty()
