"""Sentences follow from the tests; studies without draws are not measured."""

import copy

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from tiny_report import SETTINGS
from tiny_resampling import boundary, sentence, sentences, simulated

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from doubletake.tables.verification import verification_of
from resampling.kind_means import importance_table
from resampling.page import SECTION
from resampling.plot import draw_importance, draw_prediction, draw_stability
from resampling.prediction import prediction_table
from resampling.stability import stability_table, summary_table
from resampling.tables import RESAMPLING
from resampling.verification_figures import Checks

INTERVALS = IntervalSettings()
CONFIG = {**SETTINGS, "intervals": {"confidence": 0.95, "least_problems": 10}}


def study(boundaries, importance=(), checks=None, settings=CONFIG):
    is_table = hasattr(boundaries, "height")
    table = boundaries if is_table else RESAMPLING.frame(boundaries)
    known = sentences(list(importance))
    figures = (checks or Checks()).figures("float32")
    tables = {
        "traces": thoughts(),
        "resampling": table,
        "resampling/sentences": known,
        "resampling/summary": summary_table(table, 0.8, INTERVALS),
        "resampling/stability": stability_table(table),
        "resampling/prediction": prediction_table(table, INTERVALS, 0),
        "resampling/importance": importance_table(known, INTERVALS),
        "resampling/verification": verification_of("resampling", figures),
    }
    return StudyData("tiny", "data", tables, settings)


def thoughts():
    """30 thoughts, of which the last does not end; every fourth one ends right."""
    return pl.DataFrame(
        {
            "trace": [f"{k}/0" for k in range(30)],
            "thought_end": [*range(29), None],
            "correct": [k % 4 == 0 for k in range(30)],
        }
    )


def text_of(data):
    return " ".join(SECTION.findings(data))


def backtracks(turns):
    return [boundary(k, "backtrack", n) for k, n in enumerate(turns)]


@pytest.fixture(scope="module")
def predicted():
    return study(simulated(np.random.default_rng(0), 60, 0.8))


def test_stability_is_told_beside_the_published_number():
    data = study(backtracks([5] * 9 + [9] * 3))
    assert "75.0% are unstable (interval " in SECTION.headline(data)
    assert "60.0% of the new thoughts do as" in SECTION.headline(data)
    text = text_of(data)
    assert "fewer than 80% of the draws" in text
    assert "93.3% of keyword boundaries are unstable with 10 draws" in text
    assert "Here 75.0% of 12 backtracks are." in text
    assert "at 100.0% of the backtracks. This share grows with the number" in text
    assert "with a chance of 40.0%" in text
    assert SECTION.tiles(data)[0].value == "75%"


def test_prediction_is_claimed_by_its_test(predicted):
    among = "Among boundaries of one kind, prediction of this rate is"
    both = "the probability mass of the backtrack words and the study’s matched probe."
    assert f"{among} shown for {both}" in SECTION.headline(predicted)
    text = text_of(predicted)
    assert "detects where the study’s thoughts turned with an AUROC of" in text
    assert "prediction shown); without the noise of the draws" in text
    none = study(simulated(np.random.default_rng(1), 60, 0.0))
    assert f"{among} not shown for {both}" in SECTION.headline(none)
    few = study(simulated(np.random.default_rng(2), 8, 0.5))
    assert f"{among} not checked for {both}" in SECTION.headline(few)


def test_the_choice_of_backtracks_is_told(predicted):
    assert "turns.predicted_only keeps only backtracks" in text_of(predicted)
    settings = copy.deepcopy(CONFIG)
    settings["turns"] = {**settings["turns"], "predicted_only": False}
    other = study(backtracks([5] * 12), settings=settings)
    assert "predicted_only" not in text_of(other)


def test_planted_rates_stand_beside_those_of_the_draws():
    rows = [boundary(k, "backtrack", 6, planted=0.62) for k in range(12)]
    rows += [boundary(k, "control", 0) for k in range(20, 30)]
    text = text_of(study(rows))
    assert "At 12 boundaries of the planted language draws turn back with a" in text
    assert "mean rate of 60.0%; planted is 62.0%." in text


def test_the_planted_probability_is_no_limit_of_the_scores():
    shares = [0.2 + 0.05 * k for k in range(12)]
    rows = [
        boundary(k, "backtrack", k % 11, mass=k % 11 / 11, planted=share)
        for k, share in enumerate(shares)
    ]
    rows += [boundary(k, "control", 0, mass=0.0) for k in range(20, 30)]
    data = study(rows)
    table = data.tables["resampling/prediction"].filter(part="all")
    found = {row["score"]: row for row in table.to_dicts()}
    assert found["mass"]["spearman"] > found["planted"]["spearman"]
    text = text_of(data)
    value = f"{found['planted']['spearman']:.2f}"
    assert (
        f"planted probability has a rank correlation of {value} with the rate" in text
    )
    assert "; it is known at 12 of 22 boundaries). The model need not turn" in text
    assert "no score" not in text


def importance_rows(effect):
    rng = np.random.default_rng(3)
    rows = []
    for k in range(20):
        for number, kind in enumerate(("other", "arrival", "backtrack")):
            after = 0.5 + (effect if kind == "backtrack" else 0)
            after += 0.25 * float(rng.integers(-1, 2))
            rows.append(sentence(k, number, kind, 0.5, after, cause=number == 0))
    return rows


def test_importance_is_told_with_its_signs_and_tests():
    text = text_of(study(backtracks([5] * 12), importance_rows(0.5)))
    n = CONFIG["resampling"]["anchor_samples"]
    assert f"60 sentences of 20 thoughts, with {n} rollouts from before and" in text
    assert "(here 15 of 20; of all finished thoughts 72.4% end wrong)" in text
    assert "; thoughts that hold a planted cause come first. So the means" in text
    assert "counterfactual importance has the opposite sign, as published." in text
    assert "resampling importance is higher in sentences that turn back than in" in text
    assert "counterfactual importance is lower in sentences that turn back" in text
    assert "with a cosine of weighted word counts below 0.80 (240 rollouts)" in text
    none = text_of(study(backtracks([5] * 12), importance_rows(0.0)))
    assert "is told from others (corrected" in none
    few = text_of(study(backtracks([5] * 12), importance_rows(0.5)[:9]))
    assert "No kind of sentence is compared with others." in few
    nothing = text_of(study(backtracks([5] * 12)))
    assert (
        "The importance of sentences is not measured: there is no rollout." in nothing
    )


def test_unfinished_sentences_and_other_verdicts_are_counted():
    rows = backtracks([5] * 12)
    rows[0]["unfinished"] = 3
    data = study(rows, checks=Checks(verdicts=[True, False, False, False]))
    text = text_of(data)
    assert "In 3 of 120 draws the next sentence does not end within 16 tokens" in text
    assert "In 25.0% of 4 rollouts the detector says otherwise" in text


def test_a_study_without_draws_is_not_measured():
    empty = study([])
    assert SECTION.headline(empty).startswith("Not measured: the study has no selected")
    assert SECTION.findings(empty) == SECTION.tiles(empty) == []
    assert SECTION.sheets(empty) == []
    settings = {k: v for k, v in CONFIG.items() if k != "generation"}
    rows = [boundary(k, "backtrack", 0, 0, mass=0.1 * (k % 7)) for k in range(12)]
    rows += [boundary(k, "control", 0, 0, mass=0.05 * (k % 7)) for k in range(20, 32)]
    read = study(rows, settings=settings)
    assert SECTION.headline(read) == (
        "Not measured: the thoughts come from a file and were not written again."
    )
    assert "detects where the study’s thoughts turned with an AUROC of" in text_of(read)


def test_sheets_and_cases_hold_all_rows(predicted):
    data = study(predicted.tables["resampling"], importance_rows(0.5))
    stability, prediction, importance = SECTION.sheets(data)
    assert len(stability.rows) == 4
    assert len(prediction.rows) == data.tables["resampling/prediction"].height
    assert len(importance.rows) == data.tables["resampling/importance"].height
    for sheet in (stability, prediction, importance):
        assert {len(row) for row in sheet.rows} == {len(sheet.columns)}
    cases = {name: write(data) for name, write in SECTION.cases.items()}
    assert "arrival 15, backtrack 30 and control 15" in cases["stability"]
    assert (
        "60 sentences of 20 thoughts, 20 of them with a planted" in cases["importance"]
    )


@pytest.mark.parametrize("is_empty", [False, True])
def test_figures_are_drawn(predicted, is_empty):
    data = (
        study([])
        if is_empty
        else study(predicted.tables["resampling"], importance_rows(0.5))
    )
    tables = {name.split("/")[-1]: table for name, table in data.tables.items()}
    figures = [
        draw_stability(tables["resampling"], tables["stability"], 0.8, 0.95),
        draw_prediction(tables["resampling"], tables["prediction"]),
        draw_importance(tables["sentences"], tables["importance"], 0.95),
    ]
    for figure in figures:
        assert isinstance(figure, Figure)
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
        assert any("Nothing to draw" in text for text in texts) == is_empty
