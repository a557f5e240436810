"""Sentences follow from the intervals; figures and page also work with empty tables."""

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from tiny_report import SETTINGS, Study

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from doubletake.study.registry import stages
from repetition.claims import corrected_claims
from repetition.estimates import step_rows, with_log_odds
from repetition.page import SECTION
from repetition.plot import draw_arms
from repetition.summarise import points, pulls
from repetition.tables import (
    ARMS,
    FIXED,
    GOLD,
    LOG_ODDS,
    LOGPROB,
    OTHER,
    REPEATED,
    REPETITION,
    REPETITION_STEPS,
    RIGHT,
    STATED,
    TESTED,
    THOUGHT,
    WRONG,
    WRONG_ALL,
    WRONG_REPEATS,
)

INTERVALS = IntervalSettings(**SETTINGS["intervals"])


def study_of(
    right=None, wrong=None, *, start=-1.0, taken=False, count=12, exits=3, shifts=None
):
    """A study in which each arm's log-probs rise by a mean step, by outcome.

    Args:
        right: mean step of each arm after a right first arrival; None: no thought.
        wrong: the same after a wrong one.
        start: log-prob at exit 1.
        taken: whether the drawn wrong number is the answer.
        count: of thoughts of an outcome.
        exits: of a thought.
        shifts: steps of the answer forced at exit 1 in addition, by thought.
    """
    random = np.random.default_rng(1)
    rows = []
    for outcome, steps in (("right", right), ("wrong", wrong)):
        if steps is None:
            continue
        for k in range(count):
            for arm in ARMS:
                step = steps.get(arm, 0.0) * (1 + 0.1 * random.normal())
                for answer in (FIXED, STATED, OTHER, GOLD):
                    sign = -1 if answer == OTHER else 1
                    base = -20.0 if answer == OTHER else start
                    shift = shifts[k] if shifts and answer == FIXED else 0.0
                    shift *= arm == THOUGHT
                    rows += [
                        {
                            "trace": f"{outcome}{k}/0",
                            "problem": f"{outcome}{k}",
                            "outcome": outcome,
                            "arrivals": exits + 1,
                            "arm": arm,
                            "exit": number,
                            "answer": answer,
                            "text": answer,
                            "added": 9 * (number - 1),
                            "logprob": base + (sign * step + shift) * (number - 1),
                            "logit": 20.0,
                            "said": {OTHER: taken, GOLD: False}.get(answer, True),
                        }
                        for number in range(1, exits + 1)
                    ]
    table = with_log_odds(REPETITION.frame(rows))
    study = Study()
    tables = {
        one.name: one.frame(study.rows_of(stage.name, one))
        for stage in stages()
        for one in stage.all_tables
    }
    tables["repetition"] = table.drop("log_odds")
    tables["repetition/points"] = points(table, INTERVALS)
    steps = REPETITION_STEPS.frame(step_rows(table, INTERVALS))
    pull = pulls(table, INTERVALS)
    tables |= {"repetition/steps": steps, "repetition/pull": pull}
    tables["repetition/tests"] = corrected_claims(steps, pull)
    return StudyData("tiny", "data", tables, SETTINGS)


def text_of(data):
    return " ".join([SECTION.headline(data), *SECTION.findings(data)])


MORE = {THOUGHT: 0.3, REPEATED: 0.1}
LESS = {THOUGHT: -2.0, REPEATED: 0.1}
EQUAL = {THOUGHT: 0.0, REPEATED: 0.0}


def test_the_headline_follows_from_the_interval_of_each_outcome():
    head = SECTION.headline(study_of(MORE, LESS))
    assert "thoughts), thinking on makes the answer forced at exit 1 more pro" in head
    assert "than repeating the sentence of this arrival does. After a wrong" in head
    assert "the wrong number stated there less probable than repeating" in head
    few = SECTION.headline(study_of(MORE, LESS, count=2))
    assert "(2 thoughts), it is not checked whether" in few
    one = SECTION.headline(study_of(MORE))
    assert "After a wrong first arrival (0 thoughts), no thought was measured." in one
    noise = {THOUGHT: 0.001, REPEATED: 0.001}
    assert "cannot be told from repeating" in SECTION.headline(study_of(noise))


def test_a_direction_needs_both_scales_and_the_corrected_p():
    """Half the answers become surer, half less: log-prob and log-odds differ."""
    shifts = [0.0099, -3.0] * 6
    data = study_of({THOUGHT: 0.0, REPEATED: 1e-5}, start=-0.01, shifts=shifts)
    assert "cannot be told from repeating" in SECTION.headline(data)
    text = text_of(data)
    assert "The interval excludes 0 only on the scale of log-prob; that of" in text
    assert "does not show it, so no direction is claimed. So thinking on can" in text
    data = study_of(MORE)
    tests = data.tables["repetition/tests"]
    data.tables["repetition/tests"] = tests.with_columns(p_holm=pl.lit(0.051))
    assert "cannot be told from repeating" in SECTION.headline(data)
    assert "corrected p 0.051)" in text_of(data)


def test_after_a_wrong_arrival_the_stated_number_is_tested():
    """Whatever the answer does that is forced there."""
    data = study_of(None, LESS, shifts=[9.0] * 12)
    assert "the wrong number stated there less probable" in SECTION.headline(data)
    assert "So not this answer is tested, but the stated number." in text_of(data)
    answers = data.tables["repetition/tests"].filter(pl.col("claim") != "pull")
    assert set(answers["answer"]) == {STATED}


def test_the_share_of_repetition_is_told_only_of_a_rise():
    assert "Repeating gives 3" in text_of(study_of(MORE))
    assert "s rise" not in text_of(study_of(LESS))


def test_the_ceiling_of_the_log_prob_is_told():
    tiny = {THOUGHT: 0.0004, REPEATED: 0.0001}
    text = text_of(study_of(tiny, start=-0.001))
    assert "The log-prob is at its ceiling: its mean is \u22120.001 before" in text
    assert "On the scale of log-odds, which has no ceiling, the steps are" in text
    assert "forced at exit 1 more probable than repeating" in text
    assert "at its ceiling" not in text_of(study_of(MORE))


def test_a_later_difference_needs_both_means():
    text = text_of(study_of(MORE))
    assert "Thinking on adds more." in text
    assert "is claimed only if two means show it" in text
    assert "Thinking on adds less." in text_of(study_of(LESS))
    short = study_of(MORE, exits=2)
    assert "From the second arrival on" not in text_of(short)
    steps = short.tables["repetition/steps"]
    assert steps.filter(part="later")["steps"].sum() == 0


def test_a_pull_is_told_with_its_share_of_answers():
    pulling = MORE | {WRONG_REPEATS: -9.0}
    text = text_of(study_of(pulling, taken=True))
    assert "one repeat with a drawn wrong number raises this number" in text
    assert "It becomes the forced answer in 100.0% of 12 thoughts" in text
    few = text_of(study_of(pulling, count=2))
    assert "is not checked (2 problems)" in few


def test_the_stated_number_is_told_of_wrong_first_arrivals():
    text = text_of(study_of(None, {THOUGHT: -2.0, REPEATED: 0.4}))
    assert (
        "the number that the arrival states in 100% of 12 thoughts, and the right"
        in text
    )
    assert "one in 0% of 12 thoughts" in text
    assert "its probability rises: mean step of the log-prob +0.39" in text
    assert "stated number" not in text_of(study_of(MORE))


def test_filler_is_told_with_its_direction():
    assert "the probability of the answer forced at exit 1 falls (mean" in text_of(
        study_of(MORE | {"filler": -0.5})
    )


@pytest.mark.parametrize("answer", [FIXED, OTHER])
def test_figures_say_what_is_not_checked(answer):
    measures = (LOGPROB, LOG_ODDS) if answer == FIXED else (LOGPROB, "said")
    arms = (REPEATED, WRONG_ALL, THOUGHT)

    def words(data):
        points = data.tables["repetition/points"]
        answers = TESTED if answer == FIXED else {RIGHT: OTHER, WRONG: OTHER}
        figure = draw_arms(points, answers, arms, measures, 0.95)
        assert isinstance(figure, Figure)
        found = [text.get_text() for axes in figure.axes for text in axes.texts]
        return " ".join([*found, figure.get_supxlabel()])

    drawn = words(study_of(MORE, LESS))
    assert "right 12, 12, 12; wrong 12, 12, 12" in drawn
    assert "Not checked" in words(study_of(MORE, count=2))
    assert "no point with an interval" in words(study_of(MORE))
    assert "Nothing to draw" in words(study_of())


def test_a_study_without_two_arrivals_is_not_measured():
    data = study_of()
    assert SECTION.headline(data).startswith("Not measured: ")
    assert SECTION.findings(data) == []
    assert SECTION.sheets(data) == []
    assert SECTION.cases["fixed_answer"](data) == "No thought was measured."
    sheets = SECTION.sheets(study_of(MORE, LESS))
    assert [len(sheet.rows) for sheet in sheets] == [18, 8, 10]
    assert "right: 12 at k" in SECTION.cases["wrong_number"](study_of(MORE))
