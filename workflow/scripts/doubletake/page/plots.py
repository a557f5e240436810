"""Style of all figures, and helpers to draw and save them.

Figures are built without pyplot. Their text is stored as paths, so that a browser needs
no fonts. Equal data give byte-equal SVG files; only for labels in scripts that the
figures' own font lacks, the installed fonts matter, too.
"""

import io
import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from doubletake.page.fonts import make_drawable
from doubletake.running.files import write_whole
from doubletake.running.seals import BLANK, MARK, sealed

COLUMN = 3.5  # inches: width of one panel
INK, FAINT, ACCENT = "#24292f", "#6e7781", "#b5403a"
DASHED = (0, (4, 2))
NOTE_LETTERS = 16  # per inch of a note: a sentence in 8 points
MANY = 12  # lines with at most this many points get large markers and error bars
STYLE: Any = {  # Any, because matplotlib types each name of rcParams separately
    "svg.hashsalt": "doubletake",  # without it, ids of elements differ in every file
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 9.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.7,
    "lines.markersize": 4.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def new_figure(
    *,
    columns: int = 1,
    rows: int = 1,
    height: float = 3.4,
    extra_width: float = 0.0,
    **grid: Any,
) -> tuple[Figure, np.ndarray]:
    """A new figure in the common style and size.

    Args:
        columns: number of panels side by side.
        rows: number of rows of panels.
        height: height of the whole figure, in inches.
        extra_width: width beside the panels, in inches, e.g. for a legend.
        grid: arguments of `Figure.subplots` (`sharex`, `height_ratios`, ...).

    Returns:
        The figure and its axes, [row, column].
    """
    matplotlib.rcParams.update(STYLE)
    figure = Figure(
        figsize=(COLUMN * columns + extra_width, height), layout="constrained"
    )
    return figure, figure.subplots(rows, columns, squeeze=False, **grid)


def empty_figure(message: str) -> Figure:
    """A figure with a message: why there is nothing to draw."""
    figure, axes = new_figure(columns=1, height=1.3)
    axes[0, 0].set_axis_off()
    axes[0, 0].text(0.5, 0.5, message, ha="center", va="center", color=FAINT, wrap=True)
    return figure


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a sealed SVG file without a date, complete or not at all.

    Its labels are made drawable (`make_drawable`).
    """
    make_drawable(figure)
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    file.write(f"<!-- {MARK}: {BLANK} -->\n".encode())
    write_whole(path, sealed(file.getvalue()))


def ordered_colours(count: int) -> list[str]:
    """Colours of `count` ordered groups, from dark to light, safe for colour blindness.

    They are from viridis, without its lightest part, which is hard to see on white.
    """
    shades = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.8, max(count, 2)))
    return [matplotlib.colors.to_hex(shade) for shade in shades[:count]]


def draw_band(
    axes: Axes, x: ArrayLike, low: ArrayLike, high: ArrayLike, *, colour: str
) -> None:
    """Shade an interval around a line, faintly, so that several can overlap.

    A single point gets a bar, because it has no width to shade.
    """
    if np.size(x) == 1:
        axes.vlines(x, low, high, color=colour, linewidth=1, alpha=0.75)
    else:
        axes.fill_between(x, low, high, color=colour, alpha=0.13, linewidth=0)


def mark_size(count: int) -> float:
    """Size of the marks on a line of `count` points: small if they would touch."""
    return STYLE["lines.markersize"] if count <= MANY else 2.2


def whole_ticks(axes: Axes) -> None:
    """Put ticks only at whole numbers of the x axis."""
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))


def counted(n: int, noun: str) -> str:
    """`counted(2, "control")` is "2 controls"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def with_interval(table: pl.DataFrame, low: str = "low") -> tuple[pl.DataFrame, str]:
    """The rows with an interval, and a sentence on the others.

    Points without an interval are not drawn, because they would look as sure as the
    others. A row of as many problems as a row with an interval stays: its interval is
    missing because all its problems are equal.

    Args:
        table: with a column `problems`.
        low: the column with the lower end; null without an interval.

    Returns:
        The rows, and the sentence; it is empty if no row is left out.
    """
    given = pl.col(low).is_not_null()
    fewest_given = pl.col("problems").filter(given).min()
    kept = given | (pl.col("problems") >= fewest_given).fill_null(value=False)
    left_out = sorted(table.filter(~kept)["problems"].to_list())
    if not left_out:
        return table, ""
    fewest, most = left_out[0], left_out[-1]
    n = f"{most}" if fewest == most else f"{fewest} to {most}"
    points = counted(len(left_out), "point")
    return (
        table.filter(kept),
        f"Not checked, so not drawn: {points} without an interval (problems: {n}).",
    )


def write_note(figure: Figure, *lines: str) -> None:
    """Write lines below the panels, e.g. the number of cases; skip empty ones.

    A line that is wider than the figure is broken.
    """
    width = int(NOTE_LETTERS * figure.get_figwidth())
    text = "\n".join(textwrap.fill(line, width) for line in lines if line)
    figure.supxlabel(text, fontsize=8, color=FAINT, x=0.01, ha="left")
