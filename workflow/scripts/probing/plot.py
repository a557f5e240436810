"""Figures: AUROC and accuracy of the probes by layer boundary, beside controls.

Inputs
    probing: one row per contrast and layer boundary.
    contrasts: number of cases of each contrast, and why it has no probe.

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
    with_interval,
    write_note,
)
from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRASTS
from probing.tables import PROBING, PROBING_CONTRASTS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_probing")

PROBE_LABEL = "probe on the residual stream"
CONTROL_COLOURS = dict(zip(("token", "depth"), ordered_colours(3)[:2], strict=True))
CONTROL_LABELS = {
    "token": "token\u2019s embedding alone",
    "depth": "position and depth alone",
    "shuffled": "shuffled labels",
}
CONTROL_LINES: dict[str, Any] = {"token": DASHED, "depth": (0, (1, 1.5))}
METRIC_LABELS = {"auroc": "AUROC", "accuracy": "accuracy, mean of both classes"}


def draw_metric(
    probing: pl.DataFrame, contrasts: pl.DataFrame, metric: str, confidence: float
) -> Figure:
    """One panel per contrast: a metric by layer boundary, with its controls.

    Args:
        probing: the table `probing`.
        contrasts: the table `probing/contrasts`.
        metric: auroc or accuracy.
        confidence: coverage of the intervals.
    """
    if probing.is_empty():
        return empty_figure("Nothing to draw: no contrast has enough problems.")
    figure, axes = new_figure(columns=2, rows=2, height=6.4, sharey=True)
    for panel, contrast in zip(axes.flat, CONTRASTS, strict=True):
        rows = probing.filter(contrast=contrast.name).sort("boundary")
        counts = contrasts.filter(contrast=contrast.name).row(0, named=True)
        panel.set_title(f"{contrast.description.capitalize()}\n{_case_counts(counts)}")
        panel.title.set_fontsize(9.5)
        checked, unchecked = with_interval(rows, f"{metric}_low")
        if checked.is_empty():
            _write_why_left_out(panel, counts["left_out"] or unchecked)
        else:
            _draw_contrast(panel, checked, metric)
    for panel in axes[:, 0]:
        panel.set_ylabel(METRIC_LABELS[metric])
    lowest = probing[f"{metric}_low"].min()
    if not isinstance(lowest, float):
        return empty_figure(with_interval(probing, f"{metric}_low")[1])
    axes[0, 0].set_ylim(min(0.38, lowest - 0.02), 1.03)
    figure.legend(handles=_handles(), loc="outside upper left", ncols=2)
    write_note(
        figure,
        f"Each case is scored by a probe that has not seen its problem or its partner. "
        f"{confidence:.0%} intervals over problems. 0.5 is chance.",
    )
    return figure


def _case_counts(counts: dict[str, Any]) -> str:
    return f"n = {counts['positives']:,} against {counts['negatives']:,}"


def _write_why_left_out(panel: Axes, reason: str) -> None:
    text = textwrap.fill(f"not checked: {reason}", 34)
    look: dict[str, Any] = {"ha": "center", "va": "center", "color": FAINT}
    panel.text(0.5, 0.5, text, transform=panel.transAxes, **look)
    panel.set_xticks([])


def _draw_contrast(panel: Axes, rows: pl.DataFrame, metric: str) -> None:
    boundaries = rows["boundary"]
    panel.axhline(0.5, color=FAINT, lw=0.8)
    for name, colour in CONTROL_COLOURS.items():
        row = rows.row(0, named=True)
        level, low, high = (
            row[f"{name}_{metric}{suffix}"] for suffix in ("", "_low", "_high")
        )
        panel.axhspan(low, high, color=colour, alpha=0.1, lw=0)
        panel.axhline(level, color=colour, ls=CONTROL_LINES[name], lw=2.4)
    for name, colour in ((f"shuffled_{metric}", FAINT), (metric, ACCENT)):
        ends = (rows[f"{name}_low"], rows[f"{name}_high"])
        draw_band(panel, boundaries, *ends, colour=colour)
        size = mark_size(rows.height)
        panel.plot(boundaries, rows[name], color=colour, marker="o", ms=size)
    panel.set_xlabel("layer boundary (0: embedding)")
    whole_ticks(panel)


def _handles() -> list[Line2D]:
    shuffled = CONTROL_LABELS["shuffled"]
    lines = [Line2D([], [], color=ACCENT, marker="o", label=PROBE_LABEL)]
    lines.append(Line2D([], [], color=FAINT, marker="o", label=shuffled))
    lines += [
        Line2D([], [], color=colour, ls=CONTROL_LINES[name], label=CONTROL_LABELS[name])
        for name, colour in CONTROL_COLOURS.items()
    ]
    return lines


def main(
    *,
    probing_path: Path,
    contrasts_path: Path,
    auroc_path: Path,
    accuracy_path: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    probing, contrasts = (
        PROBING.read(probing_path),
        PROBING_CONTRASTS.read(contrasts_path),
    )
    save_figure(draw_metric(probing, contrasts, "auroc", confidence), auroc_path)
    save_figure(draw_metric(probing, contrasts, "accuracy", confidence), accuracy_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            probing_path=Path(snakemake.input.probing),
            contrasts_path=Path(snakemake.input.contrasts),
            auroc_path=Path(snakemake.output.auroc),
            accuracy_path=Path(snakemake.output.accuracy),
            confidence=snakemake.params.confidence,
        )
