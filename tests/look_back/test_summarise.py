"""Means of looking back by hand; what is claimed with and without an effect."""

import json

import numpy as np
import polars as pl
import pytest
from tiny_look_back import study_rows, word_rows
from tiny_matches import pair_rows

from attribution.tables import ATTRIBUTION_WORDS
from doubletake.running.digests import SCRIPTS
from doubletake.stats.intervals import IntervalSettings
from look_back.attention_means import heads_table, summary_table, word_means
from look_back.overlap_means import overlap_table
from look_back.summarise import Settings, main
from look_back.tables import (
    LOOK_BACK,
    LOOK_BACK_HEADS,
    LOOK_BACK_LAYERS,
    LOOK_BACK_OVERLAP,
    LOOK_BACK_SUMMARY,
    LOOK_BACK_WORDS,
)
from matches.tables import MATCHES

INTERVALS = IntervalSettings(confidence=0.95, least_problems=3)
REFERENCE = SCRIPTS.parents[1] / "resources/reference/attribution_published.json"
SHARES = {
    ("a/0", 1, "backtrack"): (0.05, 0.02),
    ("b/0", 1, "backtrack"): (0.06, 0.02),
    ("c/0", 1, "backtrack"): (0.04, 0.02),
    ("d/0", 2, "control"): (0.03, 0.02),
    ("e/0", 2, "control"): (0.03, 0.02),
    ("f/0", 2, "control"): (0.02, 0.02),
}
PAIRS = MATCHES.frame(
    pair_rows(
        "backtrack_control",
        [((f"{a}/0", 1, 20), (f"{b}/0", 2, 20)) for a, b in ("ad", "be", "cf")],
    )
)


def row_of(table, **wanted):
    filters = dict(wanted)
    layer = filters.pop("layer", None)
    if "layer" in table.columns:
        is_layer = pl.col("layer").is_null() if layer is None else pl.lit(value=True)
        table = table.filter(is_layer)
        filters |= {} if layer is None else {"layer": layer}
    (row,) = table.filter(**filters).to_dicts()
    return row


def test_means_and_differences_of_differences_by_hand():
    summary = summary_table(*study_rows(SHARES), PAIRS, INTERVALS)
    place = {"baseline": "place"}
    row = row_of(summary, kind="backtrack", quantity="important", **place)
    assert (row["mean"], row["even"]) == (pytest.approx(0.05), pytest.approx(0.01))
    row = row_of(summary, kind="backtrack", quantity="difference", **place)
    assert (row["mean"], row["positions"]) == (pytest.approx(0.03), 3)
    assert row["low"] > 0
    row = row_of(summary, kind="control", quantity="difference", **place)
    assert (row["mean"], row["p"]) == (pytest.approx(0.02 / 3), None)
    # Within pairs: 0.02, 0.03 and 0.02.
    row = row_of(summary, kind="difference", quantity="difference", **place)
    assert row["mean"] == pytest.approx(0.07 / 3)
    # A layer gives half of its attention to the first token.
    row = row_of(summary, kind="backtrack", quantity="matched", layer=1, **place)
    assert (row["mean"], row["p"]) == (pytest.approx(0.02), None)


def test_p_values_are_corrected_for_all_tests_of_the_table():
    summary = summary_table(*study_rows(SHARES), PAIRS, INTERVALS)
    tested = summary.drop_nulls("p")
    assert tested.height == 6  # three baselines, backtracks and pairs
    assert set(tested["kind"]) == {"backtrack", "difference"}
    alone = summary_table(*study_rows(SHARES), MATCHES.frame([]), INTERVALS)
    key = {"kind": "backtrack", "baseline": "place", "quantity": "difference"}
    assert row_of(summary, **key)["p"] > row_of(alone, **key)["p"]


def test_words_without_a_match_are_left_out_on_both_sides():
    looks, words, _ = study_rows({("a/0", 1, "backtrack"): (0.05, 0.02)})
    other = words.with_columns(
        rank=pl.lit(2, pl.Int32),
        share=pl.lit(0.9),
        place_partners=pl.lit(0, pl.Int32),
        place_share=pl.lit(None, pl.Float64),
    )
    both = pl.concat([words, other])
    columns = [("share", f"{b}_share", f"{b}_partners") for b in ("place", "class")]
    means = word_means(looks, both, columns)
    assert means[0, 0].tolist() == pytest.approx([0.05, 0.02])
    assert means[0, 1].tolist() == pytest.approx([(0.05 + 0.9) / 2, 0.02])
    assert np.isnan(word_means(looks, both.clear(), columns)).all()


def test_heads_are_ranked_and_corrected_for_all_heads():
    _, _, layers = study_rows(SHARES)
    heads = heads_table(layers, INTERVALS)
    assert heads["mean"].to_list() == pytest.approx([0.03, 0.03, 0, 0])
    assert heads.select("layer", "head").rows() == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert heads["important"][0] == pytest.approx(0.05)
    assert heads["p"].null_count() == 2  # equal on all problems: no interval
    assert heads_table(layers.clear(), INTERVALS).is_empty()


def test_overlap_against_frequency_alone_is_that_of_attribution():
    """Two top words, of which one follows; of the like other words one of three."""
    listed = [("red", 9, 1, True), ("9", 3, 1, False), ("a", 4, 1, True),
              ("b", 5, 1, False), ("c", 6, 1, False), ("d", 7, 9, True)]  # fmt: skip
    ranked = ATTRIBUTION_WORDS.frame(word_rows("a/0", 1, "backtrack", listed))
    looks, words, _ = study_rows({("a/0", 1, "backtrack"): (0.05, 0.02)})
    none = MATCHES.frame([])
    table = overlap_table(looks, words, ranked, none, 0.41, 2, INTERVALS)
    found = {(r["baseline"], r["quantity"]): r for r in table.to_dicts()}
    assert found["frequency", "important"]["mean"] == pytest.approx(0.5)
    assert found["frequency", "matched"]["mean"] == pytest.approx(1 / 3)
    assert found["frequency", "important"]["published"] == 0.41
    assert found["place", "important"]["published"] is None
    # The one word of `study_rows` follows; its match by place does not.
    assert found["place", "difference"]["mean"] == 1.0
    assert found["class", "difference"]["mean"] == 0.0


def simulated(rng, effect, problems=15):
    """Shares of backtracks and of their controls, whose words differ by an effect."""
    shares, pairs = {}, []
    for k in range(problems):
        for n in range(1 + k % 2):
            common = rng.normal(scale=0.01)
            for trace, kind, own in (("x", "backtrack", effect), ("y", "control", 0)):
                noise = rng.normal(scale=0.01, size=2)
                pair = (0.1 + common + own + noise[0], 0.1 + common + noise[1])
                shares[f"{trace}{k}/0", n, kind] = pair
            pairs.append(((f"x{k}/0", n, 20), (f"y{k}/0", n, 20)))
    return shares, MATCHES.frame(pair_rows("backtrack_control", pairs))


def claims(effect, studies, seed):
    """Shares of the studies that claim a difference, and a difference from controls."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(studies):
        shares, pairs = simulated(rng, effect)
        looks, words, layers = study_rows(shares)
        summary = summary_table(looks, words, layers.clear(), pairs, INTERVALS)
        found.append(
            [
                row_of(summary, kind=kind, baseline="place", quantity="difference")["p"]
                <= 0.05
                for kind in ("backtrack", "difference")
            ]
        )
    return np.mean(found, axis=0)


def test_no_effect_is_rarely_claimed_and_a_known_effect_is_found():
    assert (claims(0.0, 100, 0) <= 0.1).all()
    assert (claims(0.03, 20, 1) >= 0.9).all()


def test_main_writes_tables_of_a_study_and_of_an_empty_one(tmp_path):
    looks, words, layers = study_rows(SHARES)
    ranked = ATTRIBUTION_WORDS.frame([])
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    study = (reference["model"], reference["dataset"])
    for empty in (False, True):
        cut = (lambda table: table.clear()) if empty else (lambda table: table)
        LOOK_BACK.write(cut(looks), tmp_path / "looks")
        LOOK_BACK_WORDS.write(cut(words), tmp_path / "words")
        LOOK_BACK_LAYERS.write(cut(layers), tmp_path / "layers")
        ATTRIBUTION_WORDS.write(ranked, tmp_path / "ranked")
        MATCHES.write(PAIRS, tmp_path / "matches")
        outputs = ("summary", "heads", "overlap")
        inputs = ("looks", "words", "layers", "ranked", "matches")
        main(
            **{f"{name}_path": tmp_path / name for name in (*inputs, *outputs)},
            published_path=REFERENCE,
            study=study,
            settings=Settings(10, INTERVALS),
        )
        tables = (LOOK_BACK_SUMMARY, LOOK_BACK_HEADS, LOOK_BACK_OVERLAP)
        for name, table in zip(outputs, tables, strict=True):
            assert table.read(tmp_path / name).is_empty() == empty
