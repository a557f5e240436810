"""The four figures of the first screen: what they draw, of which studies."""

import numpy as np
import polars as pl
import pytest

from doubletake.page.study_marks import MARKS
from doubletake.stats.intervals import IntervalSettings
from overview.panels import PANELS, Drawn, draw, exits_by_number

INTERVALS = IntervalSettings(0.95, 5)


def study(number=0, problems=20):
    names = [f"{k:05d}" for k in range(problems)]
    exits = [
        {
            "trace": f"{name}/0",
            "exit": exit_number,
            "correct": (k + exit_number) % 4 != 0,
            "whole_logprob": -1.0 / (1 + exit_number),
        }
        for k, name in enumerate(names)
        for exit_number in range(3)
    ]
    ends = {"change_low": -0.1, "change_high": 0.1, "problems": problems}
    tables = {
        "traces": pl.DataFrame({"trace": [f"{n}/0" for n in names], "problem": names}),
        "early_exit": pl.DataFrame(exits),
        "exit_policies/policies": pl.DataFrame(
            [
                ends
                | {"family": family, "stopped": 3, "policy": policy}
                | {"total_rate": 0.5, "change": 0.01}
                for family, policy in [
                    ("rule", "a"),
                    ("rule", "no_thought"),
                    ("hindsight", "b"),
                ]
            ]
        ),
        "probing": pl.DataFrame(
            [
                {
                    "contrast": contrast,
                    "boundary": boundary,
                    "auroc": 0.6,
                    "auroc_low": 0.5,
                    "auroc_high": 0.7,
                    "shuffled_auroc": 0.5,
                    "token_auroc": 0.55,
                    "depth_auroc": 0.4,
                    "problems": problems,
                }
                for contrast in ("backtrack_control", "right_arrival")
                for boundary in range(4)
            ]
        ),
        "repair/gains": pl.DataFrame(
            [
                {"start": start, "arrival": k, "gain": 0.1, "gain_low": 0.0}
                | {"gain_high": 0.2, "problems": problems}
                for start in ("arrival", "pooled")
                for k in (1, 2)
            ]
        ),
    }
    return Drawn(f"study {number}", tables, INTERVALS, number)


def test_exits_are_counted_with_their_interval():
    rows = exits_by_number(study())
    assert rows["exit"].to_list() == [0, 1, 2]
    assert rows["accuracy"].to_list() == [0.75, 0.75, 0.75]
    assert rows["probability"].to_list() == pytest.approx(
        [np.exp(-1), np.exp(-1 / 2), np.exp(-1 / 3)]
    )
    assert (rows["low"] < 0.75).all()
    assert (rows["high"] > 0.75).all()
    few = exits_by_number(study(problems=4))
    assert few["low"].null_count() == 3


@pytest.mark.parametrize("question", PANELS)
def test_every_study_has_its_own_mark(question):
    figure = draw(question, [study(0), study(1)])
    axes = figure.axes[0]
    used = {line.get_marker() for line in axes.lines} - {"None", None}
    assert used == set(MARKS[:2])
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["study 0", "study 1"]
    assert draw(question, [study(0)]).axes[0].get_legend() is None


def test_rules_without_hindsight_and_without_exit_zero_are_drawn():
    axes = draw("stops", [study()]).axes[0]
    (marks,) = (line for line in axes.lines if line.get_marker() == MARKS[0])
    assert list(marks.get_xdata()) == [0.5]


def test_the_best_control_stands_beside_the_probe():
    axes = draw("turns", [study()]).axes[0]
    heights = [set(np.asarray(line.get_ydata(), float)) for line in axes.lines]
    assert {0.6} in heights
    assert {0.55} in heights


@pytest.mark.parametrize("question", PANELS)
def test_empty_tables_give_a_message(question):
    one = study()
    empty = {name: table.clear() for name, table in one.tables.items()}
    figure = draw(question, [Drawn("none", empty, INTERVALS, 0)])
    assert "Not checked" in figure.axes[0].texts[0].get_text()
