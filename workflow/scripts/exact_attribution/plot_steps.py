"""The figure that compares exact changes with the estimate, by step and by layer."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from doubletake.page.plots import (
    ACCENT,
    FAINT,
    INK,
    counted,
    empty_figure,
    new_figure,
    ordered_colours,
    with_interval,
    write_note,
)
from exact_attribution.tables import DIFFERENCE, GRADIENT, INTEGRATED

MOST_POINTS = 1500  # of each step in the scatter; of more words every second, ... one
EMPTY = "Nothing to draw: no word was replaced exactly."


def draw_steps(cells: pl.DataFrame, steps: pl.DataFrame, confidence: float) -> Figure:
    """Single words, and the correlations by step and by layer.

    Args:
        cells: `EXACT_CELLS`.
        steps: `EXACT_STEPS`.
        confidence: coverage of the intervals.
    """
    if cells.is_empty():
        return empty_figure(EMPTY)
    figure, axes = new_figure(columns=3, height=4.0)
    _draw_cells(axes[0, 0], cells)
    shown = steps.filter(pl.col("method") != DIFFERENCE).drop_nulls("pearson")
    shown, unchecked = with_interval(shown, "pearson_low")
    by_step = shown.filter(pl.col("layer").is_null())
    by_layer = shown.drop_nulls("layer")
    for panel in (axes[0, 1], axes[0, 2]):
        panel.axhline(0, color=FAINT, lw=0.8)
        panel.set(ylim=(-1.05, 1.05), ylabel="Pearson correlation")
    for method, marker, colour in (
        (GRADIENT, "o", INK),
        (INTEGRATED, "s", ACCENT),
    ):
        rows = by_step.filter(method=method)
        name = {GRADIENT: "gradient", INTEGRATED: "averaged gradients"}[method]
        # Beside the other mark of the whole way.
        shift = 0.03 if method == INTEGRATED else 0.0
        rows = rows.with_columns(pl.col("step") + shift)
        _draw_means(axes[0, 1], rows, "step", marker, colour, name)
    axes[0, 1].set(title="By step", xlabel="step", xlim=(0, 1.08))
    if by_step.height:
        axes[0, 1].set_xticks(sorted(by_step["step"].unique()))
        axes[0, 1].legend(loc="lower left")
    _draw_means(axes[0, 2], by_layer, "layer", "o", INK, "")
    axes[0, 2].set(title="By layer, whole way", xlabel="layer")
    axes[0, 2].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    events = counted(cells.select("trace", "event").n_unique(), "backtrack")
    note = f"{events}. Bars: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def _draw_cells(panel: Axes, cells: pl.DataFrame) -> None:
    """The sampled words, one colour for each step; all words if none is sampled."""
    is_sampled = (pl.col("step") < 1) | pl.col("integrated").is_not_null()
    sampled = cells.filter(is_sampled)
    sampled = sampled if sampled.height else cells
    values = sampled.select("estimate", "exact").to_numpy()
    linear = float(np.median(np.abs(values))) or 1.0
    limit = 1.3 * float(np.abs(values).max())
    panel.axline((0, 0), slope=1, color=FAINT, lw=0.8)
    steps = sorted(sampled["step"].unique(), reverse=True)
    for step, colour in zip(steps, ordered_colours(len(steps)), strict=True):
        rows = sampled.filter(pl.col("step") == step)
        rows = rows.gather_every(-(-rows.height // MOST_POINTS))
        panel.plot(
            rows["estimate"],
            rows["exact"],
            "o",
            label=f"{step:g}",
            color=colour,
            ms=2.6,
            mew=0,
            alpha=0.6,
        )
    for scale in (panel.set_xscale, panel.set_yscale):
        scale("symlog", linthresh=linear)
    panel.set(xlim=(-limit, limit), ylim=(-limit, limit))
    panel.set(title="Single words", xlabel="estimate", ylabel="exact change / step")
    panel.legend(
        title="step",
        loc="upper left",
        markerscale=2,
        frameon=True,
        edgecolor="none",
        framealpha=0.8,
    )
    for axis in (panel.xaxis, panel.yaxis):
        ticks = [-1.0, -0.01, 0, 0.01, 1.0]
        axis.set_ticks([tick for tick in ticks if abs(tick) < limit])
        axis.set_ticks([], minor=True)


def _draw_means(
    panel: Axes, rows: pl.DataFrame, x: str, marker: str, colour: str, name: str
) -> None:
    rows = rows.sort(x)
    checked = rows.drop_nulls("pearson_low")
    panel.vlines(
        checked[x],
        checked["pearson_low"],
        checked["pearson_high"],
        color=colour,
        lw=1.2,
    )
    style = "-" if rows.height > 1 else ""
    panel.plot(
        rows[x], rows["pearson"], marker=marker, ls=style, color=colour, label=name
    )
