"""Sentences follow from the tests; studies without wrong thoughts are not measured."""

import pytest
import torch
from matplotlib.figure import Figure
from tiny_report import SETTINGS
from tiny_wrong_samples import row, thought

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from doubletake.tables.verification import verification_of
from wrong_samples.page import SECTION
from wrong_samples.plot import draw_cost, draw_mended
from wrong_samples.summarise import net_changes, summarise
from wrong_samples.tables import SUMMARY, THOUGHTS, WRONG_SAMPLES
from wrong_samples.verification_figures import Checks

CONFIG = {
    **SETTINGS,
    "intervals": {"confidence": 0.95, "least_problems": 10},
    "wrong_samples": {
        "samples": 2,
        "direction": "venhoff",
        "layer": 0.5,
        "strength": 0.3,
        "wrap_up_strength": 0.2,
    },
}
INTERVALS = IntervalSettings(**CONFIG["intervals"])
FULL = {
    ("wrong", "last"): ("resample", "wait", "steer", "random", "vote", "afresh"),
    ("right", "last"): ("resample", "wait", "steer", "random"),
    ("right", "first"): ("resample", "end", "wrap_up", "random"),
}


def study(rows, thoughts=None, *, checks=None, settings=CONFIG):
    table = WRONG_SAMPLES.frame(rows)
    if thoughts is None:
        thoughts = [
            thought(f"{k}", correct=k % 4 > 0, test=k % 2 > 0) for k in range(40)
        ]
    known = THOUGHTS.frame(thoughts)
    figures = (checks or Checks()).figures(torch.float32)
    tables = {
        "wrong_samples": table,
        "wrong_samples/thoughts": known,
        "wrong_samples/summary": summarise(table, INTERVALS),
        "wrong_samples/net": net_changes(table, known, INTERVALS),
        "wrong_samples/verification": verification_of("wrong_samples", figures),
    }
    return StudyData("tiny", "data", tables, settings)


def rows_of(problems=20, draws=2, rates=None, **changes):
    """All actions; `rates` by (start, action): share of the problems that are right."""
    rates = rates or {}
    return [
        row(
            action,
            f"{k}",
            k < problems * rates.get((start, action), start == "right"),
            start=start,
            place=place,
            draw=draw,
            **changes.get(action, {}),
        )
        for (start, place), actions in FULL.items()
        for action in actions
        for k in range(problems)
        for draw in range(draws)
    ]


MENDING = {("wrong", "steer"): 0.8, ("wrong", "wait"): 0.1, ("wrong", "resample"): 0.1}


def test_the_headline_follows_from_the_tests():
    text = SECTION.headline(study(rows_of(rates=MENDING)))
    assert "20 wrong thoughts on 20 problems" in text
    assert "steering toward turning back mends 80.0% (interval" in text
    assert "resampling alone 10.0%" in text
    shown = "steering toward turning back mends more than resampling alone"
    assert f"{shown}, also at equal cost. A new thought from the prompt mends" in text
    assert "mends 0.0% with 20.0 tokens (steering toward turning back 20.0, a" in text
    vote = MENDING | {("wrong", "vote"): 0.8}
    text = SECTION.headline(study(rows_of(rates=vote)))
    assert f"{shown}, but this is not shown at equal cost." in text
    none = SECTION.headline(study(rows_of()))
    assert "none of them is shown to mend more than resampling alone." in none
    both = SECTION.headline(study(rows_of(rates=MENDING | {("wrong", "wait"): 0.8})))
    assert "and a forced word mend more than resampling alone, also at" in both


def test_the_random_directions_decide_what_is_said_of_the_direction():
    special = " ".join(SECTION.findings(study(rows_of(rates=MENDING))))
    assert "is right more often than random directions of the same length" in special
    alike = MENDING | {("wrong", "random"): 0.8}
    text = " ".join(SECTION.findings(study(rows_of(rates=alike))))
    assert "cannot be told from random directions of the same length" in text
    few = study(rows_of(problems=12, draws=2, rates=MENDING))
    text = " ".join(SECTION.findings(few))
    assert "(24 draws, fewer than 40)" in text


def test_spoiled_thoughts_and_wrap_ups_are_told():
    rates = {("right", "steer"): 0.3, ("right", "end"): 0.3}
    end = {"tokens": 5}
    rows = rows_of(rates=rates, end=end)
    rows = [{**one, "tokens": one["tokens"] + int(one["problem"]) % 3} for one in rows]
    text = " ".join(SECTION.findings(study(rows)))
    assert "On right thoughts steering toward turning back spoils 70.0%" in text
    assert "it is right less often than resampling alone (−70.0 points" in text
    assert "a forced end keeps 30.0% right, is right less often" in text
    assert "and saves tokens (" in text
    assert "steering toward wrapping up keeps 100.0% right, cannot be told" in text
    assert "and takes 20.9 tokens per draw, 100.0% of resampling" in text


def test_net_change_and_cases_are_told():
    rates = {("wrong", "wait"): 1, ("right", "wait"): 0.9}
    text = " ".join(SECTION.findings(study(rows_of(rates=rates))))
    assert "25.0% of the study’s thoughts end wrong and 75.0% end right" in text
    assert "a forced word +17.5 points (interval" in text
    assert "0 of 20 thoughts on problems that gave no direction end wrong." in text
    assert "at 50% of the depth with 0.30 of the mean norm" in text
    thoughts = [thought("1", False), thought("2", True)]
    thoughts += [thought(f"f{k}", k > 1, source="further") for k in range(5)]
    text = " ".join(SECTION.findings(study(rows_of(), thoughts)))
    assert "1 of 2 thoughts on problems" in text
    assert "2 of 5 further thoughts, sampled because these were too few, end" in text


def test_continuations_without_an_end_are_counted():
    broken = {"closed": False, "limited": True, "looped": True}
    text = " ".join(SECTION.findings(study(rows_of(steer=broken))))
    assert "steer 80 of 80 (80 in a loop)" in text
    whole = " ".join(SECTION.findings(study(rows_of())))
    assert "All continuations close their thought" in whole


def test_strength_0_is_told():
    text = " ".join(SECTION.findings(study(rows_of())))
    assert "A direction of strength 0 is not checked" in text
    checks = Checks(differing=[False, False, True])
    text = " ".join(SECTION.findings(study(rows_of(), checks=checks)))
    assert "With strength 0, 2 of 3 continuations equal" in text


def test_few_problems_make_no_claim():
    data = study(rows_of(problems=4, rates=MENDING))
    assert "; no difference is checked." in SECTION.headline(data)
    text = " ".join(SECTION.findings(data))
    assert "is not checked against resampling alone (4 problems)" in text
    assert "more often" not in text


NONE_WRONG = [thought("1", True), thought("2", False, test=False)]


@pytest.mark.parametrize(
    ("thoughts", "reason"),
    [
        (NONE_WRONG, "none of 1 thought on problems that gave no direction ends wrong"),
        ([thought("1", False, arrivals=0)], "none of 1 thought that end wrong has an"),
        ([thought("1", True, test=False)], "no problem is left that gave no direction"),
        ([], "no problem is left that gave no direction"),
    ],
)
def test_a_study_without_wrong_thoughts_is_not_measured(thoughts, reason):
    data = study([], thoughts)
    assert SECTION.headline(data).startswith(f"Not measured: {reason}")
    assert SECTION.findings(data) == SECTION.sheets(data) == []
    assert SECTION.cases["mended"](data).startswith("No thought.")


def test_thoughts_from_a_file_are_not_measured():
    settings = {key: value for key, value in CONFIG.items() if key != "generation"}
    text = SECTION.headline(study([], [], settings=settings))
    assert text.startswith("Not measured: the thoughts come from a file")


def test_sheets_have_cells_for_all_columns():
    found = SECTION.sheets(study(rows_of(rates=MENDING)))
    assert len(found) == 3
    for sheet in found:
        assert {len(cells) for cells in sheet.rows} == {len(sheet.columns)}


def test_figures_are_drawn_with_and_without_data():
    full = study(rows_of(rates=MENDING)).tables["wrong_samples/summary"]
    few = study(rows_of(problems=4)).tables["wrong_samples/summary"]
    only_right = full.filter(start="right")
    for summary in (full, few, only_right, SUMMARY.frame([])):
        assert isinstance(draw_mended(summary, 0.95), Figure)
        assert isinstance(draw_cost(summary, 0.95), Figure)
