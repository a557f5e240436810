"""Draws the matrix of correlations between methods, by family."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import matplotlib
import polars as pl
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from doubletake.page.plots import FAINT, INK, new_figure, write_note
from loop.methods import CAUSE, METHODS, TARGETS, Method

CELL = 0.46
"""Inches."""
COLOURS = "PuOr_r"
"""A diverging map that colour-blind readers can tell apart."""
SCALE = Normalize(-1.0, 1.0)
SAME, EMPTY = "#eef0f2", "#d0d7de"
DARK = 0.62
"""Size of a correlation from which on the text in its cell is white."""

Cell = Mapping[str, Any]
"""`value`, `n`, `claimed` and `same` of two methods."""


def draw_matrix(
    correlations: pl.DataFrame, planted: pl.DataFrame, level: float
) -> Figure:
    """The lower half of the matrix; the planted columns beside it, if there are any.

    Args:
        correlations: `LOOP_CORRELATIONS`.
        planted: `LOOP_PLANTED`.
        level: largest corrected p-value that is marked.
    """
    cells = {
        (row["second"], row["first"]): cell_of(row, "rho", level, row["same_family"])
        for row in correlations.to_dicts()
    }
    seen = {name for pair, cell in cells.items() if cell["n"] for name in pair}
    methods = [one for one in METHODS if one.column in seen]
    targets = {
        (row["method"], row["target"]): cell_of(row, "value", level, False)
        for row in planted.to_dicts()
    }
    wide, beside = len(methods), len(TARGETS) * bool(targets)
    figure, axes = new_figure(
        columns=2 if beside else 1,
        height=CELL * wide + 2.0,
        width_ratios=[wide, beside] if beside else [1],
    )
    figure.set_figwidth(CELL * (wide + beside) + 2.4)
    main = axes[0, 0]
    _prepare(main, wide, wide)
    for y, second in enumerate(methods):
        for x, first in enumerate(methods[:y]):
            draw_cell(main, x, y, cells[second.column, first.column])
    _name_axes(main, methods)
    if beside:
        _draw_planted(axes[0, 1], methods, targets)
    _explain(figure, main, wide)
    write_note(figure, _left_out(methods))
    return figure


def cell_of(row: Mapping[str, Any], name: str, level: float, same: bool) -> Cell:
    """What a cell shows; no value where there is no interval.

    Args:
        row: of `LOOP_CORRELATIONS` or `LOOP_PLANTED`.
        name: of the statistic.
        level: largest corrected p-value that is marked.
        same: whether both are of one family.
    """
    value, tested = row[name], row["p_holm"] is not None or row[f"{name}_low"]
    if value is not None and row.get("target") == CAUSE:
        value = 2 * value - 1
    claimed = row["p_holm"] is not None and row["p_holm"] <= level
    shown = value if tested is not None else None
    return {"value": shown, "n": row["n"], "claimed": claimed, "same": same}


def draw_cell(axes: Axes, x: int, y: int, cell: Cell) -> None:
    """One cell: its colour, its number, and how many events are behind it."""
    value = cell["value"]
    if value is None:
        axes.plot(x, y, ".", color=EMPTY, ms=4)
        return
    colour = SAME if cell["same"] else matplotlib.colormaps[COLOURS](SCALE(value))
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fc=colour, ec="white", lw=1.2))
    ink = "white" if abs(value) > DARK and not cell["same"] else INK
    if cell["same"]:
        ink = FAINT
    mark = "*" if cell["claimed"] else ""
    weight = "bold" if cell["claimed"] else "normal"
    centre = {"ha": "center", "va": "center"}
    text = short(value) + mark
    axes.text(x, y - 0.13, text, color=ink, fontsize=8.2, weight=weight, **centre)  # type: ignore[arg-type]
    axes.text(x, y + 0.26, f"{cell['n']}", color=ink, fontsize=5.8, **centre)  # type: ignore[arg-type]


def short(value: float) -> str:
    """0.587 as ".59", -0.04 as "−.04"."""
    text = f"{abs(value):.2f}"
    text = text if text.startswith("1") else text[1:]
    return f"\u2212{text}" if value < 0 and text.strip(".0") else text


def _prepare(axes: Axes, wide: int, high: int) -> None:
    axes.set(xlim=(-0.5, wide - 0.5), ylim=(high - 0.5, -0.5), aspect="equal")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _name_axes(axes: Axes, methods: list[Method]) -> None:
    """Names of the methods, and a bracket for every family on the left."""
    numbers = range(len(methods))
    labels = [method.label for method in methods]
    axes.set_yticks(numbers, labels)
    axes.set_xticks(numbers, labels, rotation=45, ha="right", rotation_mode="anchor")
    start = 0
    for family, members in groupby(methods, key=lambda method: method.family):
        size = len(list(members))
        left, end = start - 0.5, start + size - 0.5
        corners = ((left, left), (left, end), (end, end))
        x, y = zip(*corners, strict=True)
        axes.plot(x, y, color=FAINT, lw=1.0, clip_on=False)
        axes.text(end + 0.12, left + 0.5, family, fontsize=8, color=FAINT, va="center")
        start += size


def _draw_planted(
    axes: Axes, methods: list[Method], targets: Mapping[tuple[str, str], Cell]
) -> None:
    _prepare(axes, len(TARGETS), len(methods))
    for y, method in enumerate(methods):
        for x, target in enumerate(TARGETS):
            draw_cell(axes, x, y, targets[method.column, target])
    labels = [target.label for target in TARGETS.values()]
    numbers = range(len(TARGETS))
    axes.set_xticks(numbers, labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks([])
    axes.set_title("planted")


def _explain(figure: Figure, axes: Axes, wide: int) -> None:
    """The scale, in the empty half of the matrix."""
    inset = axes.inset_axes((0.56, 0.93, 0.4, 0.022))
    bar = figure.colorbar(
        ScalarMappable(SCALE, COLOURS), cax=inset, orientation="horizontal"
    )
    bar.set_ticks([-1, 0, 1], labels=["\u22121", "0", "1"])
    bar.outline.set_visible(False)
    inset.set_title("correlation", fontsize=8.5, weight="normal")
    lines = (
        "bold, star: holds after Holm\u2019s correction",
        "grey: one family, nothing is claimed",
        "small: backtracks that both have",
    )
    for number, line in enumerate(lines if wide > 8 else ()):
        place = (0.56, 0.87 - 0.03 * number)
        axes.annotate(line, place, xycoords="axes fraction", fontsize=8, color=FAINT)


def _left_out(methods: list[Method]) -> str:
    names = [one.label for one in METHODS if one not in methods]
    return f"Not measured: {', '.join(names)}." if names else ""
