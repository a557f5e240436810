"""Figures of the twins: the effect of each cause, and how often thoughts turn.

Inputs
    summary: `twins.tables.TWINS_SUMMARY`.
    rates: `twins.tables.TWINS_RATES`.

Outputs
    effects: probability of turning with and without each cause, and the difference.
    rates: rate of turning by cause, and by number of turns without a cause.
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
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    with_interval,
    write_note,
)
from doubletake.page.wording import plural
from doubletake.running.logs import job
from pocket.reading import CAUSES, NONE
from twins.tables import MANY_TURNS, TWINS_RATES, TWINS_SUMMARY

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_twins")

WITHOUT = ordered_colours(3)[1]
PLANTED: Any = {"marker": "D", "ls": "", "mfc": "white", "color": INK, "zorder": 1}
APART = 0.13
"""Distance of two dots from their common tick."""
NO_PAIR = "Nothing to draw: no context with a planted cause was measured."
NO_BOUNDARY = "Nothing to draw: no boundary of a planted language was read."


def draw_effects(summary: pl.DataFrame, confidence: float) -> Figure:
    """The probability of turning with and without each cause, and the difference."""
    rows, unchecked = with_interval(summary.filter(pl.col("pairs") > 0))
    if rows.is_empty():
        return empty_figure(unchecked or NO_PAIR)
    figure, axes = new_figure(columns=2, height=3.7)
    both, effect = axes[0]
    x = np.arange(rows.height)
    for side, colour, shift in (("with", ACCENT, -APART), ("without", WITHOUT, APART)):
        both.plot(x + shift, rows[f"planted_{side}"], ms=8, **PLANTED)
        both.plot(x + shift, rows[f"turn_{side}"], "o", color=colour, ms=5)
    both.set(title="Probability of turning", ylabel="probability", ylim=(-0.03, 1.03))
    effect.axhline(0, color=FAINT, lw=0.8)
    effect.plot(x, rows["planted_effect"], ms=8, **PLANTED)
    _draw_dots(effect, x, rows, "effect", ACCENT)
    effect.set(title="Effect of the cause", ylabel="difference of the probability")
    for panel in (both, effect):
        _name_ticks(panel, x, [in_words(cause) for cause in rows["cause"]])
    handles = [
        _dot(ACCENT, "with the cause"),
        _dot(WITHOUT, "without it, in the twin"),
        Line2D([], [], ms=8, label="planted", **PLANTED),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    cases = [
        f"{in_words(cause)}: {plural(pairs, 'pair')}"
        for cause, pairs in rows.select("cause", "pairs").iter_rows()
    ]
    note = f"{', '.join(cases)}. Bars: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def draw_rates(rates: pl.DataFrame, confidence: float) -> Figure:
    """How often the study's own thoughts turn, beside the planted rate."""
    shown, unchecked = with_interval(rates)
    if shown.is_empty():
        return empty_figure(unchecked or NO_BOUNDARY)
    figure, axes = new_figure(columns=2, height=3.7, sharey=True)
    caused, base = shown.filter(pl.col("cause") != NONE), shown.filter(cause=NONE)
    names = [in_words(cause) for cause in caused["cause"]]
    turns = [f"{n}+" if n == MANY_TURNS else f"{n}" for n in base["turns"]]
    for panel, rows, ticks in (
        (axes[0, 0], caused, names),
        (axes[0, 1], base, turns),
    ):
        x = np.arange(rows.height)
        panel.plot(x, rows["planted"], ms=8, **PLANTED)
        _draw_dots(panel, x, rows, "rate", ACCENT)
        _name_ticks(panel, x, ticks)
    axes[0, 0].set(title="By cause", ylabel="share that turns", ylim=(-0.03, 1.03))
    axes[0, 1].set(title="Without a cause", xlabel="turns before")
    handles = [
        _dot(ACCENT, "observed"),
        Line2D([], [], ms=8, label="planted", **PLANTED),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    total = plural(int(rates["boundaries"].sum()), "boundary", "boundaries")
    note = f"{total}. Bars: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def in_words(cause: str) -> str:
    """The name of a cause on a figure."""
    assert cause in CAUSES
    return cause.replace("_", " ")


def _dot(colour: str, label: str) -> Line2D:
    return Line2D([], [], marker="o", ls="", color=colour, label=label)


def _draw_dots(
    axes: Axes, x: np.ndarray, rows: pl.DataFrame, name: str, colour: str
) -> None:
    """Dots of a column with their intervals."""
    values, low, high = (rows[column].to_numpy() for column in (name, "low", "high"))
    ends = np.maximum([values - low, high - values], 0)
    axes.errorbar(x, values, yerr=ends, fmt="o", elinewidth=1.2, color=colour, ms=5)


def _name_ticks(axes: Axes, x: np.ndarray, names: list[str]) -> None:
    axes.set_xticks(x, names)
    axes.set_xlim(-0.6, max(len(x), 1) - 0.4)
    axes.grid(axis="x", visible=False)


def main(
    *,
    summary_path: Path,
    rates_path: Path,
    effects_figure: Path,
    rates_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    summary = TWINS_SUMMARY.read(summary_path)
    rates = TWINS_RATES.read(rates_path)
    save_figure(draw_effects(summary, confidence), effects_figure)
    save_figure(draw_rates(rates, confidence), rates_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            summary_path=Path(snakemake.input.summary),
            rates_path=Path(snakemake.input.rates),
            effects_figure=Path(snakemake.output.effects),
            rates_figure=Path(snakemake.output.rates),
            confidence=snakemake.params.confidence,
        )
