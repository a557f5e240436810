"""Figures of injection: divergence by distance, attention, share of the first token.

Inputs
    decay: `injection.tables.INJECTION_DECAY`.
    summary: `injection.tables.INJECTION_SUMMARY`.
    attended: `injection.tables.INJECTION_ATTENDED`.
    free: `injection.tables.INJECTION_FREE`.

Outputs
    decay: divergence by distance, once and always, beside random vectors.
    attended: attention to the injected token, beside the unsteered one.
    boosted: share of the first token by the factor of attention.
    free: free runs that differ, and that turn back.
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
    DASHED,
    FAINT,
    INK,
    draw_band,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    whole_ticks,
    with_interval,
    write_note,
)
from doubletake.page.wording import plural
from doubletake.running.logs import job
from injection.free_figure import draw_free
from injection.tables import (
    ALWAYS,
    ARRIVAL,
    INJECTION_ATTENDED,
    INJECTION_DECAY,
    INJECTION_FREE,
    INJECTION_SUMMARY,
    MODES,
    ONCE,
    RANDOM,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_injection")

NOTHING = "Nothing to draw: no direction, or no context of a test problem."
LINES: dict[str, Any] = {ONCE: "-", ALWAYS: DASHED}
FILLS: dict[str, dict[str, Any]] = {
    ONCE: {"facecolor": FAINT, "edgecolor": FAINT, "alpha": 0.25, "lw": 1},
    ALWAYS: {"facecolor": "none", "edgecolor": FAINT, "alpha": 0.4, "hatch": "///"},
}
LEAST = 1e-8
"""Smallest divergence that is drawn on the logarithmic scale, nats."""


def draw_decay(decay: pl.DataFrame, strength: float, confidence: float) -> Figure:
    """Divergence by distance: one panel per depth."""
    rows = decay.filter(place=ARRIVAL, strength=strength, factor=1.0)
    shown, unchecked = with_interval(rows, "kl_low")
    named = shown.filter(pl.col("direction") != RANDOM)
    if named.is_empty():
        return empty_figure(unchecked or NOTHING)
    depths, colours = _depths(named), _colours(named)
    figure, axes = new_figure(columns=len(depths), height=4.0, sharey=True)
    for panel, depth in zip(axes[0], depths, strict=True):
        part = shown.filter(depth=depth)
        for mode in MODES:
            _draw_random(panel, part.filter(direction=RANDOM, mode=mode), mode)
            for name, colour in colours.items():
                _draw_decay(panel, part.filter(direction=name, mode=mode), colour, mode)
        _name_bins(panel, part)
        panel.set(title=f"{depth:.0%} of the depth", yscale="log")
    axes[0, 0].set_ylabel("KL(unsteered || injected), nats")
    figure.legend(
        handles=[
            *_handles(colours),
            Line2D([], [], color=INK, ls="-", label="once"),
            Line2D([], [], color=INK, ls=DASHED, label="at every token"),
        ],
        loc="outside upper left",
        ncols=6,
    )
    random = rows.filter(direction=RANDOM)
    drawn = ""
    if random.height:
        n = plural(max(random["draws"].to_list()), "random vector")
        at = plural(max(random["n"].to_list()), "context")
        drawn = f"{n} at {at}."
    write_note(figure, f"{_cases(named, confidence)} {drawn}", unchecked)
    return figure


def _draw_decay(axes: Axes, rows: pl.DataFrame, colour: str, mode: str) -> None:
    if rows.is_empty():
        return
    x = np.arange(rows.height)
    values, low, high = (
        np.maximum(rows[name].cast(pl.Float64).fill_null(rows["kl"]).to_numpy(), LEAST)
        for name in ("kl", "kl_low", "kl_high")
    )
    axes.plot(x, values, color=colour, ls=LINES[mode], marker="o", ms=3)
    if mode == ONCE:
        axes.vlines(x, low, high, color=colour, lw=0.8, alpha=0.6)


def _draw_random(axes: Axes, rows: pl.DataFrame, mode: str) -> None:
    if rows.is_empty():
        return
    low, high = (
        np.maximum(rows[name].to_numpy(), LEAST) for name in ("band_low", "band_high")
    )
    axes.fill_between(np.arange(rows.height), low, high, zorder=0, **FILLS[mode])


def _name_bins(axes: Axes, rows: pl.DataFrame) -> None:
    pairs = rows.select("first", "last").unique().sort("first").iter_rows()
    names = [f"{a}" if a == b else f"{a}\u2013{b}" for a, b in pairs]
    axes.set_xticks(range(len(names)), names, rotation=45)
    axes.set_xlabel("distance from the token, tokens")


def draw_attended(attended: pl.DataFrame, confidence: float) -> Figure:
    """Attention to the token: above by distance, below the difference by layer."""
    rows = attended.filter(place=ARRIVAL)
    shown, unchecked = with_interval(rows, "difference_low")
    named = shown.filter(pl.col("direction") != RANDOM)
    if named.is_empty():
        return empty_figure(unchecked or NOTHING)
    depths, colours = _depths(named), _colours(named)
    figure, axes = new_figure(columns=len(depths), rows=2, height=6.2, sharey="row")
    for column, depth in enumerate(depths):
        part = named.filter(depth=depth)
        above, below = axes[0, column], axes[1, column]
        _draw_by_distance(above, part, colours)
        _draw_by_layer(below, part, colours)
        above.set(title=f"{depth:.0%} of the depth")
    axes[0, 0].set_ylabel("attention to the token, share")
    axes[1, 0].set_ylabel("injected minus unsteered, share")
    handles = [Line2D([], [], color=INK, label="unsteered"), *_handles(colours)]
    figure.legend(handles=handles, loc="outside upper left", ncols=5)
    write_note(figure, _cases(named, confidence), unchecked)
    return figure


def _draw_by_distance(axes: Axes, rows: pl.DataFrame, colours: dict[str, str]) -> None:
    part = rows.filter(pl.col("distance").is_not_null())
    axes.set_xscale("log")
    for name, colour in colours.items():
        own = part.filter(direction=name).sort("distance")
        axes.plot(own["distance"], own["unsteered"], "o-", color=INK, zorder=1)
        axes.plot(own["distance"], own["injected"], "o-", color=colour)
    ticks = part["distance"].unique().sort().to_list()
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("distance of the attending token")


def _draw_by_layer(axes: Axes, rows: pl.DataFrame, colours: dict[str, str]) -> None:
    axes.axhline(0, color=FAINT, lw=0.8)
    part = rows.filter(pl.col("layer").is_not_null())
    for name, colour in colours.items():
        own = part.filter(direction=name).sort("layer")
        axes.plot(own["layer"], own["difference"], "o-", color=colour)
        ends = own.drop_nulls("difference_low")
        draw_band(
            axes,
            ends["layer"].to_numpy(),
            ends["difference_low"].to_numpy(),
            ends["difference_high"].to_numpy(),
            colour=colour,
        )
    whole_ticks(axes)
    axes.set_xlabel("layer")


def draw_boosted(summary: pl.DataFrame, strength: float, confidence: float) -> Figure:
    """Share of the first token by the factor of attention: one panel per depth."""
    rows = summary.filter(pl.col("direction") != RANDOM).filter(
        place=ARRIVAL, mode=ONCE, strength=strength
    )
    shown, unchecked = with_interval(rows.drop_nulls("share"), "share_low")
    if shown.is_empty():
        return empty_figure(unchecked or NOTHING)
    depths, colours = _depths(shown), _colours(shown)
    factors = shown["factor"].unique().sort().to_list()
    figure, axes = new_figure(columns=len(depths), height=3.8, sharey=True)
    for panel, depth in zip(axes[0], depths, strict=True):
        panel.axhline(0.5, color=INK, lw=0.8, ls=DASHED)
        for number, (name, colour) in enumerate(colours.items()):
            own = shown.filter(depth=depth, direction=name).sort("factor")
            x = np.array([factors.index(f) for f in own["factor"]], dtype=float)
            shift = 0.1 * (number - (len(colours) - 1) / 2)
            values = own["share"].to_numpy()
            low, high = (
                own[f"share_{end}"].fill_null(own["share"]).to_numpy()
                for end in ("low", "high")
            )
            ends = np.maximum([values - low, high - values], 0)
            panel.errorbar(x + shift, values, yerr=ends, fmt="o", color=colour, ms=4)
        panel.set_xticks(range(len(factors)), [f"{f:g}" for f in factors])
        panel.set(title=f"{depth:.0%} of the depth", ylim=(-0.03, 1.03))
        panel.set_xlabel("factor of the odds of attention")
    axes[0, 0].set_ylabel("share of the first token")
    figure.legend(handles=_handles(colours), loc="outside upper left", ncols=5)
    write_note(figure, _cases(shown, confidence), unchecked)
    return figure


def _depths(rows: pl.DataFrame) -> list[float]:
    return rows["depth"].unique().sort().to_list()


def _colours(rows: pl.DataFrame) -> dict[str, str]:
    """A colour for each direction, in the order of the table."""
    names = rows["direction"].unique(maintain_order=True).to_list()
    return dict(zip(names, ordered_colours(len(names)), strict=True))


def _handles(colours: dict[str, str]) -> list[Line2D]:
    return [
        Line2D([], [], marker="o", ls="", color=colour, label=name)
        for name, colour in colours.items()
    ]


def _cases(rows: pl.DataFrame, confidence: float) -> str:
    n, problems = (max(rows[name].to_list()) for name in ("n", "problems"))
    return (
        f"{plural(n, 'context')} of {plural(problems, 'problem')}. Intervals: "
        f"{confidence:.0%} over problems."
    )


def main(
    *,
    decay_path: Path,
    summary_path: Path,
    attended_path: Path,
    free_path: Path,
    decay_figure: Path,
    attended_figure: Path,
    boosted_figure: Path,
    free_figure: Path,
    tested_strength: float,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    decay = INJECTION_DECAY.read(decay_path)
    summary = INJECTION_SUMMARY.read(summary_path)
    attended = INJECTION_ATTENDED.read(attended_path)
    save_figure(draw_decay(decay, tested_strength, confidence), decay_figure)
    save_figure(draw_attended(attended, confidence), attended_figure)
    save_figure(draw_boosted(summary, tested_strength, confidence), boosted_figure)
    free = INJECTION_FREE.read(free_path)
    save_figure(draw_free(free, confidence), free_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            decay_path=Path(snakemake.input.decay),
            summary_path=Path(snakemake.input.summary),
            attended_path=Path(snakemake.input.attended),
            free_path=Path(snakemake.input.free),
            decay_figure=Path(snakemake.output.decay),
            attended_figure=Path(snakemake.output.attended),
            boosted_figure=Path(snakemake.output.boosted),
            free_figure=Path(snakemake.output.free),
            tested_strength=snakemake.params.tested_strength,
            confidence=snakemake.params.confidence,
        )
