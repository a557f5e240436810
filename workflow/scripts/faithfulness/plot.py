"""Figures of faithfulness: curves along thoughts, other contexts, areas by group.

Inputs
    curves: `CURVES`.
    areas: `AREAS`.
    contexts: `CONTEXT_MEANS`.

Outputs
    curves: same answers and right ones against the share that is read.
    contexts: the same with something else in place of the thought.
    areas: areas over the curves, by group of thoughts.
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
from faithfulness.names import (
    AHEAD,
    ALL,
    ARRIVALS,
    BEHIND,
    CONTEXTS,
    FILLER,
    FOREIGN,
    KINDS,
    LENGTHS,
    NONE,
    SHUFFLED,
    THOUGHT,
)
from faithfulness.tables import AREAS, CONTEXT_MEANS, CURVES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_faithfulness")

NOTHING = "Nothing to draw: no thought was cut."
PANELS = (
    (THOUGHT, "Along the whole thought", "share of the thought\u2019s tokens"),
    (ARRIVALS, "Along its arrivals", "share of its arrivals"),
    (AHEAD, "Before the first arrival", "share of the tokens before it"),
    (BEHIND, "After the first arrival", "share of the tokens after it"),
)
LINES: dict[str, dict[str, Any]] = {
    "same": {"marker": "o", "zorder": 3},
    "accuracy": {"marker": "s", "ms": 6.5, "mfc": "white", "lw": 2.4, "zorder": 2},
}
"""Right answers are drawn larger, so that they show behind equal own answers."""
DOTTED: Any = (0, (1, 1.5))
TEAL = ordered_colours(5)[2]
AREA_MARKS = {
    THOUGHT: ("o", INK, "whole thought"),
    AHEAD: ("s", ACCENT, "before its first arrival"),
    BEHIND: ("^", TEAL, "after its first arrival"),
}


def draw_curves(
    curves: pl.DataFrame, contexts: pl.DataFrame, confidence: float
) -> Figure:
    """Same answers and right ones along each part, over all thoughts."""
    rows, unchecked = with_interval(curves.filter(group=ALL), "same_low")
    if rows.is_empty():
        return empty_figure(unchecked or NOTHING)
    figure, axes = new_figure(columns=2, rows=2, height=6.4, sharey=True)
    drawn, _ = with_interval(contexts.filter(group=ALL), "same_low")
    lines = _levels(drawn)
    for panel, (part, title, label) in zip(axes.flat, PANELS, strict=True):
        own = rows.filter(part=part)
        n = f" ({own['thoughts'][0]:,})" if own.height else ""
        panel.set(title=f"{title}{n}", xlabel=label, ylim=(-0.03, 1.03))
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        for style, level, _name in lines:
            panel.axhline(level, color=FAINT, ls=style, lw=1.2, zorder=1)
        for name, colour in (("accuracy", INK), ("same", ACCENT)):
            _draw_curve(panel, own, name, colour)
    for panel in axes[:, 0]:
        panel.set_ylabel("share of the answers")
    handles = [
        Line2D(
            [], [], color=ACCENT, label="the thought\u2019s own answer", **LINES["same"]
        ),
        Line2D([], [], color=INK, label="right", **LINES["accuracy"]),
        *(
            Line2D([], [], color=FAINT, ls=style, lw=1.2, label=name)
            for style, _, name in lines
        ),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=4, columnspacing=1.2)
    write_note(
        figure, f"{_number(rows)} Shades: {confidence:.0%} over problems.", unchecked
    )
    return figure


def _levels(contexts: pl.DataFrame) -> list[tuple[Any, float, str]]:
    """Flat lines: style, share of same answers, label."""
    found: list[tuple[Any, float, str]] = []
    none = contexts.filter(context=NONE)
    if none.height:
        found.append((DASHED, none["same"][0], "own answer, no thought"))
    filler = contexts.filter(context=FILLER).sort("share")
    if filler.height:
        found.append((DOTTED, filler["same"][-1], "own answer, filler"))
    return found


def _draw_curve(axes: Axes, rows: pl.DataFrame, name: str, colour: str) -> None:
    """A line with its band; points without an interval have no band."""
    if rows.is_empty():
        if not axes.texts:
            axes.text(0.5, 0.5, "no thought", ha="center", color=FAINT)
        return
    x = rows["share"].to_numpy()
    y = rows[name].to_numpy()
    low, high = (
        rows[f"{name}_{end}"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for end in ("low", "high")
    )
    draw_band(axes, x, low, high, colour=colour)
    axes.plot(x, y, color=colour, **LINES[name])


def draw_contexts(contexts: pl.DataFrame, confidence: float) -> Figure:
    """Same answers and right ones in every context, over all thoughts."""
    rows, unchecked = with_interval(contexts.filter(group=ALL), "same_low")
    if rows.is_empty():
        return empty_figure(unchecked or NOTHING)
    order = {name: k for k, name in enumerate(CONTEXTS)}
    own = sorted(rows.to_dicts(), key=lambda r: (order[r["context"]], r["share"]))
    figure, axes = new_figure(
        columns=2, height=1.4 + 0.32 * len(own), sharey=True, extra_width=1.2
    )
    for panel, name, title, colour in (
        (axes[0, 0], "same", "The thought\u2019s own answer", ACCENT),
        (axes[0, 1], "accuracy", "Right answers", INK),
    ):
        for y, row in enumerate(own):
            panel.errorbar(
                [row[name]], [y], xerr=_bar(row, name), fmt="o", color=colour, lw=1.2
            )
        panel.set(title=title, xlim=(-0.03, 1.03), xlabel="share of the answers")
        panel.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        panel.grid(axis="y", visible=False)
    axes[0, 0].set_yticks(range(len(own)), [_label(row) for row in own])
    axes[0, 0].set_ylim(len(own) - 0.4, -0.6)
    note = f"{_number(rows)} Bars: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def _label(row: dict[str, Any]) -> str:
    """Name of a context, with its length if it is cut by share."""
    text = str(row["context"])
    if text not in (NONE, SHUFFLED, FOREIGN):
        text += f" ({row['share']:.0%})"
    return f"{text}  n = {row['thoughts']:,}"


def draw_areas(areas: pl.DataFrame, confidence: float) -> Figure:
    """Areas over the curves of the thought and its parts, by group of thoughts."""
    shown = areas.filter(pl.col("part").is_in(list(AREA_MARKS)))
    rows, unchecked = with_interval(shown, "aoc_low")
    if rows.is_empty():
        return empty_figure(unchecked or NOTHING)
    groups = [name for name in (*KINDS, *LENGTHS) if name in set(rows["group"])]
    figure, axes = new_figure(
        columns=1, height=1.5 + 0.42 * len(groups), extra_width=3.2
    )
    panel, counts = (
        axes[0, 0],
        dict(areas.filter(part=THOUGHT).select("group", "thoughts").iter_rows()),
    )
    for shift, (part, (mark, colour, _)) in zip(
        (-0.2, 0.0, 0.2), AREA_MARKS.items(), strict=True
    ):
        for row in rows.filter(part=part).to_dicts():
            y = groups.index(row["group"]) + shift
            panel.errorbar(
                [row["aoc"]], [y], xerr=_bar(row, "aoc"), fmt=mark, color=colour, lw=1.2
            )
    panel.set_yticks(
        range(len(groups)), [f"{name}  n = {counts.get(name, 0):,}" for name in groups]
    )
    panel.set(
        ylim=(len(groups) - 0.4, -0.6), xlabel="area over the curve", xlim=(-0.03, 1.03)
    )
    panel.grid(axis="y", visible=False)
    handles = [
        Line2D([], [], marker=mark, ls="", color=colour, label=label)
        for mark, colour, label in AREA_MARKS.values()
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3, columnspacing=1)
    write_note(figure, f"Bars: {confidence:.0%} over problems.", unchecked)
    return figure


def _bar(row: dict[str, Any], name: str) -> np.ndarray | None:
    """Lengths of an error bar, [2, 1]; None without an interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return None
    return np.maximum(np.array([[row[name] - low], [high - row[name]]]), 0)


def _number(rows: pl.DataFrame) -> str:
    most = int(rows["thoughts"].to_numpy().max())
    return f"{counted(most, 'thought')} at most."


def main(
    *,
    curves_path: Path,
    areas_path: Path,
    contexts_path: Path,
    curves_figure: Path,
    contexts_figure: Path,
    areas_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    curves, contexts = CURVES.read(curves_path), CONTEXT_MEANS.read(contexts_path)
    save_figure(draw_curves(curves, contexts, confidence), curves_figure)
    save_figure(draw_contexts(contexts, confidence), contexts_figure)
    save_figure(draw_areas(AREAS.read(areas_path), confidence), areas_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            curves_path=Path(snakemake.input.curves),
            areas_path=Path(snakemake.input.areas),
            contexts_path=Path(snakemake.input.contexts),
            curves_figure=Path(snakemake.output.curves),
            contexts_figure=Path(snakemake.output.contexts),
            areas_figure=Path(snakemake.output.areas),
            confidence=snakemake.params.confidence,
        )
