"""Sentences and figures follow from the tables; small and empty studies say so."""

import polars as pl
import pytest
from matplotlib.figure import Figure
from tiny_guarantees import CONFIDENT, SETTINGS, UNSURE, cue_thought, study_of
from tiny_report import SETTINGS as SECTIONS

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.page import SECTION
from exit_guarantees.page_sheets import PROBE_MISSING
from exit_guarantees.plot import draw_chosen, draw_risk
from exit_guarantees.summarise import summarise
from exit_guarantees.tables import CHOSEN, CONFORMAL, RISKS

INTERVALS = IntervalSettings(**SECTIONS["intervals"])


def data_of(tables, **settings):
    names = ("chosen", "risks", "conformal")
    named = {f"exit_guarantees/{k}": t for k, t in zip(names, tables, strict=True)}
    return StudyData("tiny", "data", named, SECTIONS | settings)


def clear(problems):
    return [
        cue_thought(
            k,
            CONFIDENT if k % 2 else UNSURE,
            right=k % 2 == 1,
            probe=0.9 if k % 2 else 0.001 * k,
        )
        for k in range(problems)
    ]


@pytest.fixture(scope="module")
def whole():
    return summarise(study_of(clear(300)), SETTINGS)


EMPTY = (CHOSEN.frame([]), RISKS.frame([]), CONFORMAL.frame([]))


def test_the_headline_names_the_smallest_risk_at_which_rules_save(whole):
    text = SECTION.headline(data_of(whole))
    assert text.startswith(
        "If at most 5% of all problems may lose their right answer (confidence 90%), "
    )
    assert "rules save tokens on other problems with a certificate." in text
    assert "is shown for none of" in text


def test_a_certificate_on_wrong_thoughts_is_empty():
    wrong = [cue_thought(k, CONFIDENT, right=False, end="7") for k in range(300)]
    data = data_of(summarise(study_of(wrong), SETTINGS))
    text = "no thought ends right, so none can lose its right answer."
    assert SECTION.headline(data) == f"Not checked: {text}"
    assert SECTION.findings(data)[0] == f"Every certificate is empty: {text}"


def test_findings_say_what_is_needed_and_what_is_not_promised(whole):
    text = " ".join(SECTION.findings(data_of(whole)))
    assert "At most 5% of all problems:" in text
    assert "deer 34.0% (interval" in text
    assert "100 in the smallest group" in text
    assert "needs at least 114 for 2%." in text
    assert "p corrected for" in text
    assert "a certificate promises nothing" in text
    assert "A loss that is not shown is no guarantee" in text
    assert "LYNX with whole problems as cases" in text
    assert "reader" not in text


def test_a_broken_promise_is_told(whole):
    chosen, risks, conformal = whole
    broken = risks.with_columns(
        p_above_corrected=pl.when(rule="deer", epsilon=0.05)
        .then(pl.col("p_above_corrected") * 1e-5)
        .otherwise("p_above_corrected")
    )
    assert "is shown for 1 pair of" in SECTION.headline(
        data_of((chosen, broken, conformal))
    )


def test_the_number_of_calibrations_counts_those_without_a_certificate(whole):
    """A calibration may fail; what is bounded is the share of all calibrations."""
    _, risks, _ = whole
    rules = risks["rule"].n_unique()
    text = " ".join(SECTION.findings(data_of(whole)))
    tries = rules * 2 * 3  # 5% and 10%; 2% needs more problems
    assert f"Of {tries} calibrations, up to {tries / 10:.1f} may do so" in text


def test_a_reader_is_named(whole):
    settings = {k: v for k, v in SECTIONS.items() if k != "generation"}
    names = ("chosen", "risks", "conformal")
    tables = {f"exit_guarantees/{k}": t for k, t in zip(names, whole, strict=True)}
    text = " ".join(SECTION.findings(StudyData("tiny", "data", tables, settings)))
    assert "Exits are answered by tiny" in text


def test_nothing_is_claimed_of_few_or_no_thoughts():
    few = data_of(summarise(study_of(clear(30)), SETTINGS))
    text = SECTION.headline(few)
    assert text.startswith("Nothing can be certified: think to the end.")
    assert "10 in the smallest group" in text
    empty = data_of(EMPTY)
    assert SECTION.headline(empty) == "Not checked: no thought has trial points."
    assert SECTION.findings(empty) == []
    assert SECTION.sheets(empty) == []
    assert [cases(empty) for cases in SECTION.cases.values()] == [
        "No problem.",
        "No thought.",
    ]


def test_without_conformal_rows_lynx_is_not_checked(whole):
    data = data_of((*whole[:2], EMPTY[2]))
    assert PROBE_MISSING in SECTION.findings(data)


def test_sheets_have_a_cell_per_column(whole):
    sheets = SECTION.sheets(data_of(whole))
    assert [len(sheet.rows) for sheet in sheets] == [
        whole[1]["group"].null_count(),
        whole[0].height,
        whole[2].height,
    ]
    for sheet in sheets:
        assert {len(row) for row in sheet.rows} == {len(sheet.columns)}
    (row,) = (r for r in sheets[0].rows if r[:2] == ("deer", "2%"))
    assert row[2] == "end, end, end"


def test_figures_are_drawn_with_and_without_data(whole):
    texts = {text.get_text() for text in draw_risk(whole[1], 0.95).findobj(pl_text)}
    assert {"none", "at most 5%", "deer"} < texts
    assert isinstance(draw_chosen(whole[0], 0.95), Figure)
    few = summarise(study_of(clear(6)), SETTINGS)
    for chosen, risks in ((few[0], few[1]), EMPTY[:2]):
        assert isinstance(draw_risk(risks, 0.95), Figure)
        assert isinstance(draw_chosen(chosen, 0.95), Figure)


def pl_text(artist):
    return hasattr(artist, "get_text")
