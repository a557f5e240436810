"""Figures of the directions: their lengths, the test problems, how alike they are.

Inputs
    directions: `DIRECTIONS`.
    held_out: `DIRECTION_HELD_OUT`.
    cosines: `DIRECTION_COSINES`.

Outputs
    separation: length of each direction by boundary, beside shuffled labels.
    test_pairs: share of the matched pairs of test problems in order, and cosines.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from directions.tables import DIRECTION_COSINES, DIRECTION_HELD_OUT, DIRECTIONS, PROBE
from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    INK,
    draw_band,
    empty_figure,
    mark_size,
    new_figure,
    save_figure,
    whole_ticks,
    with_interval,
    write_note,
)
from doubletake.page.wording import plural
from doubletake.running.logs import job

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_directions")

PANELS = 4
"""Panels side by side."""
NO_DIRECTION = "Nothing to draw: no direction could be fitted."
NO_PAIR = "Nothing to draw: no matched pair on the test problems."


def draw_separation(directions: pl.DataFrame) -> Figure:
    """One panel per direction: its length by boundary, beside shuffled labels."""
    there = directions.filter(pl.col("why_not").is_null())
    parts = there.partition_by("direction", maintain_order=True)
    if not parts:
        return empty_figure(NO_DIRECTION)
    columns = min(PANELS, len(parts))
    rows = -(-len(parts) // columns)
    figure, axes = new_figure(
        columns=columns, rows=rows, height=2.2 * rows + 0.9, sharex=True
    )
    for panel in axes.flat[len(parts) :]:
        panel.set_axis_off()
    for panel, part in zip(axes.flat, parts, strict=False):
        _draw_length(panel, part)
    for panel in axes[:, 0]:
        panel.set_ylabel("length / residual norm")
    for column in range(columns):
        last = (len(parts) - 1 - column) // columns
        axes[last, column].set_xlabel("boundary")
        axes[last, column].tick_params(labelbottom=True)
    handles = [
        Line2D([], [], color=ACCENT, label="direction"),
        Line2D([], [], color=FAINT, ls=DASHED, label="shuffled labels"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    cases = there.unique("direction", maintain_order=True)
    note = ", ".join(
        f"{name}: {plural(n, 'case')}"
        for name, n in cases.select("direction", "cases").iter_rows()
    )
    write_note(figure, f"{note}.")
    return figure


def _draw_length(panel: Axes, part: pl.DataFrame) -> None:
    """Length of one direction by boundary."""
    x = part["boundary"].to_numpy()
    shuffled, highest = (
        part[name].to_numpy() for name in ("shuffled_separation", "shuffled_highest")
    )
    draw_band(panel, x, shuffled, highest, colour=INK)
    panel.plot(x, shuffled, ls=DASHED, color=FAINT)
    size = mark_size(len(x))
    panel.plot(x, part["separation"], "o-", color=ACCENT, ms=size)
    panel.set(title=part["direction"][0])
    panel.set_ylim(bottom=0)
    whole_ticks(panel)


def draw_test_pairs(
    held_out: pl.DataFrame, cosines: pl.DataFrame, confidence: float
) -> Figure:
    """Shares of ordered test pairs at the chosen boundaries, and all cosines."""
    chosen = held_out.filter("chosen")
    shown, unchecked = with_interval(chosen)
    if shown.is_empty():
        return empty_figure(unchecked or NO_PAIR)
    figure, axes = new_figure(columns=2, height=4.4, extra_width=1.2)
    _draw_shares(axes[0, 0], shown)
    probe = chosen.filter(direction=PROBE)
    boundary = (probe if probe.height else chosen)["boundary"][0]
    names = chosen["direction"].to_list()
    _draw_cosines(axes[0, 1], cosines.filter(boundary=boundary), names)
    axes[0, 1].set_title(f"Cosines at boundary {boundary}")
    handles = [
        Line2D([], [], marker="o", ls="", color=ACCENT, label="direction"),
        Line2D(
            [], [], marker="o", ls="", mfc="white", color=FAINT, label="shuffled labels"
        ),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    pairs = plural(max(shown["pairs"].to_list()), "pair")
    note = f"At most {pairs} a direction. Bars: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def _draw_shares(panel: Axes, rows: pl.DataFrame) -> None:
    """A dot with its interval for every direction, from top to bottom."""
    y = np.arange(rows.height)[::-1]
    values, low, high = (
        rows[name].to_numpy().astype(float) for name in ("ordered", "low", "high")
    )
    ends = np.nan_to_num(np.maximum([values - low, high - values], 0))
    panel.axvline(0.5, color=FAINT, lw=0.8)
    panel.plot(rows["shuffled"], y, "o", mfc="white", color=FAINT, ms=5)
    panel.errorbar(values, y, xerr=ends, fmt="o", elinewidth=1.2, color=ACCENT, ms=5)
    labels = [
        f"{name} (b. {boundary})"
        for name, boundary in rows.select("direction", "boundary").iter_rows()
    ]
    panel.set_yticks(y, labels)
    panel.set(title="Pairs in order", xlabel="share of test pairs")
    panel.grid(axis="y", visible=False)


def _draw_cosines(panel: Axes, rows: pl.DataFrame, names: list[str]) -> None:
    """A matrix of cosines, with the numbers in it."""
    number = {name: k for k, name in enumerate(names)}
    matrix = np.eye(len(names))
    for first, second, cosine in rows.select("first", "second", "cosine").iter_rows():
        if first in number and second in number:
            i, j = number[first], number[second]
            matrix[i, j] = matrix[j, i] = cosine
    panel.imshow(matrix, vmin=-1, vmax=1, cmap="RdBu_r", aspect="auto")
    for i, j in np.ndindex(matrix.shape):
        dark = abs(matrix[i, j]) > 0.7
        text = f"{100 * matrix[i, j]:.0f}".replace("-", "\u2212")
        colour = "white" if dark else INK
        panel.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
    panel.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
    panel.set_yticks(range(len(names)), names, fontsize=8)
    panel.set_xlabel("cosine × 100")
    panel.grid(visible=False)


def main(
    *,
    directions_path: Path,
    held_out_path: Path,
    cosines_path: Path,
    separation_figure: Path,
    test_pairs_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    directions = DIRECTIONS.read(directions_path)
    held_out = DIRECTION_HELD_OUT.read(held_out_path)
    cosines = DIRECTION_COSINES.read(cosines_path)
    save_figure(draw_separation(directions), separation_figure)
    pairs = draw_test_pairs(held_out, cosines, confidence)
    save_figure(pairs, test_pairs_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            directions_path=Path(snakemake.input.directions),
            held_out_path=Path(snakemake.input.held_out),
            cosines_path=Path(snakemake.input.cosines),
            separation_figure=Path(snakemake.output.separation),
            test_pairs_figure=Path(snakemake.output.test_pairs),
            confidence=snakemake.params.confidence,
        )
