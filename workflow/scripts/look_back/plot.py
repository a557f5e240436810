"""Figures of looking back: attention by layer and by baseline, words that occur again.

Inputs
    summary: `look_back.tables.LOOK_BACK_SUMMARY`.
    overlap: `look_back.tables.LOOK_BACK_OVERLAP`.

Outputs
    layers: attention to important and to matched words, by layer.
    baselines: the same over all layers, with stricter and stricter matches.
    overlap: share of the words that occur again.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    INK,
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
from doubletake.page.wording import plural
from doubletake.running.logs import job
from look_back.tables import (
    AGAIN,
    BACKTRACK,
    CLASS,
    CONTROL,
    FREQUENCY,
    IMPORTANT,
    LOOK_BACK_OVERLAP,
    LOOK_BACK_SUMMARY,
    MATCHED_WORDS,
    OVERLAP_BASELINES,
    PLACE,
    SAME_WORDS,
    SUMMARY_BASELINES,
    WORD_DIFFERENCE,
)
from matches.tables import DIFFERENCE, MATCHED

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_look_back")

NOTHING = "Nothing to draw: no important word before a turn has a matched word."
OTHER = ordered_colours(3)[1]
SIDES = {
    IMPORTANT: ("important words", ACCENT, "o"),
    MATCHED_WORDS: ("matched words", OTHER, "s"),
}
"""Label, colour and mark of both kinds of words."""
KINDS = {
    MATCHED: ("backtracks", ACCENT, "o"),
    BACKTRACK: ("backtracks", ACCENT, "o"),
    CONTROL: ("controls", OTHER, "s"),
    DIFFERENCE: ("backtrack minus control", INK, "^"),
}
"""The same of kinds of positions."""
STEPS = {
    FREQUENCY: "like frequency",
    PLACE: "like place\nand frequency",
    CLASS: "\u2026 and class",
    AGAIN: "\u2026 and occurs again",
    SAME_WORDS: "same words,\nlike place only",
}
"""Names of the baselines on the figures; each of the first four adds to the last."""
APART = 0.12
"""Distance of a mark from its row."""


def draw_layers(summary: pl.DataFrame, confidence: float) -> Figure:
    """Attention by layer at backtracks and controls, and differences of the words."""
    rows, unchecked = with_interval(
        summary.filter(pl.col("layer").is_not_null()).drop_nulls("mean")
    )
    if rows.is_empty():
        return empty_figure(unchecked or NOTHING)
    paired = not rows.filter(kind=MATCHED).is_empty()
    kinds = [MATCHED, CONTROL] if paired else [BACKTRACK]
    figure, axes = new_figure(columns=len(kinds) + 1, height=3.6)
    panels = list(axes[0])
    for panel, kind in zip(panels, kinds, strict=False):
        for side, style in SIDES.items():
            _line(panel, rows.filter(kind=kind, quantity=side), *style)
        title = "Backtracks with a control" if paired else "All backtracks"
        panel.set(title="Their controls" if kind == CONTROL else title)
    top = max(panel.get_ylim()[1] for panel in panels[: len(kinds)])
    for panel in panels[: len(kinds)]:
        panel.set_ylim(0, top)
    panels[0].set_ylabel("attention to one word, %")
    panels[0].legend(loc="upper left")
    last = panels[-1]
    last.axhline(0, color=FAINT, lw=0.8)
    for kind in kinds:
        _line(last, rows.filter(kind=kind, quantity=WORD_DIFFERENCE), *KINDS[kind])
    last.set(title="Important minus matched", ylabel="percentage points")
    if paired:
        last.legend(loc="best")
    for panel in panels:
        panel.set_xlabel("layer")
        whole_ticks(panel)
    write_note(figure, _cases(rows, kinds, confidence), unchecked)
    return figure


def _line(axes: Axes, rows: pl.DataFrame, label: str, colour: str, marker: str) -> None:
    """A line over layers with its band; nothing without rows."""
    if rows.is_empty():
        return
    rows = rows.sort("layer")
    x = rows["layer"].to_numpy()
    mean, low, high = (
        100 * rows[name].cast(pl.Float64).to_numpy() for name in ("mean", "low", "high")
    )
    draw_band(axes, x, low, high, colour=colour)
    size = mark_size(len(x))
    axes.plot(x, mean, marker=marker, ms=size, color=colour, label=label)


def draw_baselines(summary: pl.DataFrame, confidence: float) -> Figure:
    """Attention over all layers, with stricter and stricter matches."""
    rows = summary.filter(pl.col("layer").is_null())
    figure = _draw_steps(rows, SUMMARY_BASELINES, confidence, "attention to one word")
    even = rows.filter(kind=BACKTRACK, quantity=IMPORTANT).drop_nulls("even")
    if len(figure.axes) > 1 and not even.is_empty():
        left = figure.axes[0]
        left.axvline(100 * even["even"][0], color=FAINT, ls=DASHED, lw=1.2, zorder=0)
        left.set_xlim(right=max(left.get_xlim()[1], 108 * even["even"][0]))
        left.annotate(
            "spread evenly",
            (100 * even["even"][0], 0),
            (-4, 0),
            textcoords="offset points",
            xycoords=("data", "axes fraction"),
            rotation=90,
            ha="right",
            va="bottom",
            fontsize=8,
            color=FAINT,
        )
    return figure


def draw_overlap(overlap: pl.DataFrame, confidence: float) -> Figure:
    """Share of important and matched words that occur again."""
    figure = _draw_steps(
        overlap, OVERLAP_BASELINES, confidence, "words that occur again"
    )
    published = overlap.drop_nulls("published")
    if len(figure.axes) > 1 and not published.is_empty():
        left = figure.axes[0]
        left.plot(
            100 * published["published"],
            [-3 * APART] * published.height,
            marker="D",
            ls="",
            mfc="white",
            color=INK,
            label="published",
        )
        left.legend(**LEGEND)
    return figure


LEGEND: dict[str, Any] = {
    "loc": "lower left",
    "bbox_to_anchor": (0, 1.0),
    "borderaxespad": 0.2,
}
"""Above the panel, so that it hides no mark."""


def _draw_steps(
    table: pl.DataFrame, baselines: Sequence[str], confidence: float, what: str
) -> Figure:
    """A row per baseline: both kinds of words on the left, differences on the right."""
    rows, unchecked = with_interval(table.drop_nulls("mean"))
    if rows.filter(kind=BACKTRACK).is_empty():
        return empty_figure(unchecked or NOTHING)
    shown = [name for name in baselines if name in set(rows["baseline"])]
    figure, axes = new_figure(columns=2, height=2.0 + 0.5 * len(shown), sharey=True)
    left, right = axes[0]
    for shift, (side, style) in zip((-APART, APART), SIDES.items(), strict=True):
        _marks(left, rows.filter(kind=BACKTRACK, quantity=side), shown, shift, *style)
    right.axvline(0, color=FAINT, lw=0.8)
    for shift, kind in ((-APART, BACKTRACK), (APART, DIFFERENCE)):
        part = rows.filter(kind=kind, quantity=WORD_DIFFERENCE)
        _marks(right, part, shown, shift, *KINDS[kind])
    left.set_yticks(range(len(shown)), [STEPS[name] for name in shown])
    left.set_ylim(len(shown) - 0.5, -0.5)
    left.set(xlabel=f"{what}, %")
    left.set_xlim(left=0)
    right.set(xlabel="important minus matched, points")
    for panel in (left, right):
        panel.legend(**LEGEND)
        panel.grid(axis="y", visible=False)
    kinds = [BACKTRACK, DIFFERENCE]
    write_note(figure, _cases(rows, kinds, confidence), unchecked)
    return figure


def _marks(
    axes: Axes,
    rows: pl.DataFrame,
    shown: Sequence[str],
    shift: float,
    label: str,
    colour: str,
    marker: str,
) -> None:
    """Marks with their intervals, one per baseline; nothing without rows."""
    if rows.is_empty():
        return
    y = np.array([shown.index(name) for name in rows["baseline"]]) + shift
    mean, low, high = (
        100 * rows[name].cast(pl.Float64).to_numpy() for name in ("mean", "low", "high")
    )
    ends = np.maximum([mean - low, high - mean], 0)
    axes.errorbar(
        mean, y, xerr=ends, fmt=marker, color=colour, ms=5, elinewidth=1.2, label=label
    )


def _cases(rows: pl.DataFrame, kinds: Sequence[str], confidence: float) -> str:
    """Numbers of positions or pairs, and the coverage."""
    parts = []
    for kind in kinds:
        n = rows.filter(kind=kind)["positions"].unique().sort().to_list()
        if not n:
            continue
        noun = {CONTROL: "control", DIFFERENCE: "pair"}.get(kind, "backtrack")
        several = f"{n[0]} to {plural(n[-1], noun)}" if len(n) > 1 else ""
        parts.append(several or plural(n[0], noun))
    return f"{', '.join(parts)}. Bars and bands: {confidence:.0%} over problems."


def main(
    *,
    summary_path: Path,
    overlap_path: Path,
    layers_figure: Path,
    baselines_figure: Path,
    overlap_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    summary = LOOK_BACK_SUMMARY.read(summary_path)
    overlap = LOOK_BACK_OVERLAP.read(overlap_path)
    save_figure(draw_layers(summary, confidence), layers_figure)
    save_figure(draw_baselines(summary, confidence), baselines_figure)
    save_figure(draw_overlap(overlap, confidence), overlap_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            summary_path=Path(snakemake.input.summary),
            overlap_path=Path(snakemake.input.overlap),
            layers_figure=Path(snakemake.output.layers),
            baselines_figure=Path(snakemake.output.baselines),
            overlap_figure=Path(snakemake.output.overlap),
            confidence=snakemake.params.confidence,
        )
