"""Figures: where importance lies, how good the estimate is, and scores by layer.

Inputs
    checks: agreement of estimates and exact values (`schemas.ATTRIBUTION_CHECKS`).
    cells: the values themselves (`schemas.ATTRIBUTION_CELLS`).
    layers: mean sizes by layer (`schemas.ATTRIBUTION_LAYERS`).
    places: importance of question and thought (`schemas.ATTRIBUTION_PLACES`).

Outputs
    places, agreement, layers: the figures.
"""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attribution.agreement import STATISTICS, TOP
from attribution.places import PARTS
from attribution.tables import (
    ATTRIBUTION_CELLS,
    ATTRIBUTION_CHECKS,
    ATTRIBUTION_LAYERS,
    ATTRIBUTION_PLACES,
)
from doubletake.page.plots import (
    DASHED,
    FAINT,
    INK,
    MANY,
    counted,
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

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_attribution")

NOTHING = "No position was looked into: there is nothing to draw."
MOST_POINTS = 3000  # of the scatter; of more every second, third, ... is drawn
KINDS = ("backtrack", "control", "wrap_up")
NAMES = {"backtrack": "backtrack", "control": "control", "wrap_up": "wrap-up"}
MARKS = {"backtrack": "o", "control": "s", "wrap_up": "^"}
PART_NAMES = {"resid": "residual", "attn_out": "attention", "mlp_out": "MLP"}
LINES = {
    "pearson": ("Pearson", "o", "-"),
    "spearman": ("Spearman", "s", "-"),
    "sign": ("equal signs", "^", DASHED),
    "recall": (f"top {TOP} found", "D", DASHED),
}
METHOD_NAMES = {
    "gradient": "Gradient at the clean run",
    "integrated": "Gradients along a path (EAP-IG)",
}
METRIC_NAMES = {"difference": "log-odds of turning back", "target": "logit"}


@dataclass(frozen=True)
class Settings:
    """What the figures state beside the tables."""

    method: str
    """Which estimate the study uses: `gradient` or `integrated`."""
    metric: str
    """What is attributed: `difference` or `target`."""
    confidence: float
    """Coverage of the intervals."""


def counts_note(table: pl.DataFrame, settings: Settings) -> str:
    """Decisions and problems of each kind, and the intervals."""
    parts = []
    for kind in _kinds(table):
        rows = table.filter(kind=kind).drop_nulls("value")
        if rows.is_empty():
            continue
        events = sorted(rows["events"].to_list())
        fewest, most = events[0], events[-1]
        n = f"{most}" if fewest == most else f"{fewest} to {most}"
        problems = max(rows["problems"].to_list())
        parts.append(f"{NAMES[kind]}: n = {n} positions of {problems} problems")
    return f"{'; '.join(parts)}. {settings.confidence:.0%} bootstrap intervals."


def draw_places(places: pl.DataFrame, settings: Settings) -> Figure:
    """Importance per token and of the largest token, question and fifths."""
    if not places.height:
        return empty_figure(NOTHING)
    figure, axes = new_figure(columns=2, height=3.9, extra_width=1.2)
    titles = {
        "token": ("Mean per token", "largest |score| over layers, context mean = 1"),
        "peak": ("Largest token", "share of the context's largest token"),
    }
    for panel, (quantity, (title, label)) in zip(axes[0], titles.items(), strict=True):
        rows = places.filter(quantity=quantity)
        _draw_kinds(panel, rows)
        panel.set(title=title, ylabel=label, ylim=(0, None))
        published = rows.filter(pl.col("published").is_not_null())
        if published.height:
            x = published["place"]
            look: Any = {"marker": "D", "mfc": "white", "ls": "none", "color": INK}
            panel.plot(x, published["published"], label="published", **look)
        panel.set_xticks(range(PARTS + 1), ["question", *map(str, range(1, PARTS + 1))])
        panel.set_xlabel("question, and fifths of the thought so far")
    axes[0, 0].axhline(1, color=FAINT, lw=0.8, ls=DASHED, zorder=0)
    _legend_of(figure, axes[0, 1])
    write_note(figure, counts_note(places, settings))
    return figure


def draw_layers(layers: pl.DataFrame, settings: Settings) -> Figure:
    """Mean |score| by layer: of earlier tokens, and of the deciding position."""
    if not layers.height:
        return empty_figure(NOTHING)
    figure, axes = new_figure(columns=2, height=3.6, extra_width=1.7)
    titles = {"earlier": "Earlier tokens", "own": "The deciding position itself"}
    parts = layers["part"].unique(maintain_order=True).to_list()
    styles = dict(zip(parts, ("-", DASHED, (0, (1, 1.5))), strict=False))
    for panel, (quantity, title) in zip(axes[0], titles.items(), strict=True):
        for kind, colour in _colours(layers).items():
            for part, style in styles.items():
                rows = layers.filter(kind=kind, part=part, quantity=quantity)
                draw_band(
                    panel, rows["layer"], rows["low"], rows["high"], colour=colour
                )
                name = NAMES[kind]
                name += f", {PART_NAMES[part]}" if len(parts) > 1 else ""
                look: Any = {"ls": style, "marker": MARKS[kind], "label": name}
                look |= {"ms": mark_size(rows.height)}
                panel.plot(rows["layer"], rows["value"], color=colour, **look)
        panel.set(title=title, xlabel="layer", yscale="log")
        whole_ticks(panel)
    unit = METRIC_NAMES[settings.metric]
    axes[0, 0].set_ylabel(f"mean |score| of a token\n(change of the {unit})")
    _legend_of(figure, axes[0, 1])
    write_note(figure, counts_note(layers, settings))
    return figure


def draw_agreement(
    checks: pl.DataFrame, cells: pl.DataFrame, settings: Settings
) -> Figure:
    """Agreement with exact patching by layer, both methods, and the cells themselves.

    Of the residual stream, which every study scores.
    """
    checks, cells = checks.filter(part="resid"), cells.filter(part="resid")
    if not cells.height:
        return empty_figure("No cell was patched exactly: there is nothing to compare.")
    figure, axes = new_figure(columns=3, height=4.0)
    methods = sorted(METHOD_NAMES, key=lambda name: name != settings.method)
    for panel, method in zip(axes[0], methods, strict=False):
        _draw_statistics(panel, checks.filter(method=method))
        used = " (used)" if method == settings.method else ""
        panel.set_title(f"{METHOD_NAMES[method]}{used}", fontsize=9.5)
        if not cells[method].count():
            middle: Any = {"ha": "center", "transform": panel.transAxes}
            panel.text(0.5, 0.5, "not checked", color=FAINT, **middle)
    low = min(panel.get_ylim()[0] for panel in axes[0, :2])
    for panel in axes[0, :2]:
        panel.set_ylim(min(low, -0.05), 1.03)
    axes[0, 0].set_ylabel("agreement, mean over positions")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels))
    _draw_cells(axes[0, 2], cells, settings)
    write_note(figure, _agreement_note(cells, settings))
    return figure


def _agreement_note(cells: pl.DataFrame, settings: Settings) -> str:
    positions = cells.select("trace", "event").n_unique()
    per = cells.height / cells.select("trace", "event", "layer").n_unique()
    chance = min(1.0, TOP / per)
    problems = cells["problem"].n_unique()
    return (
        f"{cells.height:,} cells at {counted(positions, 'position')} of "
        f"{counted(problems, 'problem')}, {per:.0f} tokens per position and "
        f"layer. Chance: 0 for correlations, 0.5 for signs, {chance:.2f} for the top "
        f"{TOP}. {settings.confidence:.0%} bootstrap intervals."
    )


def _draw_statistics(panel: Axes, checks: pl.DataFrame) -> None:
    rows = checks.drop_nulls(["layer", "value"]).sort("layer")
    colours = ordered_colours(len(STATISTICS))
    layers = rows["layer"].n_unique()
    width = 0.3 if layers <= MANY else 0.0
    shifts = np.linspace(-width / 2, width / 2, len(STATISTICS))
    for (name, (label, mark, style)), colour, shift in zip(
        LINES.items(), colours, shifts, strict=True
    ):
        own = rows.filter(statistic=name)
        x = own["layer"].to_numpy() + shift
        if layers <= MANY:
            panel.vlines(x, own["low"], own["high"], color=colour, lw=1, alpha=0.7)
        else:
            draw_band(panel, x, own["low"], own["high"], colour=colour)
        look: Any = {"marker": mark, "ls": style, "lw": 1.2, "color": colour}
        look |= {"ms": mark_size(layers)}
        panel.plot(x, own["value"], label=label, **look)
    panel.axhline(0, color=FAINT, lw=0.8, zorder=0)
    panel.set_xlabel("layer")
    whole_ticks(panel)


def _draw_cells(panel: Axes, cells: pl.DataFrame, settings: Settings) -> None:
    """Estimate against exact change, on axes that are linear near 0 only."""
    cells = cells.gather_every(math.ceil(cells.height / MOST_POINTS))
    exact, found = (cells[name].to_numpy() for name in ("exact", settings.method))
    near = float(np.quantile(np.abs(exact), 0.5)) or 1.0
    colours = ordered_colours(cells["layer"].n_unique())
    layers = cells["layer"].unique().sort().to_list()
    marks = cells["layer"].to_numpy()
    for layer, colour in zip(layers, colours, strict=True):
        own = marks == layer
        panel.plot(exact[own], found[own], ".", ms=2.5, alpha=0.5, color=colour)
    largest = float(max(np.abs(exact).max(), np.abs(found).max())) * 1.3 or 1.0
    panel.plot([-largest, largest], [-largest, largest], color=FAINT, lw=0.8, zorder=0)
    panel.set_xscale("symlog", linthresh=near)
    panel.set_yscale("symlog", linthresh=near)
    panel.set(xlim=(-largest, largest), ylim=(-largest, largest))
    for axis in (panel.xaxis, panel.yaxis):
        power = 10 ** np.floor(np.log10(largest))
        axis.set_ticks([-power, 0, power])
    panel.set_title(f"Cells, layers {layers[0]} (dark) to {layers[-1]}", fontsize=9.5)
    panel.set(xlabel="exact change of the metric", ylabel="estimate")


def _draw_kinds(panel: Axes, rows: pl.DataFrame) -> None:
    """Points with bars, side by side; the fifths of the thought are joined."""
    colours = _colours(rows)
    width = 0.16 * (len(colours) - 1)
    shifts = np.linspace(-width / 2, width / 2, len(colours))
    for (kind, colour), shift in zip(colours.items(), shifts, strict=True):
        own = rows.filter(kind=kind).drop_nulls("value").sort("place")
        x, value = own["place"].to_numpy() + shift, own["value"].to_numpy()
        panel.vlines(x, own["low"], own["high"], color=colour, lw=1.2, alpha=0.8)
        thought = own["place"].to_numpy() > 0
        panel.plot(x[thought], value[thought], color=colour, lw=1.1)
        look: Any = {"marker": MARKS[kind], "ls": "none", "color": colour}
        panel.plot(x, value, label=NAMES[kind], **look)


def _legend_of(figure: Figure, panel: Axes) -> None:
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", alignment="left")


def _kinds(table: pl.DataFrame) -> list[str]:
    found = set(table["kind"].unique())
    return [kind for kind in KINDS if kind in found]


def _colours(table: pl.DataFrame) -> dict[str, str]:
    kinds = _kinds(table)
    return dict(zip(kinds, ordered_colours(len(kinds) + 1), strict=False))


def main(
    *,
    checks_path: Path,
    cells_path: Path,
    layers_path: Path,
    places_table_path: Path,
    places_path: Path,
    agreement_path: Path,
    layers_figure_path: Path,
    settings: Settings,
) -> None:
    """Read the tables, draw, save."""
    places = ATTRIBUTION_PLACES.read(places_table_path)
    layers = ATTRIBUTION_LAYERS.read(layers_path)
    checks = ATTRIBUTION_CHECKS.read(checks_path)
    cells = ATTRIBUTION_CELLS.read(cells_path)
    logger.info("%d cells, %d layers' rows", cells.height, layers.height)
    save_figure(draw_places(places, settings), places_path)
    save_figure(draw_agreement(checks, cells, settings), agreement_path)
    save_figure(draw_layers(layers, settings), layers_figure_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            checks_path=Path(snakemake.input.checks),
            cells_path=Path(snakemake.input.cells),
            layers_path=Path(snakemake.input.layers),
            places_table_path=Path(snakemake.input.places),
            places_path=Path(snakemake.output.places),
            agreement_path=Path(snakemake.output.agreement),
            layers_figure_path=Path(snakemake.output.layers),
            settings=Settings(**snakemake.params.settings),
        )
