"""Sentences follow from the tests; studies without such thoughts are not measured."""

import polars as pl
import pytest
import torch
from matplotlib.figure import Figure
from tiny_mistakes import boundary, row
from tiny_report import SETTINGS

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from doubletake.tables.verification import verification_of
from mistakes.names import CHOSEN, CONTROLS
from mistakes.page import SECTION
from mistakes.plot import draw_noticed, draw_planted, draw_versions
from mistakes.summarise import contrasts, planted_rates, summarise
from mistakes.tables import BOUNDARIES, EDITS, MISTAKES
from mistakes.verification_figures import Checks

CONFIG = {
    **SETTINGS,
    "intervals": {"confidence": 0.95, "least_problems": 10},
    "mistakes": {
        "word": "Wait",
        "kinds": list(CHOSEN),
        "places": ["early", "middle", "last", "final"],
    },
}
INTERVALS = IntervalSettings(**CONFIG["intervals"])


def edit_of(one):
    """A row of `EDITS` for a row of `MISTAKES`."""
    keys = ("trace", "problem", "place", "kind")
    return {key: one[key] for key in keys} | {
        **{"sentence": 0, "cut": 9, "start": 4, "end": 5, "old": "8", "new": "9"},
        **{"appended": "", "first": 3, "old_tokens": [1], "new_tokens": [2]},
        "kept": 6,
    }


def study(rows, boundaries=(), *, checks=None, settings=CONFIG):
    table, known = MISTAKES.frame(list(rows)), BOUNDARIES.frame(list(boundaries))
    figures = (checks or Checks()).figures(torch.float32)
    tables = {
        "mistakes": table,
        "mistakes/edits": EDITS.frame([edit_of(one) for one in rows]),
        "mistakes/boundaries": known,
        "mistakes/summary": summarise(table, INTERVALS),
        "mistakes/contrasts": contrasts(table, INTERVALS),
        "mistakes/planted": planted_rates(known, INTERVALS),
        "mistakes/verification": verification_of("mistakes", figures),
    }
    return StudyData("tiny", "data", tables, settings)


def rows_of(turned=None, right=None, corrected=None, restated=None, problems=20):
    """All kinds at the last place; shares of the problems by kind."""
    turned, right, corrected = turned or {}, right or {}, corrected or {}
    restated = restated or {}
    kinds = ("none", "paraphrase", "filler", "result", "operand", "wait", "external")
    found = []
    for kind in kinds:
        for k in range(problems):
            seen = kind not in ("wait", "external")
            turn = seen and k < problems * turned.get(kind, 0)
            change = {"turned": turn, "noticed": turn} if seen else {}
            found.append(
                row(
                    kind,
                    k,
                    backtracks=int(turn),
                    correct=k < problems * right.get(kind, 1),
                    corrected=None
                    if kind in CONTROLS
                    else k < problems * corrected.get(kind, 1),
                    restated=k < problems * restated.get(kind, 0),
                    **change,
                )
            )
    return found


def sentence(data, start):
    (found,) = [text for text in SECTION.findings(data) if text.startswith(start)]
    return found


def test_the_headline_follows_from_the_tests():
    text = SECTION.headline(study(rows_of({"result": 0.9})))
    assert text.startswith(
        "The next sentence turns back more often than without a mistake after a wrong "
        "result (90.0% turn back, without it 0.0%; 0.0% state the right equation again"
    )
    assert "; this is not shown for a wrong copied number (0.0%" in text
    text = SECTION.headline(study(rows_of()))
    assert text.startswith("More turns back than without a mistake are not shown for a")
    text = SECTION.headline(study(rows_of(problems=9)))
    assert text.startswith("Not checked")


def test_noticing_is_told_against_every_control():
    turned = {"result": 0.9, "filler": 0.9}
    text = sentence(study(rows_of(turned)), "A wrong result (")
    assert "more often than after the unchanged thought (+90.0 points" in text
    assert "more often than after the paraphrase" in text
    assert "not shown to differ from the neutral sentence (+0.0 points" in text
    rows = [one for one in rows_of(turned) if one["kind"] != "paraphrase"]
    text = sentence(study(rows), "A wrong result (")
    assert "not checked against the paraphrase" in text


def test_right_statements_stand_beside_the_baseline():
    data = study(rows_of(restated={"operand": 0.3, "none": 0.4}))
    text = sentence(data, "A wrong copied number (")
    assert "30.0% (interval" in text
    assert "the right equation again, after the unchanged thought 40.0%" in text
    assert "no difference is shown (\u221210.0 points" in text
    data = study(rows_of(restated={"result": 0.9}))
    text = sentence(data, "A wrong result (")
    assert "after the unchanged thought 0.0%: more often (+90.0 points" in text
    text = sentence(study(rows_of(problems=5)), "A wrong result (")
    assert "the difference is not checked" in text
    told = [SECTION.headline(data), *SECTION.findings(data)]
    assert not any("correct it" in text or "corrected 1" in text for text in told)


def test_a_kind_that_is_not_at_its_place_is_named():
    rows = rows_of() + [row("unit", k, place="early") for k in range(3)]
    rows += [row("opposite", k, place="early") for k in range(3)]
    found = SECTION.findings(study(rows))
    assert sum("A wrong unit (3 thoughts" in text for text in found) == 1
    assert "at the place early" in sentence(study(rows), "A wrong unit (")
    assert sentence(study(rows), "Not tested").startswith(
        "Not tested: the result of the opposite operation; the study has it, but not at"
    )


def test_the_cost_is_told_only_if_a_test_shows_it():
    text = sentence(study(rows_of(right={"result": 0.2})), "A wrong result (")
    assert "20.0% of the final answers are right, fewer than without it (−80.0" in text
    text = sentence(study(rows_of()), "A wrong result (")
    assert "100.0% of the final answers are right; no change is shown" in text


def test_the_word_is_claimed_by_its_test_and_no_blind_spot():
    data = study(rows_of(corrected={"result": 0.1, "wait": 0.6}))
    user = sentence(data, "After the same wrong result")
    assert "in 10.0% (interval" in user
    assert "and in 100.0% (interval" in user
    assert "no blind spot for own mistakes is shown" in user
    word = sentence(data, "With \u201cWait\u201d")
    assert "the word helps (+50.0 points" in word
    assert "blind spot" not in word
    data = study(rows_of(corrected={"result": 0.9, "wait": 0.9, "external": 0.9}))
    assert "no difference is shown" in sentence(data, "With")
    data = study(rows_of(corrected={"wait": 0.1}))
    assert "the opposite (\u221290.0 points" in sentence(data, "With")
    data = study(rows_of(problems=5))
    assert "not checked (5 problems)" in sentence(data, "With")


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.78, "within 10 points (+0.0 points). This is more often"),
        (0.5, "not within 10 points (−28.0 points). This is more often"),
        (0.85, "within 10 points (+7.0 points), but the interval also allows the oth"),
        (0.1, "not within 10 points (−68.0 points). No difference from the same"),
    ],
)
def test_the_planted_rate_is_compared_with_its_margin(rate, words):
    rows = [boundary("planted", k, k < 100 * rate) for k in range(100)]
    rows += [boundary("none", k, k < 10, planted=0.1) for k in range(100)]
    data = study(rows_of(), rows)
    assert words in sentence(data, "Inserted slips")
    assert "the language plants 78.0%" in sentence(data, "Inserted slips")
    assert "where the language plants 78.0%" in SECTION.headline(data)


def test_few_problems_decide_nothing_on_planted_rates():
    data = study(rows_of(), [boundary("planted", k, turned=True) for k in range(9)])
    assert "is not checked" in sentence(data, "Inserted slips")


def test_what_the_study_does_not_have_is_named():
    found = SECTION.findings(study(rows_of()))
    text = " ".join(one for one in found if one.startswith("Not measured"))
    for words in ("opposite operation", "wrong final answers", "units", "own slips"):
        assert words in text
    assert "early, middle and final" in text
    assert "planted language" in text
    assert "copied numbers" not in text


def test_broken_edits_are_told():
    checks = Checks()
    checks.characters += [True, False]
    checks.tokens += [False, False]
    data = study(rows_of(), checks=checks)
    assert SECTION.findings(data)[-1].endswith(
        "Failed: 1 check of characters and tokens."
    )
    assert SECTION.findings(study(rows_of()))[-1].endswith("are the study’s own.")


def test_a_study_without_such_thoughts_is_not_measured():
    data = study([])
    assert SECTION.headline(data).startswith("Not measured: no thought of the study")
    assert SECTION.findings(data) == []
    assert SECTION.sheets(data) == []
    read = {key: value for key, value in CONFIG.items() if key != "generation"}
    text = SECTION.headline(study([], settings=read))
    assert "come from a file" in text


def test_sheets_and_figures_are_made_of_any_study():
    rows = rows_of({"result": 0.5})
    rows += [
        row(kind, k, place="slip") for kind in ("own", "mended") for k in range(12)
    ]
    boundaries = [boundary("planted", k, k % 3 > 0) for k in range(20)]
    for data in (study(rows, boundaries), study([]), study(rows_of(problems=2))):
        for draw, name in (
            (draw_noticed, "summary"),
            (draw_versions, "contrasts"),
            (draw_planted, "planted"),
        ):
            assert isinstance(draw(data.tables[f"mistakes/{name}"], 0.95), Figure)
        for sheet in SECTION.sheets(data):
            assert all(len(cells) == len(sheet.columns) for cells in sheet.rows)
        for text in SECTION.cases.values():
            assert text(data)


def test_every_drawn_kind_has_its_mark_and_the_baseline_its_line():
    table = study(rows_of({"none": 0.4, "result": 0.9})).tables["mistakes/summary"]
    figure = draw_noticed(table, 0.95)
    panel = figure.axes[0]
    shown = table.filter(~pl.col("kind").is_in(["wait", "external"])).height
    assert len(panel.containers) == shown
    assert 0.4 in {line.get_ydata()[0] for line in panel.lines}
