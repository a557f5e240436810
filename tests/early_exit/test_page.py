"""Sentences of the page on early exit: each follows from an interval that can fail."""

import numpy as np
import polars as pl
import pytest
from tiny_report import BIN, EXITS, SETTINGS, SLOPE, Study

from doubletake.page.study_data import StudyData, mean_difference
from doubletake.study.registry import stages
from early_exit.page import confidence_cases, findings, headline, sheets, tiles
from early_exit.page_confidence import calibration_cases
from early_exit.page_slopes import SLOPE_CAVEAT, slope_sentence, slopes
from early_exit.page_stopping import answer
from report.trace_sheets import trace_sheets

IN_HINDSIGHT = "Arrivals are found in hindsight"


def data_of(study: Study) -> StudyData:
    tables = {
        table.name: table.frame(study.rows_of(stage.name, table))
        for stage in stages()
        for table in stage.all_tables
    }
    return StudyData("tiny", "data", tables, study.settings)


def pair_of(every, went_on, **columns):
    """Rows of all steps and of those after which the thought went on, by their ends."""
    row = SLOPE | columns
    ends = [{"slope_low": low, "slope_high": high} for low, high in (every, went_on)]
    return row | ends[0], row | ends[1] | {"which": "went_on", "slope": 0.5}


@pytest.mark.parametrize(
    ("every", "went_on", "words"),
    [
        ((0.125, 0.5), (0.25, 1.0), "logit of the answer rises: "),
        ((0.125, 0.5), (-0.25, 1.0), "is not shown to rise or fall: "),
        ((-0.125, 0.5), (0.25, 1.0), "is not shown to rise or fall: "),
        ((0.0, 0.5), (0.25, 1.0), "is not shown to rise or fall: "),
        ((0.125, 0.5), (-1.0, -0.5), "is not shown to rise or fall: "),
        ((-0.5, -0.125), (-1.0, -0.5), "logit of the answer falls: "),
    ],
)
def test_a_rise_or_fall_is_claimed_only_if_both_intervals_show_it(
    every, went_on, words
):
    sentence = slope_sentence(*pair_of(every, went_on), 0.95)
    assert words in sentence
    assert "mean step is 0.25 logits (95% interval " in sentence
    assert "and 0.5 logits (95% interval " in sentence
    assert "20 steps of 5 thoughts on 4 problems" in sentence
    assert "from its second arrival on" in sentence


@pytest.mark.parametrize("absent", [0, 1])
def test_without_both_intervals_a_rise_is_not_tested(absent):
    ends = [(0.125, 0.5), (0.25, 1.0)]
    ends[absent] = (None, None)
    sentence = slope_sentence(*pair_of(*ends), 0.95)
    assert "is not tested: there are too few cases (5 thoughts, of which 5" in sentence


def test_the_first_step_of_the_log_prob_has_its_own_words():
    pair = pair_of((-0.5, -0.125), (-1, -0.5), measure="whole_logprob", part="first")
    sentence = slope_sentence(*pair, 0.95)
    assert "from its first arrival to its second, the log-prob of the" in sentence
    assert "nats (95% interval \u22120.5 to \u22120.125;" in sentence


def test_slopes_are_among_the_findings_with_their_caveat():
    data = data_of(Study())
    sentence, caveat = slopes(data)
    assert caveat == SLOPE_CAVEAT
    assert {sentence, caveat} <= set(findings(data))


def test_stopping_is_never_claimed_without_the_caveat():
    data = data_of(Study())
    assert "stopping there, chosen in hindsight, would save" in headline(data)
    assert IN_HINDSIGHT in headline(data)
    assert "the value that the thought ends with" in headline(data)
    claims = [text for text in findings(data) if "stopped" in text]
    assert claims
    assert all("hindsight" in text for text in claims)
    saved = [tile for tile in tiles(data) if "after the first arrival" in tile.label]
    assert ["hindsight" in tile.label for tile in saved] == [True]
    notes = [sheet.note for sheet in sheets(data) if "stopped" in sheet.columns[0]]
    notes += [
        sheet.note
        for sheet in trace_sheets(data)
        if any("stopping" in cell for row in sheet.rows for cell in row)
    ]
    assert [IN_HINDSIGHT in note for note in notes] == [True, True]


def test_a_detector_that_knows_the_right_answer_is_another_hindsight():
    study = Study()
    study.settings = SETTINGS | {"events": SETTINGS["events"] | {"detector": "string"}}
    assert "the detector knows the right answer" in headline(data_of(study))


def test_no_stop_is_claimed_of_a_model_that_reads_thoughts():
    study = Study()
    study.settings = {k: v for k, v in SETTINGS.items() if k != "generation"}
    data = data_of(study)
    for text in (headline(data), *findings(data)):
        assert "stopping" not in text
        assert "stopped" not in text


def test_without_an_interval_the_loss_is_not_checked():
    study = Study()
    few = {"intervals": {"confidence": 0.95, "least_problems": 9}}
    study.settings = SETTINGS | few
    data = data_of(study)
    (verdict,) = [text for text in findings(data) if "stopped" in text]
    assert "Not checked with 3 thoughts on 3 problems" in verdict
    assert "not checked: 3 problems" in headline(data)


def test_calibration_is_told_for_exit_0_and_later_exits_apart():
    study = Study()
    start = {"part": "no_thought", "exits": 4, "confidence": 0.5, "accuracy": 0.25}
    study.rows["early_exit/calibration"] = [BIN | start, BIN]
    text = calibration_cases(data_of(study))
    assert "Exit 0: 4 exits" in text
    assert "expected calibration error 0.250; exits from 1 on: 8 exits" in text
    assert "expected calibration error 0.150." in text
    assert "1 answer of 9 did not end within the limit of tokens: left out" in text


def test_a_mean_probability_is_told_with_its_number_of_answers():
    study = Study()
    assert "mean probability of 0.800; stopping" in headline(data_of(study))
    study.rows["early_exit"] = [
        row | {"whole_logprob": None} if row["trace"] == "b/0" else row for row in EXITS
    ]
    data = data_of(study)
    assert "0.900 over the 2 answers that ended" in headline(data)
    assert "1 would be certain; 2 answers" in [tile.base for tile in tiles(data)]
    (listed,) = [text for text in findings(data) if text.startswith("Mean prob")]
    assert "0.900 at the first arrival (n\u00a0=\u00a02)" in listed


def test_answers_that_did_not_end_are_counted():
    (every_exit, _) = sheets(data_of(Study()))
    assert "1 exit gave no number" in every_exit.note
    assert "1 of them had not ended" in every_exit.note
    study = Study()
    study.rows["early_exit"] = [row | {"ended": True} for row in EXITS]
    (every_exit, _) = sheets(data_of(study))
    assert "0 of them had not ended" in every_exit.note
    for cases in (calibration_cases, confidence_cases):
        assert "1 answer of 9 did not end" in cases(data_of(Study()))
        assert "did not end" not in cases(data_of(study))


def simulated_answers(mended: float, spoiled: float, runs: int) -> list[str]:
    """Verdicts over studies of 60 problems with two thoughts each.

    Thoughts on one problem tend to be mended or spoiled together.
    """
    rng = np.random.default_rng(3)
    problems = pl.Series(np.repeat(np.arange(60), 2))
    settings = {"confidence": 0.95, "least_problems": 10}
    verdicts = []
    for _ in range(runs):
        drawn = rng.random((60, 2))
        drawn[rng.random(60) < 0.5, 1] = -1  # as the problem's other thought
        drawn = np.where(drawn < 0, drawn[:, :1], drawn).ravel()
        changes = (drawn < mended).astype(int) - (drawn > 1 - spoiled).astype(int)
        gain = mean_difference(pl.Series(changes), problems, settings)
        verdicts.append(answer(gain))
    return verdicts


@pytest.mark.parametrize("changed", [0.05, 0.2])
def test_where_stopping_changes_nothing_few_studies_claim_that_it_does(changed):
    verdicts = simulated_answers(changed, changed, 500)
    claims = [text for text in verdicts if not text.startswith("No loss")]
    # Nominal: 5%; 500 studies estimate it within 1%.
    assert len(claims) / 500 < 0.08


@pytest.mark.parametrize(
    ("mended", "spoiled", "verdict"),
    [(0.25, 0.02, "Not without loss"), (0.02, 0.25, "It should have")],
)
def test_a_loss_and_a_gain_by_stopping_are_found(mended, spoiled, verdict):
    verdicts = simulated_answers(mended, spoiled, 50)
    assert verdicts.count(verdict) > 45
