"""Sentences follow from the intervals; figures and page work with empty tables."""

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from tiny_exact import caused, event_row, stepped, studied, truth_of
from tiny_report import SETTINGS

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from exact_attribution.cause_ranks import causes_table
from exact_attribution.claims import corrected
from exact_attribution.page import SECTION
from exact_attribution.plot import draw_causes, draw_recall
from exact_attribution.plot_steps import draw_steps
from exact_attribution.recall import recall_table
from exact_attribution.sizes import sizes_table
from exact_attribution.steps import steps_table
from exact_attribution.tables import EXACT_CELLS, EXACT_EVENTS, EXACT_WORDS
from turns.tables import TURNS

INTERVALS = IntervalSettings()
CONFIG = SETTINGS | {"intervals": {"confidence": 0.95, "least_problems": 10}}


def study(words=None, events=None, cells=None, truth=None, turns: int = 0) -> StudyData:
    words = EXACT_WORDS.frame([]) if words is None else words
    events = EXACT_EVENTS.frame([]) if events is None else events
    cells = EXACT_CELLS.frame([]) if cells is None else cells
    spread = pl.DataFrame({"metric_value": [-1.0, 1.0]})
    truth = truth_of(0) if truth is None else truth
    row = {
        "trace": "0/0",
        "problem": "0",
        "kind": "backtrack",
        "ordinal": 1,
        "position": 9,
        "next_id": 1,
        "logprob": -1.0,
        "predicted_id": 1,
        "predicted_text": "Wait",
        "is_word": True,
        "selected": True,
    }
    steps, recall, causes = corrected(
        steps_table(cells, INTERVALS),
        recall_table(words, events, INTERVALS),
        causes_table(words, events, truth, INTERVALS),
    )
    tables = {
        "exact_attribution/events": events,
        "exact_attribution/words": words,
        "exact_attribution/cells": cells,
        "exact_attribution/steps": steps,
        "exact_attribution/recall": recall,
        "exact_attribution/sizes": sizes_table(words, events, spread, INTERVALS),
        "exact_attribution/causes": causes,
        "turns": TURNS.frame([row | {"event": k} for k in range(turns)]),
    }
    return StudyData("tiny", "data", tables, CONFIG)


def findings(**parts) -> str:
    return "\n".join(SECTION.findings(study(**parts)))


def test_a_good_estimate_is_claimed_and_a_blind_one_is_not():
    draw = np.random.default_rng(5)
    words, events = studied(draw, 0.3)
    text = SECTION.headline(study(words, events, turns=20))
    assert text.startswith("At 14 backtracks, the estimate finds ")
    assert "(chance 25%), more often than chance." in text
    blind = study(*studied(np.random.default_rng(6), 1e6), turns=20)
    assert "not told from chance" in SECTION.headline(blind)


def test_fewer_than_ten_problems_claim_nothing():
    words, events = studied(np.random.default_rng(5), 0.0, problems=9)
    data = study(words, events, cells=stepped(np.random.default_rng(1), STEPS, 9))
    text = SECTION.headline(data) + "\n".join(SECTION.findings(data))
    assert "than chance" not in text
    assert "chance is not checked: 9 problems" in text
    assert "Whether it falls is not checked: 9 problems." in text
    assert "at single layers is not checked" in text


STEPS = {0.1: 0.05, 1: 3.0}


def test_the_fall_with_the_step_and_the_layers():
    cells = stepped(np.random.default_rng(1), STEPS)
    words, events = studied(np.random.default_rng(5), 0.3)
    text = findings(words=words, events=events, cells=cells)
    assert "It falls with the step (difference" in text
    assert "outside of the range in which the model is linear" in text
    assert "it is not shown to agree before layer 5 (\u2212" in text
    equal = stepped(np.random.default_rng(2), {0.1: 0.4, 1: 0.4})
    text = findings(words=words, events=events, cells=equal)
    assert "It is not told to change with the step" in text
    assert "it is shown to agree before layer 2" in text


def test_a_planted_cause_beside_chance_and_beside_the_estimate():
    words, events = caused(np.random.default_rng(7), -9.0, 24)
    data = study(words, events, truth=truth_of(24))
    text = "\n".join(SECTION.findings(data))
    assert "by exact patching at 24 of 24 backtracks, 100% (86% to 100%" in text
    assert "chance 25%; more often than chance)" in text
    assert "it is more often there than by the estimate" in text
    assert "of 24 backtracks by exact patching" in SECTION.headline(data)
    (sheet, _) = SECTION.sheets(data)
    first = ("slip", "by exact patching", "24", "24", "0", "100%")
    assert sheet.rows[0][: len(first)] == first


def test_causes_of_stop_words_are_misses_of_the_recipe():
    words, events = caused(np.random.default_rng(7), -9.0)
    words = words.with_columns(is_ranked=~pl.col("is_cause"))
    text = findings(words=words, events=events, truth=truth_of(14))
    assert "by exact patching at 14 of 14 backtracks" in text
    assert "by the published recipe at 0 of 14 backtracks, 0%" in text
    why = "at 14 backtracks it ranks no word of the cause: counted as misses"
    assert text.count(why) == 1


def test_the_budget_is_named():
    words, events = studied(np.random.default_rng(5), 0.3)
    assert "14 were measured: these are all." in findings(
        words=words, events=events, turns=14
    )
    assert "the config asks for no more" in findings(
        words=words, events=events, turns=15
    )
    late = event_row(30, 12, budget="late", metric_value=None)
    late |= {"words": None, "whole": None, "whole_layer": None}
    more = pl.concat([events, EXACT_EVENTS.frame([late])])
    text = findings(words=words, events=more, turns=15)
    assert "the time was over before 1 more" in text
    assert "These are all words of their contexts but stop words." in text
    assert "in a planted cause" not in text
    some = events.with_columns(context_words=pl.lit(20, pl.Int32))
    text = findings(words=words, events=some)
    assert "exactly. They are the first words of the published ranking" in text
    mixed = pl.concat([events.head(2), some.tail(12)])
    text = findings(words=words, events=mixed)
    assert "At 2 backtracks these are all words of the context but stop words. " in text
    # The words of a cause stand for no word of the context.
    own = pl.when(word="w3").then(pl.lit("cause")).otherwise("source")
    text = findings(words=words.with_columns(source=own), events=events)
    assert "154 words were replaced exactly. They are the first words" in text
    assert "14 more are in a planted cause" in text


def test_sizes_stand_beside_the_whole_context():
    words, events = studied(np.random.default_rng(5), 0.3, top=4)
    text = findings(words=words, events=events)
    size = words.filter(exact_rank=1)["exact"].abs().mean()
    assert f"changes the metric by {size:.2f} nats in the mean" in text
    assert f"This is {100 * size / 2:.0f}% (" in text
    assert "A random other word changes it by" in text


@pytest.mark.parametrize(
    ("turns", "reason"), [(0, "no backtrack was found"), (3, "selects no backtrack")]
)
def test_a_study_without_backtracks_says_why(turns, reason):
    data = study(turns=turns)
    assert SECTION.headline(data).startswith("Not measured: ")
    assert reason in SECTION.headline(data)
    assert SECTION.findings(data) == SECTION.sheets(data) == []
    assert all(case(data) for case in SECTION.cases.values())


def test_figures_of_full_and_of_empty_tables():
    words, events = caused(np.random.default_rng(7), -9.0)
    full = study(words, events, stepped(np.random.default_rng(1), STEPS), truth_of(14))
    empty = study()
    for data, panels in ((full, 3), (empty, 1)):
        tables = {key.rpartition("/")[2]: table for key, table in data.tables.items()}
        figure = draw_steps(tables["cells"], tables["steps"], 0.95)
        assert isinstance(figure, Figure)
        assert len(figure.axes) == panels
        for drawn in (
            draw_recall(tables["recall"], 0.95),
            draw_causes(tables["causes"], 0.95),
        ):
            (axes,) = drawn.axes
            assert bool(axes.lines) == (data is full)
    few = study(*caused(np.random.default_rng(7), -9.0, 9), truth=truth_of(9))
    figure = draw_causes(few.tables["exact_attribution/causes"], 0.95)
    assert "Not checked" in figure.axes[0].texts[0].get_text()
