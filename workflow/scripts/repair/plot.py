"""Figures: repair and damage by arrival, gains of thinking on, changes by cause.

Inputs
    rates: repair and damage by arrival (`RATES`).
    gains: accuracy gained by thinking on (`GAINS`).
    causes: changes by planted cause (`BY_CAUSE`).

Outputs
    rates, gains, causes: the figures.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from doubletake.page.plots import (
    ACCENT,
    FAINT,
    MANY,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    with_interval,
    write_note,
)
from doubletake.running.logs import job
from repair.tables import BY_CAUSE, DAMAGE, END, FORM, GAINS, NEXT, RATES, REPAIR

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_repair")

EARLY = ordered_colours(3)[1]
APART = 0.14
"""Distance of two dots from their common tick."""
NO_ARRIVAL = "Nothing to draw: no arrival is known before the end of its thought."
NO_CAUSE = "Nothing to draw: no arrival in a planted language."


def draw_rates(rates: pl.DataFrame, confidence: float) -> Figure:
    """Rates of repair and of damage at each arrival, until the next and the end."""
    shown, unchecked = with_interval(rates, "rate_low")
    if shown.is_empty():
        return empty_figure(unchecked or NO_ARRIVAL)
    figure, axes = new_figure(columns=2, height=3.8)
    for panel, change, title in (
        (axes[0, 0], REPAIR, "Wrong answers repaired"),
        (axes[0, 1], DAMAGE, "Right answers damaged"),
    ):
        own = shown.filter(change=change)
        ticks = own.unique(["arrival"]).sort("arrival", nulls_last=False)
        numbers = ticks["arrival"].to_list()
        for until, colour, shift in ((NEXT, EARLY, -APART), (END, ACCENT, APART)):
            rows = own.filter(until=until)
            x = np.array([numbers.index(number) for number in rows["arrival"]])
            _draw_dots(panel, x + shift, rows, "rate", colour)
        _name_ticks(panel, [_arrival(number) for number in numbers], ticks["n"])
        panel.set(title=title, xlabel="arrival", ylabel="share")
        _percent_from_zero(panel)
        if own.is_empty():
            _say_nothing(panel)
    axes[0, 0].set_ylim(top=1.03)
    _two_colours(figure, "at the next arrival", "at the end")
    write_note(figure, _bars(confidence), unchecked)
    return figure


def draw_gains(gains: pl.DataFrame, confidence: float) -> Figure:
    """Accuracy at each arrival and at the end, and the gain per 100 tokens."""
    rows = gains.filter(pl.col("start") != FORM).sort("arrival", nulls_last=False)
    # Accuracies have an interval where all thoughts are equal; gains have none there.
    shown, unchecked = with_interval(rows, "accuracy_low")
    if shown.is_empty():
        return empty_figure(unchecked or NO_ARRIVAL)
    figure, axes = new_figure(columns=2, height=3.8)
    both, price = axes[0]
    x = np.arange(shown.height)
    _draw_dots(both, x - APART, shown, "accuracy", EARLY)
    _draw_dots(both, x + APART, shown, "end_accuracy", ACCENT)
    both.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    both.set(title="Right answers", ylabel="share")
    price.axhline(0, color=FAINT, lw=0.8)
    _draw_dots(price, x, shown, "gain_per_100", ACCENT, scale=100)
    price.set(title="Gain per 100 tokens", ylabel="percentage points")
    for panel in (both, price):
        _name_ticks(panel, [_arrival(k) for k in shown["arrival"]], shown["n"])
        panel.set_xlabel("arrival")
    _two_colours(figure, "forced at the arrival", "at the end of the same thoughts")
    write_note(figure, _bars(confidence), unchecked)
    return figure


def draw_causes(causes: pl.DataFrame, confidence: float) -> Figure:
    """Accuracy before and after the turn, and the answers that change, by cause."""
    shown, unchecked = with_interval(causes, "accuracy_low")
    if shown.is_empty():
        return empty_figure(unchecked or NO_CAUSE)
    figure, axes = new_figure(columns=2, height=3.8, extra_width=1.4)
    both, shift = axes[0]
    x = np.arange(shown.height)
    _draw_dots(both, x - APART, shown, "accuracy", EARLY)
    _draw_dots(both, x + APART, shown, "next_accuracy", ACCENT)
    _draw_dots(shift, x, shown, "shift", ACCENT)
    both.set(title="Right answers", ylabel="share")
    shift.set(title="Answers that change", ylabel="share")
    for panel in (both, shift):
        _percent_from_zero(panel)
        panel.set_ylim(top=1.03)
        names = [cause.replace("_", " ") for cause in shown["cause"]]
        _name_ticks(panel, names, shown["n"])
    _two_colours(figure, "forced at the arrival", "at the next one, or the end")
    write_note(figure, _bars(confidence), unchecked)
    return figure


def _arrival(number: int | None) -> str:
    return "all" if number is None else f"{number}"


def _bars(confidence: float) -> str:
    return f"Bars: {confidence:.0%} over problems."


def _draw_dots(
    axes: Axes,
    x: np.ndarray,
    rows: pl.DataFrame,
    name: str,
    colour: str,
    scale: float = 1,
) -> None:
    """Dots of a column with their intervals; a dot alone where there is none."""
    columns = rows.select(name, f"{name}_low", f"{name}_high").cast(pl.Float64)
    values, low, high = scale * columns.fill_null(float("nan")).to_numpy().T
    ends = np.maximum([values - low, high - values], 0)
    axes.plot(x, values, "o", color=colour, ms=5)
    axes.errorbar(x, values, yerr=ends, fmt="none", elinewidth=1.2, ecolor=colour)


def _name_ticks(axes: Axes, names: list[str], counts: pl.Series) -> None:
    """Names below the ticks, each with its number of cases; not all if many."""
    step = 1 + len(names) // MANY
    named = [f"{name}\n{n:,}" for name, n in zip(names, counts, strict=True)]
    axes.set_xticks(range(0, len(names), step), named[::step])
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlim(-0.6, max(len(names), 1) - 0.4)
    axes.grid(axis="x", visible=False)


def _percent_from_zero(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.03 * high), high)


def _say_nothing(axes: Axes) -> None:
    axes.text(
        *(0.5, 0.5), "no rate with an interval", transform=axes.transAxes, color=FAINT
    )
    axes.set_xticks([])


def _two_colours(figure: Figure, early: str, late: str) -> None:
    handles = [
        Line2D([], [], marker="o", ls="", color=colour, label=label)
        for colour, label in ((EARLY, early), (ACCENT, late))
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)


def main(
    *,
    rates_path: Path,
    gains_path: Path,
    causes_path: Path,
    rates_figure: Path,
    gains_figure: Path,
    causes_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    rates, gains = RATES.read(rates_path), GAINS.read(gains_path)
    logger.info("%d rates, %d gains", rates.height, gains.height)
    save_figure(draw_rates(rates, confidence), rates_figure)
    save_figure(draw_gains(gains, confidence), gains_figure)
    save_figure(draw_causes(BY_CAUSE.read(causes_path), confidence), causes_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            rates_path=Path(snakemake.input.rates),
            gains_path=Path(snakemake.input.gains),
            causes_path=Path(snakemake.input.causes),
            rates_figure=Path(snakemake.output.rates),
            gains_figure=Path(snakemake.output.gains),
            causes_figure=Path(snakemake.output.causes),
            confidence=snakemake.params.confidence,
        )
