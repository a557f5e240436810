"""Figures of exact attribution: steps and layers, recall, planted causes.

Inputs
    cells: `exact_attribution.tables.EXACT_CELLS`.
    steps: `exact_attribution.tables.EXACT_STEPS`.
    recall: `exact_attribution.tables.EXACT_RECALL`.
    causes: `exact_attribution.tables.EXACT_CAUSES`.

Outputs
    steps: exact change against the estimate, and their correlation by step and layer.
    recall: strongest words that the estimates find.
    causes: planted causes among the first three words.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from doubletake.page.plots import (
    ACCENT,
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
from exact_attribution.plot_steps import draw_steps
from exact_attribution.tables import (
    ESTIMATE,
    EXACT,
    EXACT_CAUSES,
    EXACT_CELLS,
    EXACT_RECALL,
    EXACT_STEPS,
    PUBLISHED,
    SCREEN,
)

if TYPE_CHECKING:
    snakemake: Any

NAMES = {
    EXACT: "exact patching",
    ESTIMATE: "estimate, same layers",
    PUBLISHED: "estimate, published",
    SCREEN: "chosen for patching",
}
_DARK, _MIDDLE, _LIGHT = ordered_colours(3)
COLOURS = {EXACT: ACCENT, ESTIMATE: _DARK, PUBLISHED: _MIDDLE, SCREEN: _LIGHT}
MARKERS = {EXACT: "o", ESTIMATE: "s", PUBLISHED: "D", SCREEN: "^"}
FIRST = 3
APART = 0.2
"""Distance of the marks at one tick."""
EMPTY = "Nothing to draw: no word was replaced exactly."
NO_CAUSE = "Nothing to draw: no backtrack with a planted cause was measured."


def draw_recall(recall: pl.DataFrame, confidence: float) -> Figure:
    """Recall of both estimates and of the screen by k, beside chance."""
    rows, unchecked = with_interval(recall.drop_nulls("recall"), "recall_low")
    if rows.is_empty():
        return empty_figure(unchecked or EMPTY)
    figure, axes = new_figure(extra_width=2.6, height=3.6)
    panel: Axes = axes[0, 0]
    sizes = sorted(rows["k"].unique())
    names = [name for name in NAMES if name in rows["ranking"].to_list()]
    for number, name in enumerate(names):
        own = rows.filter(ranking=name)
        x = np.array([sizes.index(k) for k in own["k"]], dtype=float)
        x += (number - (len(names) - 1) / 2) * APART
        _draw(panel, x, own, "recall", "recall_low", "recall_high", name)
    panel.set(
        ylim=(-0.03, 1.03), xlabel="number of first words k", ylabel="share found"
    )
    panel.set_xticks(range(len(sizes)), [str(k) for k in sizes])
    panel.set_title("Strongest words that are found")
    _legend(figure, panel)
    n = counted(max(rows["events"].to_list()), "backtrack")
    note = f"Up to {n}. Bars: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def draw_causes(causes: pl.DataFrame, confidence: float) -> Figure:
    """Shares of planted causes among the first three words, by ranking."""
    of_size = causes.filter(k=FIRST).drop_nulls("share")
    rows, unchecked = with_interval(of_size)
    if rows.is_empty():
        return empty_figure(unchecked or NO_CAUSE)
    figure, axes = new_figure(extra_width=2.6, height=3.6)
    panel: Axes = axes[0, 0]
    ticks = list(dict.fromkeys(rows["cause"]))
    names = (EXACT, ESTIMATE, PUBLISHED)
    for number, name in enumerate(names):
        own = rows.filter(ranking=name)
        x = np.array([ticks.index(cause) for cause in own["cause"]], dtype=float)
        x += (number - 1) * APART
        _draw(panel, x, own, "share", "low", "high", name)
    panel.set(ylim=(-0.03, 1.03), ylabel="share of backtracks")
    panel.set_xticks(range(len(ticks)), [tick.replace("_", " ") for tick in ticks])
    panel.set_xlim(-0.5, len(ticks) - 0.5)
    panel.set_title(f"Cause among the first {FIRST} words")
    _legend(figure, panel)
    cases = [
        f"{cause.replace('_', ' ')} {events}"
        for cause, events in rows.filter(ranking=EXACT)
        .select("cause", "events")
        .iter_rows()
    ]
    note = f"Backtracks: {', '.join(cases)}. Bars: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def _draw(
    panel: Axes,
    x: np.ndarray,
    rows: pl.DataFrame,
    value: str,
    low: str,
    high: str,
    name: str,
) -> None:
    """Marks with their intervals, and the chance of each as an empty mark."""
    colour, marker = COLOURS[name], MARKERS[name]
    checked = rows[low].is_not_null().to_numpy()
    panel.vlines(
        x[checked],
        rows[low].drop_nulls(),
        rows[high].drop_nulls(),
        color=colour,
        lw=1.2,
    )
    panel.plot(x, rows[value], marker, color=colour, ms=5.5, label=NAMES[name])
    panel.plot(x, rows["chance"], marker, mfc="white", mec=FAINT, ms=5.5, zorder=1)


def _legend(figure: Figure, panel: Axes) -> None:
    panel.plot(
        [], [], "o", mfc="white", mec=FAINT, color=INK, label="words in random order"
    )
    figure.legend(loc="outside right upper")


def main(
    *,
    cells_path: Path,
    steps_path: Path,
    recall_path: Path,
    causes_path: Path,
    figure_paths: dict[str, Path],
    confidence: float,
) -> None:
    """Read the tables, draw, write; `figure_paths` by the names of the figures."""
    steps = EXACT_STEPS.read(steps_path)
    recall, causes = EXACT_RECALL.read(recall_path), EXACT_CAUSES.read(causes_path)
    figures = {
        "steps": draw_steps(EXACT_CELLS.read(cells_path), steps, confidence),
        "recall": draw_recall(recall, confidence),
        "causes": draw_causes(causes, confidence),
    }
    for name, figure in figures.items():
        save_figure(figure, figure_paths[name])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            cells_path=Path(snakemake.input.cells),
            steps_path=Path(snakemake.input.steps),
            recall_path=Path(snakemake.input.recall),
            causes_path=Path(snakemake.input.causes),
            figure_paths={
                name: Path(snakemake.output[name])
                for name in ("steps", "recall", "causes")
            },
            confidence=snakemake.params.confidence,
        )
