"""The sentences on looking back follow from the tests; empty tables are named."""

import polars as pl
import pytest
from matplotlib.figure import Figure
from tiny_look_back import study_rows, word_rows
from tiny_matches import pair_rows
from tiny_report import SETTINGS

from attribution.tables import ATTRIBUTION_WORDS
from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from look_back.attention_means import heads_table, summary_table
from look_back.overlap_means import overlap_table
from look_back.page import SECTION
from look_back.plot import draw_baselines, draw_layers, draw_overlap
from matches.tables import MATCHES

INTERVALS = IntervalSettings(**SETTINGS["intervals"])
NOISE = (-1e-4, 0.0, 1e-4, 5e-5)


def study(important, matched=0.02, *, controls=None, problems=4, published=None):
    """Backtracks whose words get these shares, and controls if shares are given."""
    kinds = {"backtrack": important} | ({"control": controls} if controls else {})
    shares = {
        (f"{kind[0]}{k}/0", 1, kind): (share + NOISE[k % 4] * len(kind), matched)
        for kind, share in kinds.items()
        for k in range(problems)
    }
    pairs = [((f"b{k}/0", 1, 20), (f"c{k}/0", 1, 20)) for k in range(problems)]
    rows = pair_rows("backtrack_control", pairs if controls else [])
    matches, names = MATCHES.frame(rows), [key for key in shares]
    listed = [("red", 9, 1, True), ("9", 3, 1, False), ("b", 5, 1, False)]
    ranked = [row for name in names for row in word_rows(*name, listed)]
    looks, words, layers = study_rows(shares)
    some = pl.when(pl.col("problem").str.ends_with("0")).then(0.5).otherwise(0.0)
    words = words.with_columns(place_follows=some, class_follows=some)
    tables = {
        "look_back": looks,
        "look_back/words": words,
        "look_back/layers": layers,
        "look_back/summary": summary_table(looks, words, layers, matches, INTERVALS),
        "look_back/heads": heads_table(layers, INTERVALS),
        "look_back/overlap": overlap_table(
            looks, words, ATTRIBUTION_WORDS.frame(ranked), matches, published, 1,
            INTERVALS,
        ),
    }  # fmt: skip
    return StudyData("tiny", "data", tables, SETTINGS)


def test_the_headline_follows_from_the_tests():
    more = SECTION.headline(study(0.05, controls=0.03))
    assert "give more attention to important words than to words that match" in more
    assert more.endswith("it is larger after backtracks.")
    fewer = SECTION.headline(study(0.01, controls=0.03))
    assert "give less attention to important words" in fewer
    assert "it is smaller after backtracks" in fewer
    same = SECTION.headline(study(0.02, controls=0.02))
    assert "do not give shown more or less attention to important words" in same
    assert "it is not shown to differ" in same
    alone = SECTION.headline(study(0.05))
    assert alone.endswith("; controls were not compared.")
    few = SECTION.headline(study(0.05, controls=0.03, problems=2))
    assert "was not checked" in few
    assert "give more attention" not in few


def test_findings_give_numbers_with_cases_and_what_remains():
    text = " ".join(SECTION.findings(study(0.05, controls=0.03, published=0.41)))
    assert "An important word gets 5.01% of the attention" in text
    assert "matched in place and frequency 2%: +3.01 points" in text
    assert "these would be 1% and 1%" in text
    assert "the first token, which gets 50.0%" in text
    assert "Within pairs, backtrack minus control: +2 points" in text
    assert (
        "so many have a match: 100% in place and frequency, 100% also in class" in text
    )
    assert "head 0 of layer 0 (5.01% against 2%)" in text
    assert "(published: 41%)" in text
    assert "100.0% against 0.0% of words of like frequency at any place" in text
    assert "What remains open: attention shows where a head looks" in text
    few = " ".join(SECTION.findings(study(0.05, problems=2)))
    assert "Single heads were not checked" in few
    assert "not checked: 2 problems" in few
    assert "Backtracks were not compared with controls" in few


def test_an_empty_study_says_why():
    full = study(0.05, controls=0.03)
    empty = StudyData(
        "tiny", "data", {n: t.clear() for n, t in full.tables.items()}, SETTINGS
    )
    assert SECTION.headline(empty).startswith("Not measured: no backtrack was selected")
    assert SECTION.findings(empty) == SECTION.sheets(empty) == []
    assert all(case(empty) for case in SECTION.cases.values())
    for draw, name in FIGURES:
        assert isinstance(draw(empty.tables[f"look_back/{name}"], 0.95), Figure)
    looks = full.tables["look_back"]
    for column, text in (("next_tokens", "no word follows"), ("important", "matches")):
        value = (
            looks[column]
            .clear()
            .extend_constant(0 if column == "next_tokens" else None, looks.height)
        )
        tables = full.tables | {"look_back": looks.with_columns(value.alias(column))}
        data = StudyData("tiny", "data", tables, SETTINGS)
        assert text in SECTION.headline(data)


FIGURES = (
    (draw_layers, "summary"),
    (draw_baselines, "summary"),
    (draw_overlap, "overlap"),
)


@pytest.mark.parametrize(("draw", "name"), FIGURES)
def test_figures_draw_what_has_an_interval(draw, name):
    full = study(0.05, controls=0.03, published=0.41)
    figure = draw(full.tables[f"look_back/{name}"], 0.95)
    assert len(figure.axes) == (3 if draw is draw_layers else 2)
    alone = draw(study(0.05).tables[f"look_back/{name}"], 0.95)
    assert len(alone.axes) == 2
    few = draw(study(0.05, problems=2).tables[f"look_back/{name}"], 0.95)
    assert len(few.axes) == 1
    assert "Not checked" in few.axes[0].texts[0].get_text()


def test_printed_tables_name_kinds_and_matches():
    attention, overlap = SECTION.sheets(study(0.05, controls=0.03))
    assert attention.rows[0][:4] == ("backtracks", "place", "4", "4")
    assert ("backtrack minus control", "again") in {row[:2] for row in attention.rows}
    assert overlap.rows[0][:2] == ("backtracks", "frequency")
    assert all(len(row) == len(overlap.columns) for row in overlap.rows)
