"""The figure of the free runs: those that differ, and those that turn back."""

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from doubletake.page.plots import (
    ACCENT,
    INK,
    empty_figure,
    new_figure,
    with_interval,
    write_note,
)
from doubletake.page.wording import plural
from injection.tables import ALWAYS, ONCE, RANDOM

NO_RUN = "Nothing to draw: no thought went on freely."


def draw_free(free: pl.DataFrame, confidence: float) -> Figure:
    """Free runs: left those that differ, right those that turn back."""
    shown, unchecked = with_interval(free, "turned_low")
    if shown.is_empty():
        return empty_figure(unchecked or NO_RUN)
    settings = shown.select("direction", "depth").unique(maintain_order=True).rows()
    figure, axes = new_figure(columns=2, height=4.6)
    for panel, column in zip(axes[0], ("differ", "turned"), strict=True):
        for mode, shift, filled in ((ONCE, -0.12, True), (ALWAYS, 0.12, False)):
            own = shown.filter(mode=mode)
            pairs = own.select("direction", "depth").rows()
            x = np.array([settings.index(pair) for pair in pairs]) + shift
            values = own[column].to_numpy()
            low, high = (
                own[f"{column}_{end}"].fill_null(own[column]).to_numpy()
                for end in ("low", "high")
            )
            ends = np.maximum([values - low, high - values], 0)
            face = ACCENT if filled else "white"
            panel.errorbar(
                x, values, yerr=ends, fmt="o", color=ACCENT, mfc=face, elinewidth=1
            )
        names = [f"{name}, {depth:.0%}" for name, depth in settings]
        panel.set_xticks(range(len(names)), names, rotation=60, ha="right")
        panel.set(ylim=(-0.03, 1.03), ylabel="share of runs")
    axes[0, 0].set_title("Differ from the unsteered run")
    axes[0, 1].set_title("Turn back in the next sentence")
    ticks = shown.select("direction", "depth").rows()
    axes[0, 1].plot(
        [settings.index(one) for one in ticks],
        shown["unsteered"],
        "_",
        color=INK,
        ms=12,
    )
    handles = [
        Line2D([], [], marker="o", ls="", color=ACCENT, label="once"),
        Line2D(
            [], [], marker="o", ls="", color=ACCENT, mfc="white", label="at every token"
        ),
        Line2D([], [], marker="_", ls="", color=INK, ms=12, label="unsteered"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    named = shown.filter(pl.col("direction") != RANDOM)
    n = plural(max(named["n"].to_list(), default=0), "run")
    note = f"{n} of each direction. Intervals: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure
