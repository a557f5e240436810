"""Figures of attention: what each head writes, where it looks, where layers look.

Inputs
    summary: `attention.tables.ATTENTION_SUMMARY`.
    heads: `attention.tables.ATTENTION_HEADS`.

Outputs
    attribution, arrivals: heat maps of layers and heads.
    bins: attention to each bin by layer.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from attention.tables import (
    ARRIVAL,
    ATTENTION_HEADS,
    ATTENTION_SUMMARY,
    BINS,
    KINDS,
    PARTS,
)
from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    INK,
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
from doubletake.running.logs import job
from matches.tables import DIFFERENCE, MATCHED

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_attention")

NOTHING = "Nothing to draw: no backtrack was selected."
SIGNED_COLOURS = "PuOr_r"  # diverging, safe for colour-blind readers
FRAMED = 3  # heads that are framed in each heat map
MOST_NUMBERS = 64  # heat maps with more cells show no numbers
TITLES = {
    "backtrack": "At backtracks",
    MATCHED: "At backtracks with a control",
    "control": "At their controls",
    DIFFERENCE: "Mean difference of the pairs",
}
LABELS = {
    "backtrack": "at backtracks",
    MATCHED: "at backtracks with a control",
    "control": "at their controls",
}
BIN_TITLES = {
    "bos": "BOS",
    "question": "Question",
    **{part: f"Thought, part {k} of 5" for k, part in enumerate(PARTS, 1)},
    "current_sentence": "Current sentence",
    ARRIVAL: "Last arrival's sentence",
}


@dataclass(frozen=True)
class Settings:
    """Settings that the figures mention."""

    confidence: float
    """Coverage of the intervals."""


def grid_of(heads: pl.DataFrame, measure: str, kind: str) -> np.ndarray:
    """Means of a measure, [layer, head]; NaN where the table has no row."""
    size = [int(heads[name].max()) + 1 for name in ("layer", "head")]  # type: ignore[arg-type]
    grid = np.full(size, np.nan)
    rows = heads.filter(measure=measure, kind=kind)
    grid[rows["layer"].to_numpy(), rows["head"].to_numpy()] = rows["mean"].to_numpy()
    return grid


def sides_of(shown: pl.DataFrame) -> tuple[str, str]:
    """The kinds that are drawn beside each other.

    Backtracks that have a control beside these controls; all backtracks where no pair
    is shown.

    Args:
        shown: rows with an interval.
    """
    has_pairs = not shown.filter(kind=MATCHED).is_empty()
    return (MATCHED if has_pairs else "backtrack", "control")


def cases_of(table: pl.DataFrame, sides: tuple[str, str]) -> str:
    """Number of positions and problems that are drawn, and how many have a control."""
    counts = {kind: _largest_count(table, kind, "n") for kind in (*KINDS, *sides)}
    parts = [
        f"{counted(counts[kind], noun)} of "
        f"{counted(_largest_count(table, kind, 'problems'), 'problem')}"
        for kind, noun in zip(sides, ("backtrack", "control"), strict=True)
    ]
    text = f"{', '.join(parts)}."
    if sides[0] == MATCHED:
        everything = counted(counts["backtrack"], "selected backtrack")
        text += f" {counts[MATCHED]} of {everything} have a control."
    return text


def _largest_count(table: pl.DataFrame, kind: str, column: str) -> int:
    return int(table.filter(kind=kind)[column].max() or 0)  # type: ignore[arg-type]


def draw_heads(heads: pl.DataFrame, measure: str, unit: str, *, signed: bool) -> Figure:
    """Heat maps of a measure of the heads: at both sides of the pairs, and within them.

    Args:
        heads: `attention.tables.ATTENTION_HEADS`.
        measure: a value of the column `measure`.
        unit: of the colour bars.
        signed: whether the measure can be negative.
    """
    rows = heads.filter(measure=measure)
    shown, unchecked = with_interval(rows)
    if not shown.height:
        return empty_figure(unchecked or NOTHING)
    sides = sides_of(shown)
    grids = {kind: grid_of(shown, measure, kind) for kind in (*sides, DIFFERENCE)}
    height = 2.1 + 0.22 * min(max(len(grids[DIFFERENCE]), 6), 16)
    figure, axes = new_figure(columns=3, height=height, extra_width=1.6)
    panels = axes[0]
    norm, colours = _plain_norm([grids[kind] for kind in sides], signed)
    for panel, kind in zip(panels, sides, strict=False):
        image = _draw_grid(panel, grids[kind], kind, norm, colours)
    bar = figure.colorbar(image, ax=panels[:2].tolist(), pad=0.02, fraction=0.05)
    bar.set_label(unit)
    panels[0].set_ylabel("layer")
    panels[1].tick_params(labelleft=False)
    norm = _signed_norm([grids[DIFFERENCE]])
    image = _draw_grid(panels[2], grids[DIFFERENCE], DIFFERENCE, norm, SIGNED_COLOURS)
    figure.colorbar(image, ax=panels[2], pad=0.03).set_label(f"difference, {unit}")
    note = f"{cases_of(rows, sides)} Framed: the {FRAMED} largest values of each panel."
    write_note(figure, note, unchecked)
    return figure


def _plain_norm(grids: list[np.ndarray], signed: bool) -> tuple[Normalize, str]:
    if signed:
        return _signed_norm(grids), SIGNED_COLOURS
    highest = max((np.nanmax(g) for g in grids if not np.isnan(g).all()), default=1)
    return Normalize(0, max(highest, 1e-12)), "cividis"


def _signed_norm(grids: list[np.ndarray]) -> Normalize:
    """Colours with zero in the middle and the same range on both sides."""
    sizes = [np.nanmax(np.abs(grid)) for grid in grids if not np.isnan(grid).all()]
    size = max([1e-12, *sizes])
    return TwoSlopeNorm(0, -size, size)


def _draw_grid(
    axes: Axes, grid: np.ndarray, kind: str, norm: Normalize, colours: str
) -> Any:
    layers, heads = grid.shape
    image = axes.pcolormesh(
        np.arange(heads + 1) - 0.5,
        np.arange(layers + 1) - 0.5,
        grid,
        norm=norm,
        cmap=colours,
    )
    axes.grid(visible=False)
    axes.set(title=TITLES[kind], xlabel="head")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    if grid.size <= MOST_NUMBERS:
        _write_numbers(axes, grid, image)
    for layer, head in _largest(grid):
        corner = (head - 0.5, layer - 0.5)
        frame = Rectangle(corner, 1, 1, fill=False, edgecolor=INK, linewidth=1.6)
        axes.add_patch(frame)
    return image


def _write_numbers(axes: Axes, grid: np.ndarray, image: Any) -> None:
    """Write the number into each cell, in dark or white for contrast."""
    for (layer, head), value in np.ndenumerate(grid):
        if np.isnan(value):
            continue
        red, green, blue, _ = image.cmap(image.norm(value))
        is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        text = f"{value:.2f}".replace("-", "\u2212")
        text = text if text.strip("\u22120.") else "0"
        colour = INK if is_light else "white"
        axes.text(head, layer, text, ha="center", va="center", size=7.5, color=colour)


def _largest(grid: np.ndarray) -> list[tuple[int, int]]:
    order = np.argsort(np.where(np.isnan(grid), -np.inf, grid), axis=None)[::-1]
    cells = [np.unravel_index(k, grid.shape) for k in order[:FRAMED]]
    return [(int(a), int(b)) for a, b in cells if not np.isnan(grid[a, b])]


def draw_bins(summary: pl.DataFrame, settings: Settings) -> Figure:
    """Attention to each bin by layer, and the share of an even spread."""
    rows = summary.filter(measure="attention")
    shown, unchecked = with_interval(rows)
    if not shown.height:
        return empty_figure(unchecked or NOTHING)
    even, sides = summary.filter(measure="uniform"), sides_of(shown)
    figure, axes = new_figure(columns=3, rows=3, height=7.2, sharex=True)
    for panel, name in zip(axes.flat, BINS, strict=True):
        _draw_bin(panel, shown.filter(bin=name), even.filter(bin=name), sides)
        panel.set_title(BIN_TITLES[name])
    for panel in axes[-1]:
        panel.set_xlabel("layer")
    for panel in axes[:, 0]:
        panel.set_ylabel("share of attention")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    write_note(
        figure,
        f"{cases_of(rows, sides)} Means over heads.\nBands: {settings.confidence:.0%} "
        "intervals over problems. The first eight panels add up to 1; the last panel "
        "overlaps with them.",
        unchecked,
    )
    return figure


def _draw_bin(
    axes: Axes, rows: pl.DataFrame, even_spread: pl.DataFrame, sides: tuple[str, str]
) -> None:
    colours = dict(zip(sides, (ACCENT, ordered_colours(3)[1]), strict=True))
    for kind, colour in colours.items():
        line = rows.filter(kind=kind).sort("layer")
        if not line.height:
            continue
        draw_band(axes, line["layer"], line["low"], line["high"], colour=colour)
        style: Any = {"color": colour, "ms": mark_size(line.height)}
        axes.plot(line["layer"], line["mean"], "o-", label=LABELS[kind], **style)
        even = even_spread.filter(kind=kind).sort("layer")
        label = f"{LABELS[kind]}, if spread evenly"
        style = {"color": colour, "lw": 1.1, "ls": DASHED, "alpha": 0.7}
        axes.plot(even["layer"], even["mean"], label=label, **style)
    axes.set_ylim(bottom=0)
    axes.tick_params(color=FAINT)
    whole_ticks(axes)


def main(
    *,
    summary_path: Path,
    heads_path: Path,
    attribution_path: Path,
    arrivals_path: Path,
    bins_path: Path,
    settings: Settings,
) -> None:
    """Read the tables, draw, save."""
    summary = ATTENTION_SUMMARY.read(summary_path)
    heads = ATTENTION_HEADS.read(heads_path)
    logger.info("%d rows of bins, %d of heads", summary.height, heads.height)
    attribution = draw_heads(heads, "dla_backtrack", "logit", signed=True)
    save_figure(attribution, attribution_path)
    arrivals = draw_heads(heads, ARRIVAL, "share of attention", signed=False)
    save_figure(arrivals, arrivals_path)
    save_figure(draw_bins(summary, settings), bins_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            summary_path=Path(snakemake.input.summary),
            heads_path=Path(snakemake.input.heads),
            attribution_path=Path(snakemake.output.attribution),
            arrivals_path=Path(snakemake.output.arrivals),
            bins_path=Path(snakemake.output.bins),
            settings=Settings(**snakemake.params.settings),
        )
