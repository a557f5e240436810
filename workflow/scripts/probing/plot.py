"""Figures: how well the probes tell their classes apart by layer, beside controls.

Inputs
    probing: one row per contrast and layer boundary (`schemas.PROBING`).
    tasks: what each contrast has to tell apart (`schemas.PROBING_TASKS`).

Outputs
    auroc, accuracy: one panel per contrast each.
"""

import logging
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    draw_band,
    empty_figure,
    mark_size,
    new_figure,
    ordered_colours,
    save_figure,
    whole_ticks,
    write_note,
)
from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRASTS, Contrast
from probing.tables import PROBING, PROBING_TASKS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_probing")

PROBE = "probe on the residual stream"
LEVELS = dict(zip(("token", "position"), ordered_colours(3)[:2], strict=True))
NAMES = {
    "token": "token\u2019s embedding alone",
    "position": "position and depth alone",
    "shuffled": "shuffled labels",
}
LOOKS: dict[str, Any] = {"token": DASHED, "position": (0, (1, 1.5))}
MEASURES = {"auroc": "AUROC", "accuracy": "accuracy, both classes alike"}


def draw(
    probing: pl.DataFrame, tasks: pl.DataFrame, measure: str, confidence: float
) -> Figure:
    """One panel per contrast: a measure by layer boundary, with its controls.

    Args:
        probing: `schemas.PROBING`.
        tasks: `schemas.PROBING_TASKS`.
        measure: auroc or accuracy.
        confidence: coverage of the intervals.
    """
    if probing.is_empty():
        return empty_figure("Nothing to draw: no contrast has enough problems.")
    figure, axes = new_figure(columns=2, rows=2, height=6.4, sharey=True)
    for panel, contrast in zip(axes.flat, CONTRASTS, strict=True):
        rows = probing.filter(task=contrast.name).sort("layer")
        counts = tasks.filter(task=contrast.name).row(0, named=True)
        panel.set_title(f"{contrast.words.capitalize()}\n{_cases(contrast, counts)}")
        panel.title.set_fontsize(9.5)
        if rows.is_empty():
            _say_left_out(panel, counts["left_out"])
        else:
            _draw_contrast(panel, rows, measure)
    for panel in axes[:, 0]:
        panel.set_ylabel(MEASURES[measure])
    lowest = probing[f"{measure}_low"].min()
    assert isinstance(lowest, float)
    axes[0, 0].set_ylim(min(0.38, lowest - 0.02), 1.03)
    figure.legend(handles=_handles(), loc="outside upper left", ncols=2)
    write_note(
        figure,
        f"Problems of a tested case are unknown to its probe. {confidence:.0%} "
        "intervals: bootstrap over problems. 0.5 is chance.",
    )
    return figure


def _cases(contrast: Contrast, counts: dict[str, Any]) -> str:
    return f"n = {counts['positives']:,} against {counts['negatives']:,}"


def _say_left_out(panel: Axes, reason: str) -> None:
    text = textwrap.fill(f"left out: {reason}", 34)
    look: dict[str, Any] = {"ha": "center", "va": "center", "color": FAINT}
    panel.text(0.5, 0.5, text, transform=panel.transAxes, **look)
    panel.set_xticks([])


def _draw_contrast(panel: Axes, rows: pl.DataFrame, measure: str) -> None:
    layers = rows["layer"]
    panel.axhline(0.5, color=FAINT, lw=0.8)
    for name, colour in LEVELS.items():
        row = rows.row(0, named=True)
        level, low, high = (
            row[f"{name}_{measure}{end}"] for end in ("", "_low", "_high")
        )
        panel.axhspan(low, high, color=colour, alpha=0.1, lw=0)
        panel.axhline(level, color=colour, ls=LOOKS[name], lw=2.4)
    for name, colour in ((f"shuffled_{measure}", FAINT), (measure, ACCENT)):
        ends = (rows[f"{name}_low"], rows[f"{name}_high"])
        draw_band(panel, layers, *ends, colour=colour)
        size = mark_size(rows.height)
        panel.plot(layers, rows[name], color=colour, marker="o", ms=size)
    panel.set_xlabel("layer boundary (0: embedding)")
    whole_ticks(panel)


def _handles() -> list[Line2D]:
    lines = [Line2D([], [], color=ACCENT, marker="o", label=PROBE)]
    lines.append(Line2D([], [], color=FAINT, marker="o", label=NAMES["shuffled"]))
    lines += [
        Line2D([], [], color=colour, ls=LOOKS[name], label=NAMES[name])
        for name, colour in LEVELS.items()
    ]
    return lines


def main(
    *,
    probing_path: Path,
    tasks_path: Path,
    auroc_path: Path,
    accuracy_path: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    probing, tasks = PROBING.read(probing_path), PROBING_TASKS.read(tasks_path)
    save_figure(draw(probing, tasks, "auroc", confidence), auroc_path)
    save_figure(draw(probing, tasks, "accuracy", confidence), accuracy_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            probing_path=Path(snakemake.input.probing),
            tasks_path=Path(snakemake.input.tasks),
            auroc_path=Path(snakemake.output.auroc),
            accuracy_path=Path(snakemake.output.accuracy),
            confidence=snakemake.params.confidence,
        )
