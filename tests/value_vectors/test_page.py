"""What the page claims of sets with known effects, and of sets without one."""

import numpy as np
import polars as pl
import pytest

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from value_vectors.page import SECTION
from value_vectors.summarise import summarise
from value_vectors.tables import (
    VALUE_VECTOR_ALIGNMENT,
    VALUE_VECTOR_INTERVENTIONS,
    VALUE_VECTOR_SETS,
    VALUE_VECTORS,
)

CONTRAST = "backtrack_control"
PROBLEMS, DRAWS = 40, 160
SETS = [(layer, side) for layer in (3, 4) for side in ("for", "against")]
ALONG = (0.3, -0.3, 0.3, -0.3)


def study(effects, p_holm=1.0, replaceable=10, positions=PROBLEMS, along=ALONG):
    """A study whose listed sets have these mean effects; random sets spread by 0.1.

    `along`: what each listed set writes along the direction.
    """
    rng = np.random.default_rng(0)
    sets, rows = [], []
    for key, effect, part in zip(SETS, effects, along, strict=True):
        means = np.append(effect, rng.normal(0, 0.1, size=DRAWS))
        sets.append(sets_of(key, replaceable, part))
        for k in range(positions):
            columns = {"trace": f"{k}/0", "event": k, "problem": str(k)}
            columns |= {"layer": key[0], "side": key[1], "draw": range(DRAWS + 1)}
            columns |= {"log_odds": float(k % 5)}
            noise = rng.normal(0, 0.05, size=DRAWS + 1)
            columns |= {"log_odds_change": means + noise}
            rows.append(pl.DataFrame(columns, schema=VALUE_VECTOR_INTERVENTIONS.schema))
    table = pl.concat([VALUE_VECTOR_INTERVENTIONS.schema.to_frame(), *rows])
    found, means = summarise(pl.concat(sets), table, CONTRAST, 0, IntervalSettings())
    tables = {
        "value_vectors": VALUE_VECTORS.frame([vector_row(key) for key in SETS]),
        "value_vectors/alignment": alignment(p_holm),
        "value_vectors/effects": found,
        "value_vectors/set_effects": means,
    }
    settings = {
        "value_vectors": {"contrast": CONTRAST, "layers": None},
        "intervals": {"confidence": 0.95, "least_problems": 10},
    }
    return StudyData("m", "d", tables, settings)


def sets_of(key, replaceable, along):
    columns = {"layer": key[0], "side": key[1], "draw": range(DRAWS + 1)}
    columns |= {"vectors": [list(range(10))] * (DRAWS + 1), "replaceable": replaceable}
    columns |= {"written": 5.0, "along": along}
    return pl.DataFrame(columns, schema=VALUE_VECTOR_SETS.schema)


def vector_row(key):
    sign = 1 if key[1] == "for" else -1
    row = dict.fromkeys(VALUE_VECTORS.schema)
    row |= {"layer": key[0], "side": key[1], "rank": 1, "vector": 7, "norm": 1.0}
    row |= {"cosine": 0.3 * sign, "cosine_null": 0.25 * sign, "cosine_limit": 0.31}
    for name in ("at_first", "at_second", "difference"):
        row |= {name: 0.2, f"{name}_low": 0.1, f"{name}_high": 0.3}
    row |= {"pairs": 50, "problems": PROBLEMS}
    return row | {"tokens_for": ["a"], "tokens_against": ["b"]} | ids()


def ids():
    return {"token_ids_for": [1], "token_ids_against": [2]}


def alignment(p_holm):
    rows = []
    for layer, side in SETS:
        row = dict.fromkeys(VALUE_VECTOR_ALIGNMENT.schema, 0.25)
        row |= {"layer": layer, "side": side, "vectors": 10, "directions": DRAWS}
        sign = 1 if side == "for" else -1
        rows.append(row | {"as_large": 9, "cosine": 0.3 * sign, "p_holm": p_holm})
    return VALUE_VECTOR_ALIGNMENT.frame(rows)


def sentence_of(data, layer, side):
    word = {"for": "largest", "against": "smallest"}[side]
    (found,) = (
        text
        for text in SECTION.findings(data)
        if f"of {word} cosine of layer {layer}" in text and "Zeroing" in text
    )
    return found


def test_no_set_is_claimed_where_all_are_like_random_ones():
    data = study([0.02, -0.05, 0.1, 0.03])
    assert "none is told apart" in SECTION.headline(data)
    for layer, side in SETS:
        assert "is not told apart from random sets" in sentence_of(data, layer, side)


def test_a_set_with_an_effect_is_claimed_with_its_null():
    data = study([0.0, 0.0, -1.0, 0.0])
    headline = SECTION.headline(data)
    assert "Zeroing the 10 vectors of largest cosine of layer 4" in headline
    claim = "1 of 4 sets differs from random sets, 1 of them in the direction expected"
    assert claim in headline
    sentence = sentence_of(data, 4, "for")
    assert "the set writes +0.3 along the direction on average" in sentence
    assert (
        "is expected to lower them, and does (corrected p\u00a0=\u00a00.001)"
        in sentence
    )
    assert "Of 160 sets of random vectors that write as much, 0 lie" in sentence
    assert "the set differs from random sets" in sentence


def test_an_effect_of_the_other_sign_is_said_to_be_opposite():
    data = study([0.0, 0.0, 1.0, 0.0])
    assert "0 of them in the direction expected" in SECTION.headline(data)
    sentence = sentence_of(data, 4, "for")
    assert "is expected to lower them, but does the opposite" in sentence


def test_a_set_of_smallest_cosine_that_writes_along_the_direction_should_lower():
    """Units of negative activation write against their value vector."""
    data = study([0.0, 0.0, 0.0, -1.0], along=(-0.2, 0.2, 0.3, 1.77))
    assert "1 of them in the direction expected" in SECTION.headline(data)
    sentence = sentence_of(data, 4, "against")
    assert "writes +1.77 along the direction" in sentence
    assert "is expected to lower them, and does" in sentence
    assert "is expected to raise them" in sentence_of(data, 3, "for")
    (sheet,) = (part for part in SECTION.sheets(data) if part.title == "Zeroed sets")
    cells = [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]
    assert [row["expected"] for row in cells] == ["raise", "lower", "lower", "lower"]
    assert cells[3]["writes along the direction"] == "+1.77"
    assert cells[3]["sign"] == "as expected"
    raised = study([0.0, 0.0, 0.0, 1.0], along=(-0.2, 0.2, 0.3, 1.77))
    assert "0 of them in the direction expected" in SECTION.headline(raised)


def test_nothing_is_expected_of_a_set_that_writes_nothing_along_the_direction():
    data = study([0.0, 0.0, 0.0, -1.0], along=(0.3, -0.3, 0.3, 0.0))
    assert "expected" not in sentence_of(data, 4, "against")
    assert "0 of them in the direction expected" in SECTION.headline(data)


def test_a_small_effect_of_the_other_sign_is_said_too_though_it_is_like_random_ones():
    sentence = sentence_of(study([0.06, 0.0, 0.0, 0.0]), 3, "for")
    assert "does the opposite" in sentence
    assert "is not told apart from random sets" in sentence


def test_an_unclear_sign_is_not_claimed():
    assert "the sign cannot be told" in sentence_of(study([0.0] * 4), 3, "against")
    few = study([0.5] * 4, positions=5)
    few.settings["intervals"]["least_problems"] = 5
    assert "the sign cannot be told" in sentence_of(few, 3, "for")


def test_effects_are_given_relative_to_the_spread_of_the_log_odds():
    data = study([0.0, 0.0, -1.0, 0.0])
    spread = np.std(np.arange(PROBLEMS) % 5, ddof=1)
    row = data.tables["value_vectors/effects"].filter(layer=4, side="for").to_dicts()[0]
    assert row["relative_change"] == pytest.approx(-1 / spread, abs=0.02)
    share = f"{abs(row['relative_change']):.3f} of their standard deviation"
    assert share in sentence_of(data, 4, "for")


def test_vectors_without_a_like_unit_are_named():
    assert "For 3 vectors no other unit writes as much" in sentence_of(
        study([0.0] * 4, replaceable=7), 3, "for"
    )


@pytest.mark.parametrize(
    ("p", "words", "count"),
    [
        (0.124, "not told apart from those of shuffled labels", "0 of 4"),
        (0.01, "more extreme than those of shuffled labels", "4"),
    ],
)
def test_a_cosine_is_claimed_only_beside_shuffled_labels(p, words, count):
    data = study([0.0] * 4, p_holm=p)
    headline = SECTION.headline(data)
    assert f"that of layer 3 vec 7: ['a'], is 0.30: {words} (rank" in headline
    assert f"rank among 160 directions; corrected p\u00a0=\u00a0{p:.3g}" in headline
    assert "given 4 tests; in one test alone, 95% of shuffled labels stay" in headline
    assert "(each pair\u2019s are swapped or kept at random)" in headline
    findings = SECTION.findings(data)
    assert any(text.startswith(f"{count}") for text in findings)
    assert any("holds at most 25.0% of the direction" in text for text in findings)


def test_the_headline_names_the_cosine_that_is_beyond_chance():
    data = study([0.0] * 4)
    rows = data.tables["value_vectors/alignment"].with_columns(
        p_holm=pl.when(layer=4, side="against").then(0.02).otherwise(1.0)
    )
    data.tables["value_vectors/alignment"] = rows
    headline = SECTION.headline(data)
    assert "that of layer 4 vec 7: ['a'], is \u22120.30: more extreme" in headline
    assert "labels stay above" in headline
    assert any(text.startswith("1 of 4 most") for text in SECTION.findings(data))


def test_without_backtracks_the_check_was_not_made():
    data = study([0.0] * 4)
    empty = data.tables["value_vectors/effects"].clear()
    data.tables["value_vectors/effects"] = empty
    assert "The causal check was not made" in SECTION.headline(data)
    assert not any("Zeroing" in text for text in SECTION.findings(data))
    assert SECTION.sheets(data)[0].title == "Cosines beside chance"
