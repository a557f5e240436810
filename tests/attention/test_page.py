"""The report's sentences and tables on attention, from tables with known means."""

import re

import pytest
from tiny_attention import MATCHED, study_rows

from attention.page import SECTION
from attention.summarise import summarise
from attention.tables import (
    ATTENTION,
    ATTENTION_HEADS,
    ATTENTION_SUMMARY,
)
from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from turns.tables import TURNS


def turn_row(event, kind, selected):
    return {
        "trace": "a/0",
        "problem": "a",
        "event": event,
        "kind": kind,
        "ordinal": 1,
        "position": 19,
        "next_id": 5,
        "logprob": -0.1,
        "predicted_id": 5,
        "predicted_text": "Wait",
        "is_word": selected,
        "selected": selected,
    }


def data_of(rows, turns, least=1, predicted_only=False, **settings):
    intervals = {"confidence": 0.95, "least_problems": least}
    summary, heads = summarise(
        ATTENTION.frame(rows), MATCHED, IntervalSettings(**intervals)
    )
    tables = {
        "turns": TURNS.frame(turns),
        "attention/summary": summary,
        "attention/heads": heads,
    }
    settings |= {"intervals": intervals, "turns": {"predicted_only": predicted_only}}
    return StudyData("tiny", "data", tables, settings)


@pytest.fixture(scope="module")
def data():
    return data_of(study_rows(), [turn_row(1, "backtrack", True)])


def numbers_of(text):
    return re.findall(r"\d+(?:\.\d+)?%?", text)


def whole_text(data):
    sheets = [
        cell for sheet in SECTION.sheets(data) for row in sheet.rows for cell in row
    ]
    cases = [cases(data) for cases in SECTION.cases.values()]
    text = [SECTION.headline(data), *SECTION.findings(data), *sheets, *cases]
    return "\n".join(text)


def test_the_headline_names_the_leading_heads(data):
    text = SECTION.headline(data)
    leading, _, choice = text.partition(". Each is the largest of 4 heads")
    assert "do not account for this choice" in choice
    looking, writing = leading.split(" and ")
    assert "head 0 of layer 1" in looking
    assert "50.0% of its attention" in looking
    # Only one of the pairs has a control with an arrival: 20% against 10%.
    assert "(difference from the matched control: +10.0 points, " in looking
    assert looking.endswith("1 pair)")
    assert "head 0 of layer 1" in writing
    assert "2.50 logits (difference from the matched control: 2.00, " in writing
    assert writing.endswith("2 pairs)")
    assert text.startswith("Where the thought is about to turn back, ")  # a reader
    own = data_of(study_rows(), [], generation={})
    assert SECTION.headline(own).startswith("Where tiny is about to turn back, ")


def test_pairs_of_too_few_problems_are_not_compared():
    data = data_of(study_rows(), [], least=2)
    looking, writing = SECTION.headline(data).split(" and ")
    assert "(difference from the matched control not checked: 1 problem)" in looking
    assert "difference from the matched control: 2.00, " in writing


def test_findings_hold_the_numbers_of_the_tables(data):
    bins, arrival, heads, raw, overlap, pairs = SECTION.findings(data)
    question, sentence = re.split("to the question", bins)
    assert question.endswith("37.5% (+0.0) ")
    assert numbers_of(sentence)[:2] == ["62.5%", "0.0"]
    # Per layer: 0 and (0.2 + 0.6 + 0.4 + 0.6 + 0.6 + 0.3 + 0.8 + 0.3) / 8 of attention.
    assert numbers_of(arrival)[0] == "23.8%"
    # Layer 0 adds nothing; pairs: (1 + 3) / 2 and (-0.5 - 1) / 2.
    assert numbers_of(heads) == ["4", "2.50", "1.25"]
    # Raw: head 1 of layer 1 leads with 0 + 4.
    assert numbers_of(raw) == ["4", "4", "1", "1", "4.00", "4.00"]
    assert numbers_of(overlap) == ["75.0%", "4"]
    assert numbers_of(pairs) == ["2", "2"]


def test_a_choice_by_prediction_is_said():
    said = "controls were not chosen so"
    for flag in (False, True):
        data = data_of(study_rows(), [], predicted_only=flag)
        assert (said in SECTION.findings(data)[-1]) == flag


def test_rankings_show_intervals_and_the_difference(data):
    looks, writes = SECTION.sheets(data)
    assert looks.rows[0][0] == "layer 1, head 0"
    assert looks.rows[0][1].startswith("50.0% (")
    assert writes.rows[0][1].startswith("2.500 (")
    assert writes.rows[0][-1] == "2.000"
    assert all(len(row) == len(looks.columns) for row in looks.rows)


def test_figures_count_their_cases(data):
    attribution, arrivals, _ = (cases(data) for cases in SECTION.cases.values())
    assert numbers_of(attribution) == ["4", "3", "2", "2"]
    assert arrivals == attribution


def test_no_number_is_missing(data):
    assert "nan" not in whole_text(data).lower()
    assert "None" not in whole_text(data)


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([], "No backtrack"),
        ([turn_row(1, "backtrack", False)], "None of 1 backtrack was"),
    ],
)
def test_an_empty_section_gives_its_reason(turns, reason):
    data = data_of([], turns)
    assert reason in SECTION.headline(data)
    assert SECTION.findings(data) == SECTION.sheets(data) == []
    assert [cases(data) for cases in SECTION.cases.values()]


def test_missing_controls_are_mentioned(data):
    rows = [row for row in study_rows() if row["kind"] == "backtrack"]
    alone = data_of(rows, [turn_row(1, "backtrack", True)])
    text = whole_text(alone)
    assert "No backtrack has a matched control: nothing is compared." in text
    assert "(not compared: no backtrack has a matched" in SECTION.headline(alone)
    assert ATTENTION_HEADS.check(alone.tables["attention/heads"]).height
    assert ATTENTION_SUMMARY.check(alone.tables["attention/summary"]).height
