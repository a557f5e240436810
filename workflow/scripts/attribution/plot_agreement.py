"""The figure that compares the estimates with exact patching."""

import math
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from attribution.agreement import STATISTICS, TOP
from doubletake.page.plots import (
    DASHED,
    FAINT,
    MANY,
    counted,
    draw_band,
    empty_figure,
    mark_size,
    new_figure,
    ordered_colours,
    with_interval,
    write_note,
)

MOST_POINTS = 3000  # of the scatter; of more cells every second, third, ... is drawn
LINES = {
    "pearson": ("Pearson", "o", "-"),
    "spearman": ("Spearman", "s", "-"),
    "sign": ("equal signs", "^", DASHED),
    "recall": (f"top {TOP} found", "D", DASHED),
}
METHOD_NAMES = {
    "gradient": "Gradient at the clean run",
    "integrated": "Gradients along a path (EAP-IG)",
}


def draw_agreement(
    checks: pl.DataFrame, cells: pl.DataFrame, method: str, confidence: float
) -> Figure:
    """Agreement with exact patching, for both methods, and the single cells.

    The agreement is shown by layer, where a layer has an interval, and of all layers.

    Only the residual stream is drawn, because every study scores it.

    Args:
        checks: `ATTRIBUTION_CHECKS`.
        cells: `ATTRIBUTION_CELLS`.
        method: method that the study uses.
        confidence: coverage of the intervals.
    """
    checks, cells = (table.filter(component="resid") for table in (checks, cells))
    if not cells.height:
        return empty_figure("No cell was patched exactly: there is nothing to compare.")
    shown, unchecked = with_interval(checks.drop_nulls("mean"))
    figure, axes = new_figure(columns=3, height=4.0)
    methods = sorted(METHOD_NAMES, key=lambda name: name != method)
    for panel, name in zip(axes[0], methods, strict=False):
        _draw_statistics(panel, shown.filter(method=name), cells["layer"].max())
        used = " (used)" if name == method else ""
        panel.set_title(f"{METHOD_NAMES[name]}{used}", fontsize=9.5)
        if shown.filter(method=name).is_empty():
            middle: Any = {"ha": "center", "transform": panel.transAxes}
            panel.text(0.5, 0.5, "not checked", color=FAINT, **middle)
    low = min(panel.get_ylim()[0] for panel in axes[0, :2])
    for panel in axes[0, :2]:
        panel.set_ylim(min(low, -0.05), 1.03)
    axes[0, 0].set_ylabel("agreement, mean over positions")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside upper left", ncols=len(labels))
    _draw_cells(axes[0, 2], cells, method)
    write_note(figure, _note(cells, confidence), unchecked)
    return figure


def _note(cells: pl.DataFrame, confidence: float) -> str:
    positions = cells.select("trace", "event").n_unique()
    per_layer = cells.height / cells.select("trace", "event", "layer").n_unique()
    chance = min(1.0, TOP / per_layer)
    problems = cells["problem"].n_unique()
    return (
        f"{cells.height:,} cells at {counted(positions, 'position')} of "
        f"{counted(problems, 'problem')}, {per_layer:.0f} tokens per position and "
        f"layer. Chance: 0 for correlations, 0.5 for signs, {chance:.2f} for the top "
        f"{TOP}. {confidence:.0%} intervals over problems."
    )


def _draw_statistics(panel: Axes, checks: pl.DataFrame, last: Any) -> None:
    """Lines by layer, up to the layer `last`; right of them, all layers together.

    Where no layer has an interval, only all layers together.
    """
    rows = checks.drop_nulls("layer").sort("layer")
    together = checks.filter(pl.col("layer").is_null())
    panel.axhline(0, color=FAINT, lw=0.8, zorder=0)
    if rows.is_empty():
        _draw_together(panel, together)
        return
    colours = ordered_colours(len(STATISTICS))
    layers = rows["layer"].n_unique()
    width = 0.3 if layers <= MANY else 0.0
    shifts = np.linspace(-width / 2, width / 2, len(STATISTICS))
    gap = 1 + last / 8  # from the last layer to the points of all layers
    middle = last + gap
    for (name, (label, mark, style)), colour, shift, at in zip(
        LINES.items(),
        colours,
        shifts,
        np.linspace(middle - gap / 3, middle + gap / 3, len(STATISTICS)),
        strict=True,
    ):
        means = rows.filter(statistic=name)
        x = means["layer"].to_numpy() + shift
        if layers <= MANY:
            bars: Any = {"color": colour, "lw": 1, "alpha": 0.7}
            panel.vlines(x, means["low"], means["high"], **bars)
        else:
            draw_band(panel, x, means["low"], means["high"], colour=colour)
        look: Any = {"marker": mark, "ls": style, "lw": 1.2, "color": colour}
        look |= {"ms": mark_size(layers)}
        panel.plot(x, means["mean"], label=label, **look)
        for row in together.filter(statistic=name).to_dicts():
            panel.vlines(at, row["low"], row["high"], color=colour, lw=1, alpha=0.7)
            panel.plot(at, row["mean"], marker=mark, color=colour)
    panel.set_xlabel("layer")
    locator = MaxNLocator(nbins=8, integer=True, min_n_ticks=1)
    ticks = [tick for tick in locator.tick_values(0, last) if 0 <= tick <= last]
    names = [f"{tick:.0f}" for tick in ticks]
    panel.set_xticks([*ticks, middle], [*names, "all"])
    panel.set_xlim(-0.5, middle + 0.7 * gap)


def _draw_together(panel: Axes, together: pl.DataFrame) -> None:
    """One place per statistic, for all layers together."""
    colours = ordered_colours(len(STATISTICS))
    for place, (name, colour) in enumerate(zip(LINES, colours, strict=True)):
        for row in together.filter(statistic=name).to_dicts():
            panel.vlines(place, row["low"], row["high"], color=colour, lw=1.2)
            panel.plot(place, row["mean"], marker=LINES[name][1], color=colour)
    names = [label.replace(" ", "\n", 1) for label, *_ in LINES.values()]
    panel.set_xticks(range(len(names)), names, fontsize=8)
    panel.set_xlim(-0.6, len(names) - 0.4)
    panel.set_xlabel("all layers together")


def _draw_cells(panel: Axes, cells: pl.DataFrame, method: str) -> None:
    """Estimate against exact change, on axes that are linear near 0 only."""
    cells = cells.gather_every(math.ceil(cells.height / MOST_POINTS))
    exact, estimate = (cells[name].to_numpy() for name in ("exact", method))
    near = float(np.quantile(np.abs(exact), 0.5)) or 1.0
    layers = cells["layer"].unique().sort().to_list()
    for layer, colour in zip(layers, ordered_colours(len(layers)), strict=True):
        inside = cells["layer"].to_numpy() == layer
        look: Any = {"ms": 2.5, "alpha": 0.5, "color": colour}
        panel.plot(exact[inside], estimate[inside], ".", **look)
    largest = float(max(np.abs(exact).max(), np.abs(estimate).max())) * 1.3 or 1.0
    panel.plot([-largest, largest], [-largest, largest], color=FAINT, lw=0.8, zorder=0)
    panel.set_xscale("symlog", linthresh=near)
    panel.set_yscale("symlog", linthresh=near)
    panel.set(xlim=(-largest, largest), ylim=(-largest, largest))
    for axis in (panel.xaxis, panel.yaxis):
        power = 10 ** np.floor(np.log10(largest))
        axis.set_ticks([-power, 0, power])
    panel.set_title(f"Cells, layers {layers[0]} (dark) to {layers[-1]}", fontsize=9.5)
    panel.set(xlabel="exact change of the metric", ylabel="estimate")
