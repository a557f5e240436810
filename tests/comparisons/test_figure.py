"""The points of a comparison, and how they are drawn."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from comparisons.figure import draw
from comparisons.places import SCHEMA, all_rows, points
from doubletake.page.study_marks import COLOURS, MARKS, study_mark
from doubletake.study.comparisons import Comparison, Panel

WORDS = Panel(
    title="Rate",
    table="t",
    across="kind",
    value="rate",
    where={"place": "last"},
    beside=("chance", "other"),
    nothing=0.5,
    percent=True,
)
LINE = Panel(
    title="Depth",
    table="t",
    across="layer",
    value="rate",
    where={"place": "last"},
    of_last=True,
    axis="depth",
)


def table(shift=0.0, problems=20):
    rows = [
        {
            "kind": kind,
            "layer": layer,
            "place": place,
            "rate": 0.5 + shift + layer / 100,
            "rate_low": 0.4,
            "rate_high": 0.9,
            "chance": 0.1,
            "other": 0.2,
            "problems": problems,
        }
        for place in ("first", "last")
        for layer, kind in enumerate(("late", "early", "again"))
    ]
    return pl.DataFrame(rows)


def test_only_the_wanted_rows_are_drawn_in_their_order():
    rows = points(WORDS, "one", table())
    assert rows.schema == SCHEMA
    assert rows["place"].to_list() == ["late", "early", "again"]
    assert rows["value"].to_list() == [0.5, 0.51, 0.52]
    assert rows["low"].to_list() == [0.4] * 3
    assert rows["beside"].to_list() == [0.2] * 3  # the highest
    assert rows["number"].null_count() == 3


def test_layers_become_shares_of_the_last_one():
    rows = points(LINE, "one", table())
    assert rows["number"].to_list() == [0.0, 0.5, 1.0]


def test_a_wanted_value_can_be_null():
    panel = Panel(
        title="Rate", table="t", across="kind", value="rate", where={"place": None}
    )
    without = table(0.25).with_columns(place=pl.lit(None, pl.String))
    rows = points(panel, "one", pl.concat([table(), without]))
    assert set(rows["value"].to_list()) == {0.75, 0.76, 0.77}


def test_points_without_a_needed_interval_are_not_drawn_but_counted():
    few = table(problems=2).with_columns(rate_low=None)
    both = pl.concat([table(), few], how="vertical_relaxed")
    rows = points(WORDS, "one", both)
    assert rows["drawn"].to_list() == [True] * 3 + [False] * 3
    figure = draw(Comparison("c", (WORDS,)), rows, ["one"])
    assert "one (3 points)" in figure.get_supxlabel()
    (line,) = (
        x for x in figure.axes[0].lines if list(x.get_xdata()) == [0.5, 0.51, 0.52]
    )
    assert line.get_marker() == MARKS[0]
    once = Panel(
        title="Rate", table="t", across="kind", value="rate", measured_once=True
    )
    assert points(once, "one", few)["drawn"].all()


def test_depth_is_that_of_the_last_layer_of_the_table():
    short = table().with_columns(
        rate=pl.when(pl.col("layer") < 2).then("rate"),
    )
    assert points(LINE, "one", short)["number"].to_list() == [0.0, 0.5]


def test_a_study_that_cannot_have_a_panel_is_not_called_missing():
    tables = {"one": {"t": table()}, "two": {"t": table().clear()}}
    panel = replace(WORDS, only="planted languages only")
    figure = draw(Comparison("c", (panel,)), all_rows([panel], tables), list(tables))
    assert figure.get_supxlabel() == ""


def test_long_names_stand_below_each_other():
    names = [f"a-model-with-a-rather-long-name-{k} on problems" for k in range(7)]
    rows = all_rows([WORDS], {name: {"t": table()} for name in names})
    figure = draw(Comparison("c", (WORDS,)), rows, names)
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_every_study_has_its_own_colour_and_mark():
    marks = [study_mark(number) for number in range(36)]
    assert len(set(marks)) == 36
    assert {mark.colour for mark in marks[:6]} == set(COLOURS)


@pytest.mark.parametrize("panel", [WORDS, LINE])
def test_a_study_is_drawn_at_its_values(panel):
    names = ["one", "two"]
    rows = all_rows([panel], {"one": {"t": table()}, "two": {"t": table(0.25)}})
    figure = draw(Comparison("c", (panel,)), rows, names)
    axes = figure.axes[0]
    for number, name in enumerate(names):
        (line,) = (
            line
            for line in axes.lines
            if line.get_marker() == MARKS[number] and len(line.get_xdata())
        )
        values = line.get_xdata() if panel is WORDS else line.get_ydata()
        expected = rows.filter(study=name)["value"].to_numpy()
        np.testing.assert_allclose(np.asarray(values, float), expected)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names


def test_the_figure_says_which_studies_are_missing():
    empty = table().clear()
    tables = {"one": {"t": table()}, "two": {"t": empty}}
    figure = draw(Comparison("c", (WORDS,)), all_rows([WORDS], tables), ["one", "two"])
    assert "two" in figure.get_supxlabel()
    assert "one" not in figure.get_supxlabel()
    nothing = all_rows([WORDS], {"one": {"t": empty}})
    figure = draw(Comparison("c", (WORDS,)), nothing, ["one"])
    assert "Not checked in any study" in figure.axes[0].texts[0].get_text()
