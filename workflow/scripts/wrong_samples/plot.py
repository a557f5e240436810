"""Figures of wrong samples: mended and spoiled thoughts, accuracy against tokens.

Inputs
    summary: `wrong_samples.tables.SUMMARY`.

Outputs
    mended: wrong thoughts that are mended and right ones that are spoiled, by action.
    cost: accuracy against tokens, by action.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    INK,
    counted,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    with_interval,
    write_note,
)
from doubletake.running.logs import job
from wrong_samples.names import (
    AFRESH,
    END,
    FIRST,
    LAST,
    RANDOM,
    RESAMPLE,
    RIGHT,
    STEER,
    STEER_WAIT,
    VOTE,
    WAIT,
    WRAP_UP,
    WRONG,
)
from wrong_samples.tables import SUMMARY

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_wrong_samples")

_SHADES = ordered_colours(4)
MARKS: dict[str, tuple[str, str]] = {
    RESAMPLE: ("D", INK),
    VOTE: ("s", INK),
    AFRESH: ("P", FAINT),
    RANDOM: ("X", FAINT),
    WAIT: ("v", _SHADES[2]),
    STEER: ("o", ACCENT),
    STEER_WAIT: ("^", _SHADES[0]),
    END: ("v", _SHADES[2]),
    WRAP_UP: ("o", ACCENT),
}
NOTHING = "Nothing to draw: no thought was continued."


def draw_mended(summary: pl.DataFrame, confidence: float) -> Figure:
    """Share of wrong thoughts that are mended and of right ones that are spoiled."""
    rows, unchecked = with_interval(summary.filter(place=LAST), "changed_low")
    if rows.is_empty():
        return empty_figure(unchecked or NOTHING)
    figure, axes = new_figure(columns=2, height=3.9)
    for panel, start, title in (
        (axes[0, 0], WRONG, "Wrong thoughts mended"),
        (axes[0, 1], RIGHT, "Right thoughts spoiled"),
    ):
        own = rows.filter(start=start)
        panel.set(title=title, ylabel="share of the continuations")
        panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        _draw_shares(panel, own)
    write_note(figure, _cases(rows, confidence), unchecked)
    return figure


def _draw_shares(axes: Axes, rows: pl.DataFrame) -> None:
    """Dots with intervals by action; the share of `resample` as a line."""
    if rows.is_empty():
        _say_nothing(axes)
        return
    for x, row in enumerate(rows.iter_rows(named=True)):
        mark, colour = MARKS[row["action"]]
        bar = _bar(row, "changed")
        axes.errorbar(
            [x], [row["changed"]], yerr=bar, fmt=mark, color=colour, ms=6, lw=1.2
        )
        if row["action"] == RESAMPLE:
            axes.axhline(row["changed"], color=INK, lw=0.9, ls=DASHED, zorder=1)
    names = [name.replace("_", "\n+ ") for name in rows["action"]]
    axes.set_xticks(np.arange(rows.height), names)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlim(-0.6, rows.height - 0.4)
    axes.set_ylim(-0.03, 1.03)
    axes.grid(axis="x", visible=False)


def draw_cost(summary: pl.DataFrame, confidence: float) -> Figure:
    """Accuracy against tokens spent, by action."""
    rows, unchecked = with_interval(summary, "accuracy_low")
    if rows.is_empty():
        return empty_figure(unchecked or NOTHING)
    figure, axes = new_figure(columns=3, height=3.9, sharey=True)
    for panel, start, place, title in (
        (axes[0, 0], WRONG, LAST, "Wrong, last arrival"),
        (axes[0, 1], RIGHT, LAST, "Right, last arrival"),
        (axes[0, 2], RIGHT, FIRST, "Right, first arrival"),
    ):
        own = rows.filter(start=start, place=place)
        panel.set(title=title, xlabel="tokens spent per draw", ylim=(-0.03, 1.03))
        _draw_costs(panel, own)
    axes[0, 0].set_ylabel("right answers")
    axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    shown = [name for name in MARKS if name in set(rows["action"])]
    handles = [
        Line2D([], [], marker=MARKS[name][0], ls="", color=MARKS[name][1], label=name)
        for name in shown
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=9, columnspacing=1)
    write_note(figure, _cases(rows, confidence), unchecked)
    return figure


def _draw_costs(axes: Axes, rows: pl.DataFrame) -> None:
    if rows.is_empty():
        _say_nothing(axes)
        return
    for row in rows.iter_rows(named=True):
        mark, colour = MARKS[row["action"]]
        bars: dict[str, Any] = {
            "xerr": _bar(row, "tokens"),
            "yerr": _bar(row, "accuracy"),
        }
        point = ([row["tokens"]], [row["accuracy"]])
        axes.errorbar(*point, fmt=mark, color=colour, ms=6, elinewidth=1, **bars)
    axes.set_xlim(left=0)


def _bar(row: dict[str, Any], name: str) -> np.ndarray | None:
    """Lengths of an error bar, [2, 1]; None without an interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return None
    return np.maximum(np.array([[row[name] - low], [high - row[name]]]), 0)


def _say_nothing(axes: Axes) -> None:
    axes.text(
        *(0.5, 0.5),
        "no share with an interval",
        transform=axes.transAxes,
        color=FAINT,
        ha="center",
    )
    axes.set_xticks([])


def _cases(rows: pl.DataFrame, confidence: float) -> str:
    parts = []
    for start in (WRONG, RIGHT):
        own = rows.filter(start=start)
        if own.height:
            thoughts = int(own["thoughts"].to_numpy().max())
            parts.append(counted(thoughts, f"{start} thought"))
    return f"{', '.join(parts)}. Bars: {confidence:.0%} over problems."


def main(
    *, summary_path: Path, mended_figure: Path, cost_figure: Path, confidence: float
) -> None:
    """Read the table, draw, save."""
    summary = SUMMARY.read(summary_path)
    save_figure(draw_mended(summary, confidence), mended_figure)
    save_figure(draw_cost(summary, confidence), cost_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            summary_path=Path(snakemake.input.summary),
            mended_figure=Path(snakemake.output.mended),
            cost_figure=Path(snakemake.output.cost),
            confidence=snakemake.params.confidence,
        )
