"""What the report says about attention, from tables with known means."""

import pytest
from tiny_attention import study_rows

from attention.page import SECTION
from attention.summarise import summarise
from attention.tables import (
    ATTENTION,
    ATTENTION_HEADS,
    ATTENTION_SUMMARY,
)
from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import Resampling
from turns.tables import TURNS


def turn_row(event, kind, selected):
    return {
        "trace": "a/0",
        "problem": "a",
        "event": event,
        "kind": kind,
        "ordinal": 1,
        "position": 19,
        "next": 5,
        "logprob": -0.1,
        "predicted": 5,
        "predicted_text": "Wait",
        "is_word": selected,
        "selected": selected,
    }


def data_of(rows, turns):
    summary, heads = summarise(ATTENTION.frame(rows), Resampling(bootstrap=20))
    tables = {
        "turns": TURNS.frame(turns),
        "attention/summary": summary,
        "attention/heads": heads,
    }
    settings = {"intervals": {"bootstrap": 20, "confidence": 0.95, "seed": 0}}
    return StudyData("tiny", "data", tables, settings)


@pytest.fixture(scope="module")
def data():
    return data_of(study_rows(), [turn_row(1, "backtrack", True)])


def everything(data):
    sheets = [
        cell for sheet in SECTION.sheets(data) for row in sheet.rows for cell in row
    ]
    cases = [cases(data) for cases in SECTION.cases.values()]
    text = [SECTION.headline(data), *SECTION.findings(data), *sheets, *cases]
    return "\n".join(text)


def test_the_headline_names_the_leading_heads(data):
    text = SECTION.headline(data)
    assert "head 0 of layer 1 sends 50.0% of its attention" in text
    assert "(10.0% at controls)" in text
    assert "2.50 logits (0.00 at controls)" in text


def test_findings_hold_the_tables_figures(data):
    text = "\n".join(SECTION.findings(data))
    assert "37.5% (37.5% at controls) to the question" in text
    assert "62.5% (62.5% at controls) to the sentence at whose end" in text
    assert "in 75.0% of 4 backtracks the last arrival stands" in text
    assert "backtracks stand 19 tokens deep on average, controls 19" in text


def test_rankings_show_intervals_and_the_difference(data):
    looks, writes = SECTION.sheets(data)
    assert looks.rows[0][0] == "layer 1, head 0"
    assert looks.rows[0][1].startswith("50.0% (")
    assert writes.rows[0][1].startswith("2.500 (")
    assert writes.rows[0][-1] == "2.000"
    assert all(len(row) == len(looks.columns) for row in looks.rows)


def test_figures_count_their_cases(data):
    attribution, arrivals, _ = (cases(data) for cases in SECTION.cases.values())
    assert attribution == "4 backtracks of 3 problems and 2 controls of 2 problems."
    assert "1 control before the first arrival left out" in arrivals


def test_no_number_is_missing(data):
    assert "nan" not in everything(data).lower()
    assert "None" not in everything(data)


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ([], "No backtrack was found"),
        ([turn_row(1, "backtrack", False)], "None of 1 backtrack of tiny"),
    ],
)
def test_nothing_to_say_is_said(turns, said):
    data = data_of([], turns)
    assert said in SECTION.headline(data)
    assert SECTION.findings(data) == SECTION.sheets(data) == []
    assert [cases(data) for cases in SECTION.cases.values()]


def test_backtracks_without_controls_are_told_of(data):
    rows = [row for row in study_rows() if row["kind"] == "backtrack"]
    alone = data_of(rows, [turn_row(1, "backtrack", True)])
    text = everything(alone)
    assert "There is no control to compare with." in text
    assert "at controls" not in SECTION.headline(alone)
    assert ATTENTION_HEADS.check(alone.tables["attention/heads"]).height
    assert ATTENTION_SUMMARY.check(alone.tables["attention/summary"]).height
