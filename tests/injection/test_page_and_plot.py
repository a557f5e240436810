"""The sentences follow from the verdicts and intervals; empty tables are said so."""

import polars as pl
import pytest
from matplotlib.figure import Figure
from tiny_injection import free_rows, study_rows
from tiny_report import SETTINGS

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from injection.free_means import free_means
from injection.page import SECTION
from injection.plot import draw_attended, draw_boosted, draw_decay, draw_free
from injection.summarise import attended, summarise
from injection.tables import (
    ALWAYS,
    INJECTION,
    INJECTION_ATTENTION,
    INJECTION_FREE_RUNS,
    INJECTION_TESTS,
    ONCE,
    PROMPT_END,
)
from injection.verdicts import verdict_rows

INTERVALS = IntervalSettings(**SETTINGS["intervals"])
NEAR = (-0.02, 0.02, 0.0, 0.01)
TURNED = [(False, True)] * 9 + [(True, True)]


def around(centre, count=4):
    return [centre + part for part in NEAR[:count]]


def study(share=0.9, boosted=0.9, difference=0.0, count=4, **named):
    """A study of one setting with these means."""
    cases = (around(mean, count) for mean in (share, boosted, difference))
    return with_rows(*study_rows(*cases, draws=3, **named), turned=TURNED[-5 * count :])


def with_rows(injection, attention, turned=()):
    always = injection.filter(factor=1.0).with_columns(mode=pl.lit(ALWAYS))
    both = injection.vstack(always) if injection.height else injection
    runs = free_rows(turned) if turned else INJECTION_FREE_RUNS.frame([])
    decays, summary = summarise(both, INTERVALS)
    tests = verdict_rows(injection, attention, 1.0, INTERVALS)
    tables = {
        "injection": injection,
        "injection/decay": decays,
        "injection/summary": summary,
        "injection/attended": attended(attention, injection, INTERVALS),
        "injection/tests": INJECTION_TESTS.frame(tests),
        "injection/free_runs": runs,
        "injection/free": free_means(runs, INTERVALS),
    }
    return StudyData("tiny", "data", tables, SETTINGS)


EMPTY = with_rows(INJECTION.frame([]), INJECTION_ATTENTION.frame([]))


@pytest.mark.parametrize(
    ("share", "boosted", "words"),
    [
        (0.9, 0.1, "is supported in 1 of 1 setting (most of the change falls on the"),
        (0.9, 0.9, "is refuted in 1 of 1 setting (most of the change falls on the fi"),
        (0.1, 0.1, "is without its premise in 1 of 1 setting (most of the change fal"),
        (0.5, 0.9, "is not told in 1 of 1 setting."),
    ],
)
def test_the_headline_is_the_verdict(share, boosted, words):
    text = SECTION.headline(study(share, boosted))
    assert text.startswith("At arrivals the published presumption")
    assert words in text


def test_too_few_problems_and_no_context_are_not_checked():
    few = SECTION.headline(study(count=2))
    assert few == "Not checked: 2 problems are too few for an interval."
    assert SECTION.headline(EMPTY).startswith("Not checked: there is no direction")
    assert SECTION.findings(EMPTY) == SECTION.sheets(EMPTY) == []
    for cases in SECTION.cases.values():
        assert cases(EMPTY)


def test_findings_give_shares_attention_and_runs():
    text = " ".join(SECTION.findings(study(0.9, 0.9, difference=-0.1)))
    assert "so 90.3% of the change falls on the first token (95% interval" in text
    assert "attention to the injected token is lower in 1 of 1 setting" in text
    assert "more than 95% of 3 random vectors" in text
    assert "turns back in the next sentence is higher in 1 of 1 setting" in text
    alike = " ".join(SECTION.findings(study(difference=0.0)))
    assert (
        "attention to the injected token is not told apart in 1 of 1 setting" in alike
    )


def test_the_end_of_the_prompt_has_its_own_sentence():
    parts = [
        study_rows(around(0.1), around(0.1), around(0.0)),
        study_rows(around(0.9), around(0.9), around(0.0), place=PROMPT_END),
    ]
    both = with_rows(*(one.vstack(other) for one, other in zip(*parts, strict=True)))
    assert "without its premise in 1 of 1 setting" in SECTION.headline(both)
    (text,) = (
        one for one in SECTION.findings(both) if "last token of the prompt" in one
    )
    assert "the presumption is refuted in 1 of 1 setting" in text


def test_sheets_have_a_cell_for_every_column():
    sheets = SECTION.sheets(study())
    assert len(sheets) == 3
    for sheet in sheets:
        assert sheet.rows
        assert {len(row) for row in sheet.rows} == {len(sheet.columns)}


@pytest.mark.parametrize("data", [study(), study(count=2), EMPTY])
def test_figures_are_drawn_with_and_without_data(data):
    tables = data.tables
    for figure in (
        draw_decay(tables["injection/decay"], 1.0, 0.95),
        draw_attended(tables["injection/attended"], 0.95),
        draw_boosted(tables["injection/summary"], 1.0, 0.95),
        draw_free(tables["injection/free"], 0.95),
    ):
        assert isinstance(figure, Figure)


def test_free_runs_name_what_differs():
    data = study()
    assert data.tables["injection/free"]["mode"].to_list() == [ONCE]
    assert "20 runs" in SECTION.cases["free"](data)
