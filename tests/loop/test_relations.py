"""Pairs of methods: what is claimed without a relation, with one, within a family."""

import numpy as np
import polars as pl
from tiny_loop import INTERVALS, loop_rows

from loop.methods import BY_COLUMN, METHODS
from loop.relations import relations
from loop.tables import LOOP


def claims(loop):
    pairs, planted = relations(loop, INTERVALS)
    return pairs.filter(pl.col("p_holm") <= 0.05), planted.filter(
        pl.col("p_holm") <= 0.05
    )


def test_studies_without_a_relation_rarely_claim_one():
    studies = [claims(loop_rows(30, seed)) for seed in range(25)]
    assert sum(not a.is_empty() or not b.is_empty() for a, b in studies) <= 3


def test_a_known_relation_is_found_and_only_that_one():
    x = np.random.default_rng(7).normal(size=60)
    noise = np.random.default_rng(8).normal(size=60)
    loop = loop_rows(60, probe=x, rate=x + 0.5 * noise, planted=x - 0.5 * noise)
    pairs, planted = claims(loop)
    assert pairs.select("first", "second").rows() == [("rate", "probe")]
    assert pairs["n"].to_list() == pairs["problems"].to_list() == [60]
    found = set(planted.select("method", "target").iter_rows())
    assert ("probe", "probability") in found


def test_a_cause_that_a_method_tells_is_found():
    has = np.arange(60) % 2 == 0
    scores = has * 3.0 + np.random.default_rng(1).normal(size=60)
    _, planted = claims(loop_rows(60, has_cause=has, top_score=scores))
    (row,) = planted.filter(target="cause").to_dicts()
    assert row["method"] == "top_score"
    assert row["value"] > 0.9
    assert row["fewer_problems"] == 30


def test_the_effect_of_the_cause_is_followed_within_its_kind():
    """Slips have large effects and low scores: across the kinds the sign is wrong."""
    slips = np.arange(60) % 2 == 0
    within = np.random.default_rng(3).normal(size=60)
    loop = loop_rows(
        60,
        cause=np.where(slips, "slip", "distractor"),
        twin_effect=within + 20 * slips,
        value_vectors=within - 20 * slips,
    )
    _, planted = claims(loop)
    (row,) = planted.filter(target="twin_effect").to_dicts()
    assert (row["method"], row["statistic"]) == ("value_vectors", "within")
    assert row["value"] == 1.0


def test_nothing_is_claimed_within_a_family():
    x = np.arange(40.0)
    pairs, _ = relations(loop_rows(40, log_odds=x, lens=x), INTERVALS)
    (row,) = pairs.filter(first="log_odds", second="lens").to_dicts()
    assert row["same_family"]
    assert row["rho"] == 1.0
    assert row["p"] is row["p_holm"] is None
    same = pairs.filter("same_family")
    for first, second in same.select("first", "second").iter_rows():
        assert BY_COLUMN[first].family == BY_COLUMN[second].family
    assert pairs.height == len(METHODS) * (len(METHODS) - 1) // 2


def test_holm_counts_all_tests_of_the_figure():
    pairs, planted = relations(loop_rows(40), INTERVALS)
    p = pl.concat([pairs.select("p", "p_holm"), planted.select("p", "p_holm")])
    tested = p.drop_nulls()
    smallest = tested.sort("p").row(0, named=True)
    assert smallest["p_holm"] == min(1.0, smallest["p"] * tested.height)


def test_events_that_a_method_has_not_looked_at_do_not_count():
    x = np.arange(40.0)
    few = [float(k) if k < 12 else None for k in range(40)]
    pairs, _ = relations(loop_rows(40, log_odds=x, exact_support=few), INTERVALS)
    (row,) = pairs.filter(first="log_odds", second="exact_support").to_dicts()
    assert row["n"] == 12
    nine = [value if value is not None and value < 9 else None for value in few]
    pairs, _ = relations(loop_rows(40, log_odds=x, exact_support=nine), INTERVALS)
    (row,) = pairs.filter(first="log_odds", second="exact_support").to_dicts()
    assert row["n"] == 9
    assert row["p"] is row["p_holm"] is row["rho_low"] is None


def test_a_study_without_events_or_without_a_planted_language_has_no_claim():
    pairs, planted = relations(LOOP.frame([]), INTERVALS)
    assert pairs["n"].sum() == 0
    assert planted.is_empty()
    unknown = loop_rows(30).with_columns(
        pl.lit(None, pl.String).alias("cause"),
        pl.lit(None, pl.Boolean).alias("has_cause"),
    )
    assert relations(unknown, INTERVALS)[1].is_empty()
