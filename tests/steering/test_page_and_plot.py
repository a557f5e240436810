"""Sentences follow from the tests; empty and small studies say "not checked"."""

import dataclasses

import polars as pl
import pytest
from matplotlib.figure import Figure
from tiny_report import SETTINGS as REPORT
from tiny_steering import continuation, simulated_short, thought, thoughts_of

from doubletake.page.study_data import StudyData
from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings
from steering.choose import choose
from steering.page import SECTION
from steering.plot import draw_accuracy, draw_strengths
from steering.screening_figures import draw_screening, draw_trade
from steering.strength_tests import slope_rows, trend_row
from steering.summarise import ladder_of, steered_continuations, steered_thoughts
from steering.tables import CELLS, SCREENING, SHORT, SLOPES, SUMMARY, TRENDS
from steering.thought_means import summary_rows

INTERVALS = IntervalSettings()
SETTINGS = REPORT | {"intervals": {"confidence": 0.95, "least_problems": 10}}
STRENGTHS = (-0.5, -0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.4, 0.5)
OUTCOMES = ("turned", "probability")


def screened(problems=12):
    """A screening with a direction, controls and a published setting."""
    rows = [continuation("none", k, k % 2) for k in range(problems)]
    for source, setting in (
        ("direction", "grid"),
        ("direction", "published"),
        ("shuffled", "grid"),
        ("random", "grid"),
    ):
        rows += [
            continuation(source, k, k % 3 > 0, strength, setting=setting)
            for k in range(problems)
            for strength in (-0.5, 0.5)
        ]
    rows += [
        continuation("random", k, k % 2, 0.5, draw=1, probability=0.2)
        for k in range(problems)
    ]
    return SCREENING.frame(rows)


def study(short=None, thoughts=None, screening=None, settings=SETTINGS):
    short = SHORT.frame([]) if short is None else short
    thoughts = thoughts_of([] if thoughts is None else thoughts)
    cells = choose(screened() if screening is None else screening, 0.1, INTERVALS)
    ladder = ladder_of(short, 0.1, INTERVALS)
    summary = SUMMARY.frame(summary_rows(thoughts, 0.1, INTERVALS))
    tests = {name: steered_continuations(name, short, ladder) for name in OUTCOMES}
    tests["backtracks"] = steered_thoughts(thoughts, summary)
    trends = [trend_row(name, *parts, INTERVALS) for name, parts in tests.items()]
    slopes = [
        row
        for name in OUTCOMES
        for row in slope_rows(name, short, tests[name][1], INTERVALS)
    ]
    tables = {
        "steering": thoughts,
        "steering/short": short,
        "steering/cells": cells,
        "steering/ladder": ladder,
        "steering/summary": summary,
        "steering/trends": TRENDS.frame([row for row in trends if row]),
        "steering/slopes": SLOPES.frame(slopes),
    }
    return StudyData("tiny", "data", tables, settings)


def simulated(slope, number=1, **options):
    draw = array_generator(2, number)
    return simulated_short(draw, lambda s: 0.5 + slope * s, STRENGTHS, **options)


def thoughts_with(change, problems=12):
    """Whole thoughts whose backtracks, accuracy and text depend on the strength."""
    return [
        thought(k, s, 4 + change * s + k % 3, correct=s < 0.5, tokens=200)
        for k in range(problems)
        for s in (-0.5, -0.25, 0.0, 0.25, 0.5)
    ]


def test_an_effect_on_both_sides_is_claimed():
    data = study(simulated(0.4), thoughts_with(4))
    text = SECTION.headline(data)
    assert text.startswith("Compared with random vectors, steering with the direction")
    assert (
        "lowers (strengths away) and raises (strengths toward) the probability" in text
    )
    assert "40 random vectors of the same norm, 28 problems" in text
    assert "is a turn word rises with the strength: over the 11 strengths" in text
    assert "The mean never falls from −0.50 to 0.50 residual norms (10 steps)." in text
    found = " ".join(SECTION.findings(data))
    assert "lies outside the band of random vectors at 10 of 10 strengths" in found
    assert (
        "Backtracks per 100 tokens of whole thoughts rises with the strength" in found
    )
    assert "Accuracy is lower at 1 of 4 strengths" in found
    assert (
        "stays whole: 0.50 toward (the largest that was decoded) and 0.50 away" in found
    )


def test_no_effect_is_no_claim():
    data = study(simulated(0.0, spread=0.1), thoughts_with(0))
    text = SECTION.headline(data)
    assert "on neither side more than random vectors do" in text
    assert "does not rise or fall with the strength, as far as can be told" in text
    found = " ".join(SECTION.findings(data))
    assert "one more random vector would lie outside at 0.5 on average" in found


def test_an_effect_against_the_sense_is_called_so():
    text = SECTION.headline(study(simulated(-0.4)))
    assert "raises (strengths away, against its sense,)" in text
    assert "falls with the strength" in text


def test_wrapping_up_counts_the_other_way():
    short = simulated(-0.4).with_columns(
        direction=pl.when(pl.col("direction").is_not_null()).then(pl.lit("wrap_up"))
    )
    text = SECTION.headline(study(short))
    assert "with the direction wrap-up lowers (strengths away) and raises" in text
    assert "against its sense" not in text
    assert "turn word rises with the strength" in text


def test_broken_text_ends_the_claim():
    data = study(simulated(0.4, broken=STRENGTHS), thoughts_with(0))
    text = SECTION.headline(data)
    assert "not checked against random vectors" in text
    assert "is not checked (too few strengths with whole text)" in text
    rows = [dict(r, logprob=-180.0) if r["strength"] else r for r in thoughts_with(0)]
    found = " ".join(SECTION.findings(study(simulated(0.4), rows)))
    assert "stays whole: none toward and none away residual norms" in found


@pytest.mark.parametrize("options", [{"problems": 9}, {"vectors": 20}])
def test_few_problems_or_vectors_are_not_checked(options):
    text = SECTION.headline(study(simulated(0.4, **options)))
    assert "not checked against random vectors (" in text


def test_thoughts_without_an_end_are_counted():
    rows = thoughts_with(0)
    rows = [
        dict(r, closed=False, loop=True) if r["strength"] == 0.5 else r for r in rows
    ]
    found = " ".join(SECTION.findings(study(simulated(0.4), rows)))
    assert "0.50: 12 without an end, 12 in a loop." in found
    assert "0.25 toward and 0.50 away (the largest that was decoded)" in found


def test_the_study_of_the_design_says_that_it_confirms_nothing():
    warning = "after three designs without a claim; so this is no confirmation"
    own = SETTINGS | {"dataset": {"source": "resources/pocket/problems.jsonl"}}
    assert warning in SECTION.headline(study(simulated(0.4), settings=own))
    other = SETTINGS | {"dataset": {"source": "others.jsonl"}}
    assert warning not in SECTION.headline(study(simulated(0.4), settings=other))


def test_screening_only_claims_nothing():
    data = study()
    text = SECTION.headline(data)
    assert text.startswith(
        "Screening only: compared with random vectors, the probability"
    )
    assert "nothing is claimed" in text
    found = " ".join(SECTION.findings(data))
    assert "Published settings" in found
    assert "could not be fitted: ward, seal, probe, arrivals and wrap-up." in found


@pytest.mark.parametrize("reader", [False, True])
def test_nothing_screened_is_not_checked(reader):
    settings = dict(SETTINGS)
    if reader:
        del settings["generation"]
    data = study(screening=SCREENING.frame([]), settings=settings)
    assert SECTION.headline(data).startswith("Not checked: no thought on a problem")
    assert SECTION.findings(data) == []
    for cases in SECTION.cases.values():
        assert cases(data)
    only = SCREENING.frame([continuation("none", k, 0) for k in range(3)])
    data = study(screening=only, settings=settings)
    assert "none of the directions could be fitted" in SECTION.headline(data)


def test_a_study_from_a_file_says_who_continues():
    settings = dict(SETTINGS)
    del settings["generation"]
    found = SECTION.findings(study(simulated(0.1), settings=settings))
    assert any("Here the model itself continues them." in text for text in found)


def test_sheets_have_cells_for_all_columns():
    data = study(simulated(0.2), thoughts_with(1))
    sheets = SECTION.sheets(data)
    assert len(sheets) == 4
    for sheet in sheets:
        assert {len(cells) for cells in sheet.rows} == {len(sheet.columns)}
        assert max(sheet.words) < len(sheet.columns)


def test_figures_are_drawn_with_and_without_data():
    few = study(simulated(0.2, problems=4), thoughts_with(1, problems=4))
    empty = study(screening=SCREENING.frame([]))
    full = study(simulated(0.2), thoughts_with(1))
    for data in (full, few, empty, dataclasses.replace(full)):
        tables = data.tables
        ladder, summary = tables["steering/ladder"], tables["steering/summary"]
        cells = CELLS.check(tables["steering/cells"])
        assert isinstance(draw_strengths(ladder, 0.95, 0.1), Figure)
        assert isinstance(draw_accuracy(summary, 0.95), Figure)
        assert isinstance(draw_trade(cells, 0.1), Figure)
        assert isinstance(draw_screening(cells), Figure)
