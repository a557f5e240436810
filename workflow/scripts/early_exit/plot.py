"""Figures: how sure the model is at each exit, how often right, and how calibrated.

Inputs
    exits: forced answers (`EARLY_EXIT`).
    summary: means and intervals by group and exit (`EARLY_EXIT_SUMMARY`).
    bins: exits by confidence (`EARLY_EXIT_CALIBRATION`).
    published: reference numbers; drawn if the summary holds published means.

Outputs
    confidence, accuracy, calibration: the figures.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    counted,
    draw_band,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    whole_ticks,
    write_note,
)
from doubletake.running.logs import job
from early_exit.calibration_figure import draw_calibration
from early_exit.tables import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SUMMARY,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_early_exit")


@dataclass(frozen=True)
class Settings:
    """The parts of the config that the figures mention."""

    groups: list[int]
    """Numbers of arrivals that get a separate line."""
    confidence: float
    """Coverage of the intervals."""
    least_problems: int
    """Fewest problems of a drawn point."""


def drawn_points(summary: pl.DataFrame) -> pl.DataFrame:
    """The points that rest on enough problems for an interval."""
    return summary.drop_nulls("accuracy_low")


def note_of(summary: pl.DataFrame, exits: pl.DataFrame, settings: Settings) -> str:
    """Number of drawn traces, missing groups, hidden points, coverage of intervals."""
    shown = drawn_points(summary)
    traces = sum(traces_by_group(summary)[group] for group in _groups(shown))
    parts = [f"{traces} of {exits['trace'].n_unique()} traces are drawn."]
    missing = sorted(set(settings.groups) - set(_groups(summary)))
    if missing:
        parts.append(f"No trace with {', '.join(map(str, missing))} arrivals.")
    hidden = summary.height - shown.height
    if hidden:
        parts.append(
            f"Not checked, so hidden: {counted(hidden, 'point')} of fewer than "
            f"{settings.least_problems} problems."
        )
    parts.append(f"Intervals: {settings.confidence:.0%}.")
    return " ".join(parts)


def empty_note(exits: pl.DataFrame, settings: Settings) -> str:
    """The text in a figure without points."""
    groups = ", ".join(map(str, sorted(settings.groups)))
    return (
        f"Nothing to draw: of {exits['trace'].n_unique()} traces, too few\n"
        f"have {groups} arrivals (a point needs {settings.least_problems} problems)."
    )


def traces_by_group(summary: pl.DataFrame) -> dict[int, int]:
    """Number of traces by number of arrivals; every trace has an exit 0."""
    first = summary.filter(pl.col("exit") == 0)
    return dict(first.select("arrivals", "traces").iter_rows())


def final_accuracy(summary: pl.DataFrame) -> float:
    """Share of right final answers among the traces of the drawn groups."""
    first = summary.filter(
        pl.col("exit") == 0, pl.col("arrivals").is_in(_groups(drawn_points(summary)))
    )
    weights = first["traces"].to_numpy()
    return float(np.average(first["final_accuracy"].to_numpy(), weights=weights))


def draw_confidence(
    summary: pl.DataFrame, exits: pl.DataFrame, settings: Settings
) -> Figure:
    """Mean answer logit by exit: raw left, compared within each trace right."""
    shown = drawn_points(summary)
    if not shown.height:
        return empty_figure(empty_note(exits, settings))
    figure, axes = new_figure(
        columns=2, rows=2, height=5.2, extra_width=1.3, height_ratios=[2, 3]
    )
    later = shown.filter(pl.col("exit") > 0)
    colours = _colours(shown)
    panels = (
        (axes[0, 0], shown, "logit"),
        (axes[1, 0], later, "logit"),
        (axes[0, 1], shown, "normalised"),
        (axes[1, 1], later, "difference"),
    )
    for panel, points, name in panels:
        _draw_bands(panel, points, name, colours)
        _draw_published(panel, points, name, colours)
    axes[1, 1].axhline(0, color=FAINT, lw=0.8, zorder=0)
    for panel in axes[1]:
        panel.set_xlabel("exit (0: no thought, k: after arrival k)")
    axes[0, 0].set(title="Raw, all exits", ylabel="mean logit of the answer")
    axes[1, 0].set(title="Raw, from the first arrival on", ylabel="mean logit")
    axes[0, 1].set(title="Scaled to 0..1 in each trace", ylabel="scaled logit")
    axes[1, 1].set(title="Difference from exit 1 of the trace", ylabel="logit")
    extra = Line2D([], [], color=FAINT, ls=DASHED, lw=1.1, label="published means")
    is_published = shown["published_logit"].count() > 0
    _draw_legend(figure, summary, [extra] if is_published else [])
    write_note(figure, note_of(summary, exits, settings))
    return figure


def draw_accuracy(
    summary: pl.DataFrame,
    exits: pl.DataFrame,
    published: float | None,
    settings: Settings,
) -> Figure:
    """Share of correct forced answers by exit, beside that of final answers."""
    shown = drawn_points(summary)
    if not shown.height:
        return empty_figure(empty_note(exits, settings))
    figure, axes = new_figure(height=3.8, extra_width=4.2)
    panel = axes[0, 0]
    _draw_bars(panel, shown, "accuracy")
    panel.set_xlabel("exit (0: no thought, k: after arrival k)")
    final = final_accuracy(summary)
    lines = [panel.axhline(final, color=ACCENT, lw=1.2, label=f"final: {final:.2f}")]
    if published is not None:
        look = {"color": FAINT, "lw": 1.1, "ls": DASHED}
        label = f"published: about {published}\nfrom exit 1 on"
        lines.append(panel.axhline(published, label=label, **look))
    panel.set(ylabel="share of correct answers", ylim=(-0.03, 1.03))
    _draw_legend(figure, summary, lines)
    write_note(figure, note_of(summary, exits, settings))
    return figure


def _draw_bands(
    axes: Axes, shown: pl.DataFrame, name: str, colours: dict[int, str]
) -> None:
    for group, colour in colours.items():
        # At exit 1 the difference is 0 by definition and has no interval.
        start = pl.lit(name == "difference") & (pl.col("exit") == 1)
        given = pl.col(f"{name}_low").is_not_null() | start
        rows = shown.filter(pl.col("arrivals") == group, given)
        ends = (rows[f"{name}_{end}"].fill_null(rows[name]) for end in ("low", "high"))
        draw_band(axes, rows["exit"], *ends, colour=colour)
        axes.plot(rows["exit"], rows[name], marker="o", color=colour)
    whole_ticks(axes)


def _draw_bars(axes: Axes, shown: pl.DataFrame, name: str) -> None:
    """Lines with error bars, side by side, because the intervals are wide."""
    colours = _colours(shown)
    width = min(0.08 * (len(colours) - 1), 0.5)
    shifts = np.linspace(-width / 2, width / 2, len(colours))
    for (group, colour), shift in zip(colours.items(), shifts, strict=True):
        rows = shown.filter(pl.col("arrivals") == group)
        value = rows[name].to_numpy()
        low, high = rows[f"{name}_low"].to_numpy(), rows[f"{name}_high"].to_numpy()
        x = rows["exit"].to_numpy() + shift
        axes.vlines(x, low, high, color=colour, lw=1, alpha=0.75)
        axes.plot(x, value, marker="o", lw=1.2, color=colour)
    whole_ticks(axes)


def _draw_published(
    axes: Axes, shown: pl.DataFrame, name: str, colours: dict[int, str]
) -> None:
    """Published means in the panels of raw logits and of their differences.

    All means of a published group are over the same traces. So the difference of two
    means is the mean of the differences.
    """
    if name not in ("logit", "difference"):
        return
    published = shown.filter(pl.col("published_logit").is_not_null())
    for group, colour in colours.items():
        rows = published.filter(pl.col("arrivals") == group).sort("exit")
        means = rows["published_logit"]
        if name == "difference":
            means -= rows.filter(pl.col("exit") == 1)["published_logit"].sum()
        axes.plot(rows["exit"], means, ls=DASHED, lw=1.1, color=colour)


def _draw_legend(figure: Figure, summary: pl.DataFrame, extra: list[Line2D]) -> None:
    """One entry per group with its number of traces, then the reference lines."""
    counts = traces_by_group(summary)
    handles = [
        Line2D(
            [], [], color=colour, marker="o", label=f"{group}  (n = {counts[group]})"
        )
        for group, colour in _colours(drawn_points(summary)).items()
    ]
    figure.legend(
        handles=handles + extra,
        loc="outside right upper",
        title="arrivals (traces)",
        alignment="left",
    )


def _groups(points: pl.DataFrame) -> list[int]:
    return points["arrivals"].unique().sort().to_list()


def _colours(shown: pl.DataFrame) -> dict[int, str]:
    groups = _groups(shown)
    return dict(zip(groups, ordered_colours(len(groups)), strict=True))


def main(
    *,
    exits_path: Path,
    summary_path: Path,
    bins_path: Path,
    published_path: Path,
    confidence_path: Path,
    accuracy_path: Path,
    calibration_path: Path,
    settings: Settings,
) -> None:
    """Read the tables, draw, save."""
    exits = EARLY_EXIT.read(exits_path)
    summary = EARLY_EXIT_SUMMARY.read(summary_path)
    bins = EARLY_EXIT_CALIBRATION.read(bins_path)
    reference = json.loads(published_path.read_text(encoding="utf-8"))
    is_published = summary["published_logit"].count() > 0
    accuracy = reference["accuracy"]["from_exit_1"] if is_published else None
    logger.info("%s", note_of(summary, exits, settings))
    save_figure(draw_confidence(summary, exits, settings), confidence_path)
    save_figure(draw_accuracy(summary, exits, accuracy, settings), accuracy_path)
    save_figure(draw_calibration(bins, exits, settings.confidence), calibration_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            exits_path=Path(snakemake.input.exits),
            summary_path=Path(snakemake.input.summary),
            bins_path=Path(snakemake.input.bins),
            published_path=Path(snakemake.input.published),
            confidence_path=Path(snakemake.output.confidence),
            accuracy_path=Path(snakemake.output.accuracy),
            calibration_path=Path(snakemake.output.calibration),
            settings=Settings(**snakemake.params.settings),
        )
