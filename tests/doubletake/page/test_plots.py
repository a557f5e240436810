"""Figures: equal data give equal bytes, and the style is readable."""

import re
import subprocess
import sys

import matplotlib
import numpy as np
import polars as pl
import pytest

from doubletake.page.plots import (
    COLUMN,
    MANY,
    STYLE,
    counted,
    draw_band,
    empty_figure,
    mark_size,
    new_figure,
    ordered_colours,
    save_figure,
    whole_ticks,
    with_interval,
    write_note,
)


def draw(path):
    figure, axes = new_figure(columns=2, extra_width=1.0)
    for colour, shift in zip(ordered_colours(3), range(3), strict=True):
        x = np.arange(5)
        axes[0, 0].plot(x, x + shift, color=colour, label=str(shift))
        draw_band(axes[0, 1], x, x - 1, x + 1, colour=colour)
    whole_ticks(axes[0, 0])
    write_note(figure, "five points")
    figure.legend(loc="outside right upper")
    save_figure(figure, path)
    return path.read_bytes()


def test_equal_data_give_equal_bytes(tmp_path):
    first = draw(tmp_path / "first.svg")
    matplotlib.rcParams["font.size"] = 30  # changed by other code
    assert draw(tmp_path / "second.svg") == first
    assert not list(tmp_path.glob("*.partial"))


def test_another_process_gives_the_same_bytes(tmp_path):
    here = tmp_path / "here.svg"
    save_figure(empty_figure("Nothing."), here)
    there = tmp_path / "there.svg"
    program = (
        "import sys; from doubletake.page.plots import *; "
        "save_figure(empty_figure('Nothing.'), sys.argv[1])"
    )
    command = [sys.executable, "-c", program, str(there)]
    environment = {"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "5"}
    subprocess.run(command, check=True, env=environment)
    assert there.read_bytes() == here.read_bytes()


def test_a_file_holds_no_date_and_no_font_to_install(tmp_path):
    text = draw(tmp_path / "figure.svg").decode()
    assert "dc:date" not in text
    assert "<text" not in text


@pytest.mark.parametrize("count", [1, 2, 6, 10])
def test_ordered_colours_go_from_dark_to_light_and_stay_off_white(count):
    colours = [matplotlib.colors.to_rgb(colour) for colour in ordered_colours(count)]
    luminance = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in colours]
    assert len(colours) == count
    assert luminance == sorted(luminance)
    assert luminance[-1] < 0.8


def test_an_empty_figure_says_why(tmp_path):
    figure = empty_figure("Nothing to draw: no trace.")
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["Nothing to draw: no trace."]
    save_figure(figure, tmp_path / "empty.svg")
    assert re.search(rb"<svg", (tmp_path / "empty.svg").read_bytes())


def test_a_count_has_whole_ticks_only():
    _, axes = new_figure()
    axes[0, 0].plot([0, 1], [0.0, 1.0])
    whole_ticks(axes[0, 0])
    ticks = axes[0, 0].get_xticks()
    assert all(tick == round(tick) for tick in ticks)


def test_marks_shrink_where_they_would_touch():
    assert mark_size(MANY) == STYLE["lines.markersize"]
    assert mark_size(MANY + 1) < COLUMN * 72 / 33 / 2  # 33 boundaries in a panel


def test_a_count_has_singular_and_plural():
    assert counted(1, "control") == "1 control"
    assert counted(1200, "control") == "1,200 controls"


def test_points_without_an_interval_are_left_out_and_counted():
    table = pl.DataFrame({"problems": [12, 9, 3, 10], "low": [0.1, None, None, 0.2]})
    shown, note = with_interval(table)
    assert shown["problems"].to_list() == [12, 10]
    assert note == (
        "Not checked, so not drawn: 2 points without an interval (problems: 3 to 9)."
    )
    shown, note = with_interval(
        table.filter(problems=9).rename({"low": "a_low"}), "a_low"
    )
    assert shown.is_empty()
    assert "1 point without an interval (problems: 9)" in note
    assert with_interval(table.drop_nulls())[1] == ""
    assert with_interval(table.head(0))[1] == ""


def test_a_point_whose_problems_are_all_equal_is_drawn():
    table = pl.DataFrame({"problems": [12, 14, 9], "low": [0.1, None, None]})
    shown, note = with_interval(table)
    assert shown["problems"].to_list() == [12, 14]
    assert "1 point without an interval (problems: 9)" in note
