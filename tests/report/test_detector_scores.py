"""The page's table of the detectors' scores."""

import polars as pl
import pytest

from detector.tables import DETECTOR_SCORES
from doubletake.detector.detectors import DETECTORS
from doubletake.page.study_data import StudyData
from events.tables import EVENT_COUNTS, GROUPS
from report.detector_scores import detector_scores
from report.trace_sheets import detectors_sheet

EMPTY = dict.fromkeys(DETECTOR_SCORES.schema)


def score(detector: str, model: str | None, kind: str, f1: float, traces: int) -> dict:
    ends = {f"{name}_{end}": f1 for name in ("recall", "f1") for end in ("low", "high")}
    counts = {"traces": traces, "labelled": 1200, "found": 0, "hits": 0}
    figures = {"recall": f1, "f1": f1}
    names = {"detector": detector, "model": model, "kind": kind}
    return EMPTY | names | counts | figures | ends


def table(models: list[str]) -> pl.DataFrame:
    rows = [
        score(detector, model, kind, f1, 3 if model is None else 2)
        for detector, f1 in (("string", 0.5), ("rules", 0.75))
        for model in (None, *models)
        for kind in ("arrival", "backtrack")
    ]
    return DETECTOR_SCORES.frame(rows)


def test_rules_come_first_and_all_models_before_each():
    shown = detector_scores(table(["m", "n"]), ["rules"], "own.jsonl", 0.9)
    names = [row[:3] for row in shown.sheet.rows]
    assert names[:4] == [
        ("rules", "arrivals", "all, 3"),
        ("", "", "m, 2"),
        ("", "", "n, 2"),
        ("", "backtracks", "all, 3"),
    ]
    assert names[6] == ("string", "arrivals", "all, 3")
    assert len(names) == 12
    assert shown.sheet.rows[0][3:] == (
        *("1,200", "0", "0.750 (0.75–0.75)", "–", "0.75 (0.75–0.75)"),
    )


def test_one_model_stands_there_once():
    shown = detector_scores(table(["m"]), ["rules"], "own.jsonl", 0.95)
    assert [row[2] for row in shown.sheet.rows] == ["m, 2"] * 4


@pytest.mark.parametrize("models", [["m"], ["m", "n"]])
def test_what_was_used_and_on_which_labels(models):
    shown = detector_scores(table(models), ["string", "string"], "own.jsonl", 0.9)
    assert shown.used.count("string") == 1
    assert "0.500 for arrivals and 0.500 for backtracks" in shown.used
    assert "own.jsonl" in shown.used
    traces = 2 if models == ["m"] else 3
    assert f"own.jsonl, {traces} traces" in shown.sheet.note
    assert "90%" in shown.sheet.note


def test_every_detector_has_a_row_of_counts_on_the_studys_own_traces():
    rows = [
        {"detector": name, "group": group, "events": number * factor}
        for name, factor in (("rules", 1), ("string", 1000), ("markers", 2))
        for number, group in enumerate((*GROUPS, "backtrack"))
    ]
    data = StudyData("m", "d", {"events/counts": EVENT_COUNTS.frame(rows)}, {})
    sheet = detectors_sheet(data)
    assert sheet.columns == ("detector", "arrivals", *GROUPS, "backtracks")
    assert [row[0] for row in sheet.rows] == list(DETECTORS)
    assert sheet.rows[0][1:] == ("10", "0", "1", "2", "3", "4", "5")
    assert sheet.rows[1][1] == "10,000"
