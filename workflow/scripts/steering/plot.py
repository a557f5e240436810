"""Figures of steering: strengths, turns against coherence, screening, accuracy.

Inputs
    cells: `CELLS`.
    ladder: `LADDER`.
    summary: `SUMMARY`.

Outputs
    strengths: turning and coherence by strength, beside the controls.
    trade: turning against coherence, all cells of the screening.
    screening: the score of each direction by boundary.
    accuracy: accuracy against tokens of whole thoughts.
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
    DASHED,
    FAINT,
    INK,
    counted,
    draw_band,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    with_interval,
    write_note,
)
from doubletake.running.logs import job
from steering.names import (
    DIRECTION,
    NONE,
    PROBABILITY,
    RANDOM,
    SHUFFLED,
    TURNED,
    WITHIN,
    expected_sign,
    in_words,
)
from steering.screening_figures import draw_screening, draw_trade
from steering.tables import CELLS, LADDER, SUMMARY

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_steering")

NOT_TESTED = "Nothing to draw: no direction was tested at several strengths."
NO_THOUGHT = "Nothing to draw: no whole thought was decoded with a direction."
CONTROLS: dict[str, Any] = {
    SHUFFLED: {"marker": "s", "color": ordered_colours(3)[1], "label": "shuffled"},
    WITHIN: {"marker": "^", "color": ordered_colours(3)[2], "label": "subspace"},
}
TITLES = {
    PROBABILITY: "Probability that the next token is a turn word",
    TURNED: "Share of continuations that turn back",
}
X_LABEL = "strength toward turning back, residual norms"


def draw_strengths(ladder: pl.DataFrame, confidence: float, tolerance: float) -> Figure:
    """Turning with its controls above, coherence below, by strength."""
    steered = ladder.filter(source=DIRECTION)
    if steered.is_empty():
        return empty_figure(NOT_TESTED)
    own, unchecked = with_interval(
        ladder.filter(pl.col("source").is_in([DIRECTION, NONE])), "turned_low"
    )
    if own.is_empty():
        return empty_figure(unchecked)
    figure, axes = new_figure(
        rows=3, height=7.2, extra_width=2.2, sharex=True, height_ratios=[3, 3, 2]
    )
    name = steered["direction"][0]
    sense = expected_sign(name)
    own = own.with_columns(x=pl.col("strength") * sense).sort("x")
    panels = dict(zip((PROBABILITY, TURNED), axes[:2, 0], strict=True))
    for outcome, panel in panels.items():
        _draw_controls(panel, ladder, outcome, sense)
        _draw_direction(panel, own, outcome)
        panel.axhline(0, color=FAINT, lw=0.8)
        panel.set(title=TITLES[outcome], ylabel="change, points")
    below = axes[2, 0]
    random = ladder.filter(source=RANDOM).sort("strength")
    for sign in (-1, 1):
        below.plot(sign * random["strength"], random["kept"], color=FAINT, lw=1)
    below.plot(own["x"], own["kept"], "o-", color=ACCENT, ms=5)
    below.axhline(1 - tolerance, color=INK, ls=DASHED, lw=0.9)
    below.set(title="Coherence", xlabel=X_LABEL, ylabel="share of none", ylim=(0, None))
    handles = [
        Line2D([], [], marker="o", color=ACCENT, label=in_words(name)),
        Line2D([], [], lw=8, color=FAINT, alpha=0.25, label="random vectors"),
        *(Line2D([], [], ls="", ms=5, **style) for style in CONTROLS.values()),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    first = own.row(0, named=True)
    draws = int(ladder["draws"].to_numpy().max())
    place = f"Boundary {steered['boundary'][0]}, {steered['positions'][0]}."
    write_note(
        figure,
        f"{place.replace('_', ' ')} {counted(first['cases'], 'thought')} on "
        f"{counted(first['problems'], 'problem')}, {counted(draws, 'random vector')}.",
        f"Bars: {confidence:.0%} over problems.",
        unchecked,
    )
    return figure


def _draw_direction(panel: Axes, own: pl.DataFrame, outcome: str) -> None:
    """Paired changes with the direction, with intervals over problems."""
    value, low, high = (
        100 * own[name].fill_null(0).to_numpy()
        for name in (
            f"{outcome}_shift",
            f"{outcome}_shift_low",
            f"{outcome}_shift_high",
        )
    )
    bars = np.maximum([value - low, high - value], 0)
    bars[:, own[f"{outcome}_shift_low"].is_null().to_numpy()] = 0
    style: dict[str, Any] = {"color": ACCENT, "elinewidth": 0.9, "ms": 5}
    panel.errorbar(own["x"], value, yerr=bars, fmt="o-", **style)


def _draw_controls(panel: Axes, ladder: pl.DataFrame, outcome: str, sense: int) -> None:
    """The band of random vectors, on both sides, and marks of the other controls."""
    plain = float(ladder.filter(source=NONE)[outcome].to_numpy()[0])
    low, high = f"{outcome}_band_low", f"{outcome}_band_high"
    random = ladder.filter(source=RANDOM).drop_nulls(low).sort("strength")
    for sign in (-1, 1) if random.height else ():
        x = sign * random["strength"].to_numpy()
        ends = [100 * (random[name].to_numpy() - plain) for name in (low, high)]
        draw_band(panel, x, *ends, colour=FAINT)
    for source, style in CONTROLS.items():
        rows = ladder.filter(source=source)
        strengths = rows["strength"].to_numpy()
        changes = 100 * (rows[outcome].to_numpy() - plain)
        for sign in (sense,) if source == SHUFFLED else (-1, 1):
            panel.plot(sign * strengths, changes, ls="", ms=5, **style)


def draw_accuracy(summary: pl.DataFrame, confidence: float) -> Figure:
    """Accuracy against tokens of whole thoughts, joined in the order of strengths."""
    rows, unchecked = with_interval(summary, "tokens_low")
    if rows.is_empty():
        return empty_figure(unchecked or NO_THOUGHT)
    figure, axes = new_figure(height=3.9, extra_width=1.6)
    panel = axes[0, 0]
    names = rows["direction"].drop_nulls().to_list()
    sense = expected_sign(names[0]) if names else 1
    rows = rows.with_columns(x=pl.col("strength") * sense).sort("x")
    panel.plot(rows["tokens"], 100 * rows["accuracy"], "-", color=FAINT, lw=0.8)
    shades = ordered_colours(rows.height)
    for shade, row in zip(shades, rows.iter_rows(named=True), strict=True):
        panel.errorbar(
            [row["tokens"]],
            [100 * row["accuracy"]],
            xerr=_bar(row, "tokens", 1),
            yerr=_bar(row, "accuracy", 100),
            fmt="D" if not row["strength"] else "o",
            color=shade,
            mfc=shade if row["intact"] else "white",
            elinewidth=1.0,
            ms=6,
            label="none" if not row["strength"] else f"{row['x']:+.2g}",
        )
    panel.set(
        title="Accuracy against tokens",
        xlabel="tokens of a thought",
        ylabel="right answers, %",
    )
    figure.legend(loc="outside right center", title="strength")
    first = rows.row(0, named=True)
    write_note(
        figure,
        f"{counted(first['thoughts'], 'thought')} on "
        f"{counted(first['problems'], 'problem')} at each strength. Bars: "
        f"{confidence:.0%} over problems.",
        unchecked,
    )
    return figure


def _bar(row: dict[str, Any], name: str, scale: float) -> np.ndarray | None:
    """Lengths of an error bar, [2, 1]; None without an interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return None
    return np.maximum(scale * np.array([[row[name] - low], [high - row[name]]]), 0)


def main(
    *,
    cells_path: Path,
    ladder_path: Path,
    summary_path: Path,
    figures: dict[str, Path],
    confidence: float,
    tolerance: float,
) -> None:
    """Read the tables, draw, save."""
    cells, ladder = CELLS.read(cells_path), LADDER.read(ladder_path)
    summary = SUMMARY.read(summary_path)
    save_figure(draw_strengths(ladder, confidence, tolerance), figures["strengths"])
    save_figure(draw_trade(cells, tolerance), figures["trade"])
    save_figure(draw_screening(cells), figures["screening"])
    save_figure(draw_accuracy(summary, confidence), figures["accuracy"])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            cells_path=Path(snakemake.input.cells),
            ladder_path=Path(snakemake.input.ladder),
            summary_path=Path(snakemake.input.summary),
            figures={name: Path(path) for name, path in snakemake.output.items()},
            confidence=snakemake.params.confidence,
            tolerance=snakemake.params.tolerance,
        )
