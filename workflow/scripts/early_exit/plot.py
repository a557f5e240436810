"""Figures: how sure the model is at each exit, how often right, and how calibrated.

Inputs
    exits: forced answers (`schemas.EARLY_EXIT`).
    summary: means and intervals by group and exit (`schemas.EARLY_EXIT_SUMMARY`).
    calibration: bins of confidence (`schemas.EARLY_EXIT_CALIBRATION`).
    published: reference numbers; drawn where the summary holds them.

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
    INK,
    draw_band,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    whole_ticks,
    write_note,
)
from doubletake.running.logs import job
from early_exit.tables import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SUMMARY,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_early_exit")

LEAST_PROBLEMS = 3  # a point of fewer is not drawn


@dataclass(frozen=True)
class Settings:
    """What the figures state beside the tables."""

    groups: list[int]
    """Numbers of backtracks that get a line of their own."""
    confidence: float
    """Coverage of the intervals."""


def drawn(summary: pl.DataFrame) -> pl.DataFrame:
    """The points that rest on enough problems."""
    return summary.filter(pl.col("problems") >= LEAST_PROBLEMS)


def note_of(summary: pl.DataFrame, exits: pl.DataFrame, settings: Settings) -> str:
    """How many traces are drawn, which groups and points are not, and the intervals."""
    shown = drawn(summary)
    inside = sum(traces_by_group(summary)[group] for group in _groups(shown))
    parts = [f"{inside} of {exits['trace'].n_unique()} traces are drawn."]
    missing = sorted(set(settings.groups) - set(_groups(summary)))
    if missing:
        parts.append(f"No trace with {', '.join(map(str, missing))} backtracks.")
    hidden = summary.height - shown.height
    if hidden:
        parts.append(
            f"Hidden points of fewer than {LEAST_PROBLEMS} problems: {hidden}."
        )
    parts.append(f"Intervals: {settings.confidence:.0%}.")
    return " ".join(parts)


def why_empty(exits: pl.DataFrame, settings: Settings) -> str:
    """What an empty figure says."""
    groups = ", ".join(map(str, sorted(settings.groups)))
    return (
        f"Nothing to draw: of {exits['trace'].n_unique()} traces, too few\n"
        f"have {groups} backtracks (a point needs {LEAST_PROBLEMS} problems)."
    )


def traces_by_group(summary: pl.DataFrame) -> dict[int, int]:
    """Traces per number of backtracks; every trace has an exit 0."""
    first = summary.filter(pl.col("exit") == 0)
    return dict(first.select("backtracks", "traces").iter_rows())


def final_accuracy(summary: pl.DataFrame) -> float:
    """Share of the drawn groups' traces that end in the right answer."""
    first = summary.filter(
        pl.col("exit") == 0, pl.col("backtracks").is_in(_groups(drawn(summary)))
    )
    weights = first["traces"].to_numpy()
    return float(np.average(first["final_accuracy"].to_numpy(), weights=weights))


def calibration_error(bins: pl.DataFrame) -> float:
    """Expected calibration error: mean |accuracy - confidence|, weighted by exits.

    Naeini et al. 2015, with bins of equal counts.
    """
    gaps = np.abs(bins["accuracy"].to_numpy() - bins["confidence"].to_numpy())
    return float(np.average(gaps, weights=bins["exits"].to_numpy()))


def brier_score(bins: pl.DataFrame) -> float:
    """Mean squared difference of confidence and correctness (Brier 1950)."""
    weights = bins["exits"].to_numpy()
    return float(np.average(bins["brier"].to_numpy(), weights=weights))


def draw_confidence(
    summary: pl.DataFrame, exits: pl.DataFrame, settings: Settings
) -> Figure:
    """Mean answer logit by exit: raw on the left, scaled within the trace right."""
    shown = drawn(summary)
    if not shown.height:
        return empty_figure(why_empty(exits, settings))
    figure, axes = new_figure(
        columns=2, rows=2, height=5.2, extra_width=1.3, height_ratios=[2, 3]
    )
    arrivals = shown.filter(pl.col("exit") > 0)
    colours = _colours(shown)
    for column, name in enumerate(("logit", "normalised")):
        _draw_bands(axes[0, column], shown, name, colours)
        _draw_bands(axes[1, column], arrivals, name, colours)
        axes[1, column].set_xlabel("exit (0: no thought, k: after arrival k)")
    for panel, points in zip(axes[:, 0], (shown, arrivals), strict=True):
        _draw_published(panel, points, colours)
    axes[0, 0].set(title="Raw, all exits", ylabel="mean logit of the answer")
    axes[1, 0].set(title="Raw, from the first arrival on", ylabel="mean logit")
    axes[0, 1].set(title="Scaled to 0..1 in each trace", ylabel="scaled logit")
    axes[1, 1].set(title="Scaled, from the first arrival on", ylabel="scaled logit")
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
    """Share of correct forced answers by exit, beside that of the final answers."""
    shown = drawn(summary)
    if not shown.height:
        return empty_figure(why_empty(exits, settings))
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


def draw_calibration(
    bins: pl.DataFrame, exits: pl.DataFrame, settings: Settings
) -> Figure:
    """Confidence beside accuracy in bins of equal counts, above its histogram.

    Bins stand side by side and not at their confidence, because most exits of a good
    model are so sure that their bins would lie on each other.
    """
    if not bins.height:
        return empty_figure("No exit has an answer: there is no confidence to judge.")
    figure, axes = new_figure(rows=2, height=4.6, height_ratios=[4, 1], extra_width=3.6)
    panel, histogram = axes[:, 0]
    _draw_bins(panel, bins)
    errors = f"ECE {calibration_error(bins):.3f}, Brier {brier_score(bins):.3f}"
    panel.set_title(errors)
    sure = exits["logprob"].drop_nulls().exp().clip(0, 1)
    histogram.hist(sure, bins=np.linspace(0, 1, 41).tolist(), color=FAINT)
    histogram.set(xlabel="confidence: probability of the whole answer", ylabel="exits")
    histogram.set_xlim(0, 1)
    silent = exits["logprob"].null_count()
    parts = [f"{sure.len()} exits of {exits['trace'].n_unique()} traces."]
    if silent:
        parts.append(f"{silent} without an answer left out.")
    parts.append(f"Bars: {settings.confidence:.0%} intervals.")
    write_note(figure, " ".join(parts))
    return figure


def _draw_bins(axes: Axes, bins: pl.DataFrame) -> None:
    places = np.arange(bins.height)
    sure, right = bins["confidence"].to_numpy(), bins["accuracy"].to_numpy()
    axes.vlines(places, sure, right, color=ACCENT, lw=5, alpha=0.25, label="gap")
    ends = np.stack([bins["accuracy_low"].to_numpy(), bins["accuracy_high"].to_numpy()])
    axes.errorbar(
        places,
        right,
        yerr=np.maximum([right - ends[0], ends[1] - right], 0),
        fmt="o",
        elinewidth=1,
        color=ordered_colours(3)[1],
        label="share correct",
    )
    axes.plot(places, sure, "D", mfc="white", color=INK, label="mean confidence")
    axes.set_xticks(places, [_near_one(value) for value in sure])
    axes.set(
        xlabel=f"mean confidence of {bins.height} bins of equal counts",
        ylabel="probability",
        ylim=(-0.03, 1.03),
    )
    axes.legend(loc="best")


def _near_one(value: float) -> str:
    """A probability with as many digits as tell it from 1."""
    if value < 0.9995:
        return f"{value:.3f}"
    mantissa, _, power = f"{max(1 - value, 0.0):.0e}".partition("e")
    return "1" if mantissa == "0" else f"1\u2212{mantissa}e\u2212{abs(int(power))}"


def _draw_bands(
    axes: Axes, shown: pl.DataFrame, name: str, colours: dict[int, str]
) -> None:
    for group, colour in colours.items():
        rows = shown.filter(pl.col("backtracks") == group, pl.col(name).is_not_null())
        ends = (rows[f"{name}_low"], rows[f"{name}_high"])
        draw_band(axes, rows["exit"], *ends, colour=colour)
        axes.plot(rows["exit"], rows[name], marker="o", color=colour)
    whole_ticks(axes)


def _draw_bars(axes: Axes, shown: pl.DataFrame, name: str) -> None:
    """Lines with error bars, side by side: intervals too wide for bands."""
    colours = _colours(shown)
    width = min(0.08 * (len(colours) - 1), 0.5)
    shifts = np.linspace(-width / 2, width / 2, len(colours))
    for (group, colour), shift in zip(colours.items(), shifts, strict=True):
        rows = shown.filter(pl.col("backtracks") == group)
        value = rows[name].to_numpy()
        low, high = rows[f"{name}_low"].to_numpy(), rows[f"{name}_high"].to_numpy()
        x = rows["exit"].to_numpy() + shift
        axes.vlines(x, low, high, color=colour, lw=1, alpha=0.75)
        axes.plot(x, value, marker="o", lw=1.2, color=colour)
    whole_ticks(axes)


def _draw_published(axes: Axes, shown: pl.DataFrame, colours: dict[int, str]) -> None:
    published = shown.filter(pl.col("published_logit").is_not_null())
    for group, colour in colours.items():
        rows = published.filter(pl.col("backtracks") == group)
        means = rows["published_logit"]
        axes.plot(rows["exit"], means, ls=DASHED, lw=1.1, color=colour)


def _draw_legend(figure: Figure, summary: pl.DataFrame, extra: list[Line2D]) -> None:
    """One entry per group with its number of traces, then the reference lines."""
    counts = traces_by_group(summary)
    handles = [
        Line2D(
            [], [], color=colour, marker="o", label=f"{group}  (n = {counts[group]})"
        )
        for group, colour in _colours(drawn(summary)).items()
    ]
    figure.legend(
        handles=handles + extra,
        loc="outside right upper",
        title="backtracks (traces)",
        alignment="left",
    )


def _groups(points: pl.DataFrame) -> list[int]:
    return points["backtracks"].unique().sort().to_list()


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
    save_figure(draw_calibration(bins, exits, settings), calibration_path)


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
