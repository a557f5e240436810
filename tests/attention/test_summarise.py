"""Means and ranks of attention, counted by hand."""

import numpy as np
import polars as pl
import pytest
from tiny_attention import MATCHED, study_rows

from attention.summarise import Positions, main, means_by_kind, summarise
from attention.tables import (
    ATTENTION,
    ATTENTION_HEADS,
    ATTENTION_SUMMARY,
)
from doubletake.stats.intervals import IntervalSettings
from matches.tables import MATCHES

INTERVALS = IntervalSettings(least_problems=2)


@pytest.fixture(scope="module")
def tables():
    return summarise(ATTENTION.frame(study_rows()), MATCHED, INTERVALS)


def head(heads, measure, kind, layer, number):
    rows = heads.filter(measure=measure, kind=kind, layer=layer, head=number)
    return rows.row(0, named=True)


def test_means_are_over_positions_and_differences_over_pairs(tables):
    _, heads = tables
    at = head(heads, "dla_backtrack", "backtrack", 1, 0)
    assert (at["mean"], at["n"], at["problems"]) == (2.5, 4, 3)
    control = head(heads, "dla_backtrack", "control", 1, 1)
    assert (control["mean"], control["n"], control["problems"]) == (0.75, 2, 2)
    # 1 - 0 and 3 - 0; two backtracks have no measured control.
    matched = head(heads, "dla_backtrack", "matched", 1, 0)
    assert (matched["mean"], matched["n"], matched["problems"]) == (2.0, 2, 2)
    difference = head(heads, "dla_backtrack", "difference", 1, 0)
    assert difference["mean"] == pytest.approx((1 + 3) / 2)
    assert (difference["n"], difference["problems"]) == (2, 2)
    assert difference["low"] <= difference["mean"] <= difference["high"]
    contrast = head(heads, "dla_difference", "backtrack", 1, 0)
    assert contrast["mean"] == pytest.approx(2.5 - 0.5)


def test_heads_are_ranked_without_and_with_the_mean_of_the_vocabulary(tables):
    _, heads = tables
    raw = head(heads, "dla_backtrack_raw", "backtrack", 1, 0)
    assert raw["mean"] == pytest.approx(2.5 + 0.25)
    leaders = [
        heads.filter(measure=measure, kind="backtrack", layer=1, rank=1)["head"].item()
        for measure in ("dla_backtrack", "dla_backtrack_raw")
    ]
    assert leaders == [0, 1]


def test_controls_without_an_arrival_have_no_share_of_it(tables):
    _, heads = tables
    control = head(heads, "arrival_sentence", "control", 1, 0)
    assert (control["mean"], control["n"]) == (pytest.approx(0.1), 1)
    difference = head(heads, "arrival_sentence", "difference", 1, 1)
    assert (difference["mean"], difference["n"]) == (pytest.approx(0.5), 1)


def test_ratios_are_over_an_even_spread(tables):
    summary, heads = tables
    # The arrival's sentence holds 5 of 20 tokens.
    ratio = head(heads, "arrival_ratio", "backtrack", 1, 1)
    assert ratio["mean"] == pytest.approx(np.mean([0.6, 0.6, 0.3, 0.3]) / 0.25)
    rows = summary.filter(bin="question", kind="backtrack", layer=0)
    means = dict(rows.select("measure", "mean").iter_rows())
    assert means == pytest.approx(
        {"attention": 0.375, "uniform": 0.45, "ratio": 0.375 / 0.45}
    )


def test_an_empty_bin_has_no_ratio(tables):
    summary, _ = tables
    rows = summary.filter(bin="part_3", kind="backtrack", layer=0)
    assert dict(rows.select("measure", "mean").iter_rows()) == {
        "attention": 0.0,
        "uniform": 0.0,
    }


def test_measures_of_the_positions(tables):
    summary, _ = tables
    rows = summary.filter(bin="all", layer=1)
    found = {
        (kind, name): mean
        for kind, name, mean in rows.select("kind", "measure", "mean").iter_rows()
    }
    assert found["backtrack", "depth"] == 19
    assert found["control", "depth"] == 19  # (29 + 9) / 2
    assert found["difference", "depth"] == pytest.approx((-10 + 10) / 2)
    assert found["backtrack", "is_current"] == 0.75


def test_heads_are_ranked_within_measure_and_kind(tables):
    _, heads = tables
    order = heads.filter(measure="arrival_sentence", kind="backtrack").sort("rank")
    assert order["rank"].to_list() == [1, 2, 3, 4]
    # Heads with equal means (both heads of layer 0) are ordered by layer and head.
    assert order.select("layer", "head").rows() == [(1, 0), (1, 1), (0, 0), (0, 1)]
    assert order["mean"].is_sorted(descending=True)


def test_the_order_of_rows_does_not_matter(tables):
    shuffled = ATTENTION.frame(study_rows()).sample(fraction=1, shuffle=True, seed=3)
    for ours, theirs in zip(
        summarise(shuffled, MATCHED, INTERVALS), tables, strict=True
    ):
        a, b = (t.drop("low", "high").sort(pl.all()) for t in (ours, theirs))
        for column in a.columns:
            if column != "mean":
                assert a[column].equals(b[column])
        assert np.allclose(a["mean"].to_numpy(), b["mean"].to_numpy())


def paired(problems: np.ndarray, partners: np.ndarray) -> Positions:
    """Backtracks with problems, followed by their controls with theirs."""
    pairs = np.arange(len(problems))
    return Positions(
        np.repeat(["backtrack", "control"], len(pairs)),
        np.concatenate([problems, partners]),
        pairs,
        pairs + len(pairs),
        problems,
    )


def test_a_pair_with_only_one_value_has_no_difference():
    values = np.array([[1.0], [2.0], [np.nan], [0.5]])
    names = np.array(["a", "b"])
    found = means_by_kind(values, paired(names, names), INTERVALS)
    assert (found["difference"][0].n, found["difference"][0].value) == (1, 1.5)
    assert found["backtrack"][0].value == 1.5


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_intervals_of_paired_differences_cover(effect):
    """Values share a part within their problem; half the controls are from others."""
    rng = np.random.default_rng(7)
    problems, runs = np.repeat(np.arange(30), 3), 500
    partners = np.where(rng.random(90) < 0.5, problems, rng.permutation(problems))
    shared = rng.normal(size=(30, runs))
    noise = rng.normal(size=(180, runs))
    values = np.concatenate([shared[problems] + effect, shared[partners]]) + noise
    means = means_by_kind(values, paired(problems, partners), INTERVALS)["difference"]
    covered = np.mean([mean.low <= effect <= mean.high for mean in means])
    claims = np.mean([mean.low > 0 or mean.high < 0 for mean in means])
    assert 0.91 < covered < 0.99
    assert claims > 0.95 if effect else claims == pytest.approx(1 - covered)


def test_an_empty_table_gives_empty_tables(tmp_path):
    ATTENTION.write(ATTENTION.frame([]), tmp_path / "attention.parquet")
    MATCHES.write(MATCHES.frame([]), tmp_path / "matches.parquet")
    main(
        attention_path=tmp_path / "attention.parquet",
        matches_path=tmp_path / "matches.parquet",
        summary_path=tmp_path / "summary.parquet",
        heads_path=tmp_path / "heads.parquet",
        settings=INTERVALS,
    )
    assert ATTENTION_SUMMARY.read(tmp_path / "summary.parquet").height == 0
    assert ATTENTION_HEADS.read(tmp_path / "heads.parquet").height == 0
