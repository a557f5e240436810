"""Draws a comparison: panels with one colour and mark for each study."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from comparisons.places import words_of
from doubletake.page.plots import (
    DASHED,
    FAINT,
    counted,
    empty_figure,
    mark_size,
    new_figure,
    whole_ticks,
    write_note,
)
from doubletake.page.study_marks import study_mark
from doubletake.study.comparisons import Comparison, Panel

NUMBERS_HEIGHT = 3.0  # inches: a panel with an axis of numbers
ROW_HEIGHT, STUDY_HEIGHT = 0.16, 0.07  # inches: a row of words, and each study in it
LABELS = 0.6  # inches: title and axis
LETTER = 0.08  # inches: width of a letter of the legend
WHY = "not measured, or too few problems"
TICKS = 5  # at most, on an axis below words: percentages are wide


def draw(comparison: Comparison, rows: pl.DataFrame, studies: list[str]) -> Figure:
    """The figure of all studies.

    Args:
        comparison: its panels.
        rows: columns of `comparisons.places.SCHEMA`.
        studies: names of all studies, in their order; decides colours and marks.
    """
    drawn = rows.filter("drawn")
    if drawn.is_empty():
        return empty_figure(f"Not checked in any study: {WHY}.")
    panels = comparison.panels
    parts = [drawn.filter(panel=panel.title) for panel in panels]
    columns = 2 if len(panels) in (2, 4) else min(len(panels), 3)
    heights = [
        max(_height(part, studies) for part in parts[start : start + columns])
        for start in range(0, len(panels), columns)
    ]
    figure, grid = new_figure(
        columns=columns,
        rows=len(heights),
        height=sum(heights) + 0.35,
        extra_width=0.5,
        height_ratios=heights,
    )
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes, panel, part in zip(grid.flat, panels, parts, strict=False):
        _draw_panel(axes, panel, part, studies)
    handles = [
        grid[0, 0].plot([], [], mark.mark, color=mark.colour, label=name)[0]
        for name, mark in ((name, study_mark(k)) for k, name in enumerate(studies))
    ]
    longest = max(map(len, studies))
    fits = 2 * longest * LETTER < figure.get_figwidth() - 1
    figure.set_figheight(figure.get_figheight() + 0.17 * len(studies) / (1 + fits))
    figure.legend(
        handles=handles, loc="outside upper left", ncols=1 + fits, fontsize=8.5
    )
    write_note(figure, _absent(parts, panels, studies), _too_few(rows, studies))
    return figure


def _height(part: pl.DataFrame, studies: list[str]) -> float:
    if part["number"].count():
        return NUMBERS_HEIGHT
    lines = max(len(words_of(part)), 2)
    return LABELS + lines * (ROW_HEIGHT + STUDY_HEIGHT * len(studies))


def _draw_panel(
    axes: Axes, panel: Panel, part: pl.DataFrame, studies: list[str]
) -> None:
    axes.set_title(panel.title, wrap=True)
    if part.is_empty():
        axes.set_axis_off()
        message = f"not checked:\n{panel.only or WHY}"
        axes.text(0.5, 0.5, message, ha="center", color=FAINT, transform=axes.transAxes)
        return
    words = part["number"].count() == 0
    places = words_of(part) if words else []
    if panel.nothing is not None:
        line = axes.axvline if words else axes.axhline
        line(panel.nothing, color=FAINT, linewidth=0.9, linestyle=":")
    for number, name in enumerate(studies):
        rows = part.filter(study=name)
        if words:
            _draw_words(axes, rows, places, number, len(studies))
        else:
            _draw_line(axes, rows, number)
    if words:
        axes.set_yticks(range(len(places)), [name.replace("_", " ") for name in places])
        axes.set_ylim(len(places) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(TICKS))
    else:
        axes.set_xlabel(panel.axis)
        if (part["number"] % 1 == 0).all():
            whole_ticks(axes)
    if panel.percent:
        numbers = axes.xaxis if words else axes.yaxis
        numbers.set_major_formatter(PercentFormatter(1))


def _draw_words(
    axes: Axes, rows: pl.DataFrame, places: list[str], number: int, count: int
) -> None:
    """Marks of a study, a row per word, a little above or below those of others."""
    mark = study_mark(number)
    shift = 0.0 if count == 1 else 0.6 * (number / (count - 1) - 0.5)
    y = np.array([places.index(name) for name in rows["place"]]) + shift
    x, low, high = (rows[name].to_numpy() for name in ("value", "low", "high"))
    axes.hlines(y, low, high, color=mark.colour, linewidth=1.1, alpha=0.75)
    axes.plot(x, y, mark.mark, color=mark.colour)
    beside = rows["beside"].to_numpy()
    axes.plot(beside, y, "|", color=mark.colour, markersize=9, alpha=0.8)


def _draw_line(axes: Axes, rows: pl.DataFrame, number: int) -> None:
    mark = study_mark(number)
    rows = rows.sort("number", maintain_order=True)
    x, y, low, high, beside = (
        rows[name].to_numpy() for name in ("number", "value", "low", "high", "beside")
    )
    axes.fill_between(x, low, high, color=mark.colour, alpha=0.13, linewidth=0)
    axes.vlines(x, low, high, color=mark.colour, linewidth=0.9, alpha=0.5)
    size = mark_size(len(x))
    axes.plot(x, y, color=mark.colour, marker=mark.mark, markersize=size)
    axes.plot(x, beside, color=mark.colour, linestyle=DASHED, linewidth=1.2)


def _absent(
    parts: list[pl.DataFrame], panels: tuple[Panel, ...], studies: list[str]
) -> str:
    """Which studies have nothing in a panel that is for all of them."""
    shared = [part for part, panel in zip(parts, panels, strict=True) if not panel.only]
    missing = [
        name
        for name in studies
        if any(part.filter(study=name).is_empty() for part in shared)
    ]
    if not missing:
        return ""
    return f"Not in every panel ({WHY}): {', '.join(missing)}."


def _too_few(rows: pl.DataFrame, studies: list[str]) -> str:
    """How many points of each study are not drawn."""
    counts = {
        name: rows.filter(~pl.col("drawn"), study=name).height for name in studies
    }
    named = [f"{name} ({counted(n, 'point')})" for name, n in counts.items() if n]
    if not named:
        return ""
    return f"Not checked, so not drawn, without an interval: {', '.join(named)}."
