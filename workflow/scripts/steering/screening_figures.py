"""Figures of the screening: turning against coherence, and a map of the scores."""

from typing import Any

import matplotlib
import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    INK,
    counted,
    empty_figure,
    new_figure,
    write_note,
)
from steering.names import CONTROLS, DIRECTION, GRID, NONE, PUBLISHED, in_words

NOT_SCREENED = "Nothing to draw: no direction was screened."
MAP = matplotlib.colormaps["RdBu_r"]
GROUPS: dict[str, dict[str, Any]] = {
    "control": {"marker": ".", "color": FAINT, "alpha": 0.6, "ms": 5},
    DIRECTION: {"marker": "o", "color": ACCENT, "alpha": 0.6, "ms": 4.5},
    PUBLISHED: {"marker": "D", "color": INK, "ms": 5},
}


def draw_trade(cells: pl.DataFrame, tolerance: float) -> Figure:
    """The change of the turn rate against the coherence that is left."""
    steered = cells.filter(pl.col("source") != NONE).drop_nulls(
        ["kept", "turned_shift"]
    )
    if steered.is_empty():
        return empty_figure(NOT_SCREENED)
    figure, axes = new_figure(height=4.0, extra_width=1.4)
    panel = axes[0, 0]
    published = pl.col("setting") == PUBLISHED
    groups = {
        "control": steered.filter(pl.col("source").is_in(CONTROLS)),
        DIRECTION: steered.filter(~published, source=DIRECTION),
        PUBLISHED: steered.filter(published),
    }
    panel.axhline(0, color=FAINT, lw=0.8)
    panel.axvline(1 - tolerance, color=INK, ls=DASHED, lw=0.9)
    for name, rows in groups.items():
        panel.plot(rows["kept"], 100 * rows["turned_shift"], ls="", **GROUPS[name])
    panel.plot([1], [0], "D", mfc="white", color=INK, ms=6)
    panel.set(
        title="Turns against coherence",
        xlabel="coherence, share of none",
        ylabel="change of the share that turns, points",
    )
    handles = [
        Line2D([], [], ls="", label=f"{name} ({rows.height})", **GROUPS[name])
        for name, rows in groups.items()
        if rows.height
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    write_note(figure, _cases(cells))
    return figure


def draw_screening(cells: pl.DataFrame) -> Figure:
    """The largest score of each direction and boundary, over positions."""
    rows = cells.filter(setting=GRID, source=DIRECTION).drop_nulls("score")
    if rows.is_empty():
        return empty_figure(NOT_SCREENED)
    names = rows["direction"].unique(maintain_order=True).to_list()
    boundaries = sorted(set(rows["boundary"]))
    scores = np.full((len(names), len(boundaries)), np.nan)
    for name, boundary, score in rows.select(
        "direction", "boundary", "score"
    ).iter_rows():
        place = names.index(name), boundaries.index(boundary)
        scores[place] = np.fmax(scores[place], score)
    figure, axes = new_figure(height=1.5 + 0.34 * len(names), extra_width=2.0)
    panel = axes[0, 0]
    largest = max(1.0, float(np.nanmax(np.abs(scores))))
    panel.imshow(scores, cmap=MAP, vmin=-largest, vmax=largest, aspect="auto")
    for (row, column), score in np.ndenumerate(scores):
        if not np.isnan(score):
            colour = "white" if abs(score) > 0.6 * largest else INK
            text = f"{score:+.1f}".replace("-", "\u2212")
            panel.text(column, row, text, ha="center", va="center", color=colour)
    for row in rows.filter(chosen=True).iter_rows(named=True):
        x, y = boundaries.index(row["boundary"]), names.index(row["direction"])
        box = matplotlib.patches.Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, lw=1.8)
        box.set_edgecolor(INK)
        panel.add_patch(box)
    panel.set_xticks(range(len(boundaries)), [str(one) for one in boundaries])
    panel.set_yticks(range(len(names)), [in_words(name) for name in names])
    panel.grid(visible=False)
    panel.set(title="Slope over that of random vectors", xlabel="boundary")
    write_note(figure, _cases(cells), "The box marks the chosen place.")
    return figure


def _cases(cells: pl.DataFrame) -> str:
    """How many thoughts and cells the screening has."""
    none = cells.filter(source=NONE)
    thoughts = int(none["cases"].sum())
    return (
        f"{counted(thoughts, 'thought')}, one for each problem; "
        f"{counted(cells.height - none.height, 'cell')}."
    )
