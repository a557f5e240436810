"""Figures of the loop: which methods agree, and who finds the planted cause.

Inputs
    correlations: `loop.tables.LOOP_CORRELATIONS`.
    planted: `loop.tables.LOOP_PLANTED`.
    causes: `loop.tables.LOOP_CAUSES`.

Outputs
    agreement: correlations of all pairs of methods, and with what is planted.
    causes: how often the planted cause is among the first words.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from doubletake.page.plots import (
    ACCENT,
    FAINT,
    INK,
    counted,
    empty_figure,
    new_figure,
    save_figure,
    with_interval,
    write_note,
)
from doubletake.running.logs import job
from loop.matrix import draw_matrix
from loop.methods import EXACT, MAX_ABS, MEAN_ABS, RANKINGS, SAME_EVENTS
from loop.tables import LOOP_CAUSES, LOOP_CORRELATIONS, LOOP_PLANTED

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_loop")

NO_CAUSE = "Nothing to draw: no backtrack with a planted cause was scored."
NO_PAIR = "Nothing to draw: no two methods have looked at the same backtracks."
RANKING_NAMES = {
    MAX_ABS: "estimate, largest layer",
    MEAN_ABS: "estimate, mean of layers",
    EXACT: "exact patching",
    SAME_EVENTS: "estimate, same words",
}
PANELS = ("all", "slip", "distractor", "open_word")
CHANCE: Any = {"marker": "D", "ls": "", "mfc": "white", "color": INK, "ms": 6}
MATCHED: Any = {"marker": "X", "ls": "", "color": FAINT, "ms": 7}


def draw_agreement(
    correlations: pl.DataFrame, planted: pl.DataFrame, level: float
) -> Figure:
    """The matrix of correlations, with what is planted beside it.

    Args:
        correlations: `LOOP_CORRELATIONS`.
        planted: `LOOP_PLANTED`.
        level: largest corrected p-value that is marked.
    """
    if correlations["rho"].count() == 0:
        return empty_figure(NO_PAIR)
    return draw_matrix(correlations, planted, level)


def draw_causes(causes: pl.DataFrame, confidence: float) -> Figure:
    """How often the cause is among the first words, by ranking and cause."""
    rows, unchecked = with_interval(causes)
    if rows.is_empty():
        return empty_figure(unchecked or NO_CAUSE)
    names = [name for name in RANKINGS if name in set(rows["ranking"])]
    figure, axes = new_figure(
        columns=2, rows=2, height=5.4, extra_width=1.6, sharex=True, sharey=True
    )
    for panel, cause in zip(axes.flat, PANELS, strict=True):
        _draw_cause(panel, rows.filter(cause=cause), names)
        title = "all causes" if cause == "all" else cause.replace("_", " ")
        panel.set_title(title)
    for panel in axes[-1]:
        panel.set_xlabel(f"cause among the first {causes['words'][0]} words, share")
    figure.legend(
        handles=[
            Line2D([], [], marker="o", ls="", color=ACCENT, label="observed"),
            Line2D([], [], label="words in random order", **CHANCE),
            Line2D([], [], label="random words of the same class", **MATCHED),
        ],
        loc="outside upper left",
        ncols=3,
    )
    note = f"Beside the dots: backtracks. Bars: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def _draw_cause(axes: Axes, rows: pl.DataFrame, names: list[str]) -> None:
    places = dict(zip(names, range(len(names)), strict=True))
    axes.set_yticks(list(places.values()), [RANKING_NAMES[name] for name in names])
    axes.set(ylim=(len(names) - 0.5, -0.5), xlim=(-0.03, 1.13))
    axes.grid(axis="y", visible=False)
    for row in rows.to_dicts():
        y = places[row["ranking"]]
        low, high = row["low"], row["high"]
        ends = None if low is None else _ends(row["share"], low, high)
        axes.plot(row["matched"], y, zorder=1, **MATCHED)
        axes.plot(row["chance"], y, zorder=1, **CHANCE)
        axes.errorbar(row["share"], y, xerr=ends, fmt="o", color=ACCENT, ms=5.5)
        axes.annotate(
            f"{row['n']}",
            (1.12, y),
            ha="right",
            va="center",
            fontsize=8,
            color=FAINT,
        )


def _ends(value: float, low: float, high: float) -> np.ndarray:
    return np.maximum([[value - low], [high - value]], 0)


def main(
    *,
    correlations_path: Path,
    planted_path: Path,
    causes_path: Path,
    agreement_figure: Path,
    causes_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    correlations = LOOP_CORRELATIONS.read(correlations_path)
    planted = LOOP_PLANTED.read(planted_path)
    causes = LOOP_CAUSES.read(causes_path)
    logger.info("%s, %s", counted(correlations.height, "pair"), causes.height)
    level = 1 - confidence
    save_figure(draw_agreement(correlations, planted, level), agreement_figure)
    save_figure(draw_causes(causes, confidence), causes_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            correlations_path=Path(snakemake.input.correlations),
            planted_path=Path(snakemake.input.planted),
            causes_path=Path(snakemake.input.causes),
            agreement_figure=Path(snakemake.output.agreement),
            causes_figure=Path(snakemake.output.causes),
            confidence=snakemake.params.confidence,
        )
