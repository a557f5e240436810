"""Sentences follow from the intervals; empty and small studies say "not checked"."""

import pytest
import torch
from matplotlib.figure import Figure
from tiny_report import RIGHT, SETTINGS, trace_row

from decoding_actions.page import SECTION
from decoding_actions.plot import draw_actions
from decoding_actions.summarise import summarise
from decoding_actions.tables import DECODING_ACTIONS, SUMMARY, WORDS
from decoding_actions.verification_figures import Checks
from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from doubletake.tables.verification import verification_of
from traces.tables import TRACES

INTERVALS = IntervalSettings(**SETTINGS["intervals"])
TRACE_ROWS = [trace_row(f"{k}", RIGHT, "8") for k in range(10)]
WORD = {
    "action": "nowait",
    "keyword": "wait",
    "tokens": [3, 4],
    "written": 7,
    "left": [" verify"],
    "left_written": 2,
}


def decoded(action, number, right, total, **changes):
    name = TRACE_ROWS[number]["trace"]
    values = dict.fromkeys(DECODING_ACTIONS.schema, 0)
    values |= {"action": action, "trace": name, "problem": f"{number}", "text": "5 + 2"}
    values |= {"applied": True, "closed": True, "answer": "8", "correct": right}
    values |= {"tokens": total, "total": total, "whole_tokens": 100, "same": False}
    values |= {"whole_correct": True, "whole_backtracks": 2, "shared": 2}
    return values | changes


def study(rows, *, differing=(False,) * 9, settings=SETTINGS):
    thoughts = DECODING_ACTIONS.frame(rows)
    checks = Checks(differing=list(differing) if rows else [])
    figures = checks.figures(torch.float32)
    tables = {
        "traces": TRACES.frame(TRACE_ROWS),
        "decoding_actions": thoughts,
        "decoding_actions/summary": summarise(thoughts, INTERVALS),
        "decoding_actions/words": WORDS.frame([WORD] if rows else []),
        "decoding_actions/verification": verification_of("decoding_actions", figures),
    }
    return StudyData("tiny", "data", tables, settings)


def some(action, right, totals, **changes):
    """Thoughts on problems of their own: whether each is right, and its tokens."""
    return [
        decoded(action, k, flag, total, **changes)
        for k, (flag, total) in enumerate(zip(right, totals, strict=True))
    ]


WORSE = [False, False, False, True]
SAME = [True] * 4


def test_the_headline_follows_from_the_intervals():
    rows = some("nowait", WORSE, [50, 60, 55, 50]) + some("s1", SAME, [150] * 3 + [160])
    text = SECTION.headline(study(rows))
    assert "(NoWait) has no effect on accuracy that can be told from 0 (−75.0" in text
    assert "makes thoughts shorter (53.8% of the tokens, interval " in text
    assert "(s1) makes none of these answers right or wrong and makes thoughts" in text
    assert "longer (152.5% of the tokens" in text
    assert text.endswith("(4 thoughts, paired with the whole thoughts).")
    clear = [decoded("nowait", k, k > 8, 90 + k) for k in range(10)]
    text = SECTION.headline(study(clear))
    assert "lowers accuracy (−90.0 points, interval −" in text
    assert "have no" not in text
    better = [
        decoded("nowait", k, True, 100 + (-1) ** k, whole_correct=k > 8)
        for k in range(10)
    ]
    text = SECTION.headline(study(better))
    assert "raises accuracy (+90.0 points, interval +" in text
    assert "has no effect on their length that can be told (100.0%" in text


def test_the_control_decides_what_is_said_of_a_loss():
    nowait = [decoded("nowait", k, k > 8, 50 + k) for k in range(10)]
    alike = [decoded("control", k, k > 7, 90 + k) for k in range(10)]
    harmless = [decoded("control", k, True, 90 + k) for k in range(10)]
    sentence = "So its loss of accuracy may be that of forbidding any frequent words."
    text = " ".join(SECTION.findings(study(nowait + alike)))
    assert "the accuracy of NoWait is not told from it (−10.0 points" in text
    assert "the number of its tokens is lower" in text or "not told from it" in text
    assert sentence in text
    text = " ".join(SECTION.findings(study(nowait + harmless)))
    assert "the accuracy of NoWait is lower (−90.0 points" in text
    assert sentence not in text


def test_findings_say_what_was_left_and_what_could_not_be_done():
    rows = some("nowait", SAME, [50, 60, 55, 52], spelled=1)
    rows += some("s1", SAME, [150, 140, 100, 160], applied=False, closed=False)
    rows += some("cgrs", SAME, [70, 80, 60, 75], trials=3)
    text = " ".join(SECTION.findings(study(rows, differing=(True, False, False))))
    assert "4 thoughts without an end or without room could not be prolonged" in text
    assert "With s1, 4 thoughts found no end within the limit." in text
    assert "hold 1 of them (wait). Some spellings could not be forbidden" in text
    assert "of wait (2 times in the study)" in text
    assert "In other tokens, 1.00 per thought are still written." in text
    assert "2 of 3 thoughts equal the study’s token by token. Rounding" in text
    assert "its 12 trial answers are part of these tokens" in text
    assert "after every sentence; the paper asks after every paragraph." in text
    assert "All 4 whole thoughts are right, so no action can raise accuracy" in text
    assert "2.00 backtracks per whole thought, 0.00 with nowait" in text
    none = " ".join(SECTION.findings(study(rows, differing=())))
    assert "Decoding without an action is not checked" in none


@pytest.mark.parametrize("reader", [False, True])
def test_nothing_decoded_is_not_checked(reader):
    settings = dict(SETTINGS)
    if reader:
        del settings["generation"]
    data = study([], settings=settings)
    reason = "the thoughts come from a file" if reader else "no thought was decoded"
    assert SECTION.headline(data).startswith(f"Not checked: {reason}")
    assert SECTION.findings(data) == SECTION.sheets(data) == []
    assert SECTION.cases["actions"](data).startswith("No thought.")


def test_few_problems_make_no_claim():
    data = study(some("nowait", [False, True], [50, 60]))
    text = SECTION.headline(data)
    assert "has no checked effect on accuracy (2 problems)" in text
    assert "shorter" not in text


def test_sheets_have_cells_for_all_columns():
    rows = some("nowait", WORSE, [50] * 4) + some("s1", SAME, [150] * 4)
    found = SECTION.sheets(study(rows))
    assert len(found) == 3
    for sheet in found:
        assert {len(cells) for cells in sheet.rows} == {len(sheet.columns)}
    examples = found[2].rows
    assert len(examples) == 4
    assert examples[0][-1] == "8 (wrong)"


def test_figures_are_drawn_with_and_without_data():
    rows = some("nowait", WORSE, [50, 60, 55, 50]) + some(
        "s1", SAME, [150, 140, 170, 160]
    )
    few = some("nowait", [False, True], [50, 60])
    for summary in (
        summarise(DECODING_ACTIONS.frame(rows), INTERVALS),
        summarise(DECODING_ACTIONS.frame(few), INTERVALS),
        SUMMARY.frame([]),
    ):
        assert isinstance(draw_actions(summary, 0.95), Figure)
