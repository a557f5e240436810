"""Figures of mistakes: noticed, stated right, other versions, planted probabilities.

Inputs
    summary: `SUMMARY`.
    contrasts: `CONTRASTS`.
    planted: `PLANTED`.

Outputs
    noticed: shares noticed, stated right again and right, by place and kind.
    versions: corrected in the own thought, with a word, and from a user.
    planted: turns at the next boundary beside the planted probability.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    INK,
    counted,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    with_interval,
    write_note,
)
from doubletake.running.logs import job
from mistakes import names
from mistakes.summary_tables import CONTRASTS, PLANTED, SUMMARY

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_mistakes")

_SHADES = ordered_colours(4)
MARKS: dict[str, tuple[str, str]] = {
    names.NONE: ("D", INK),
    names.MENDED: ("D", INK),
    names.PARAPHRASE: ("P", FAINT),
    names.FILLER: ("X", FAINT),
    names.RESULT: ("o", ACCENT),
    names.OPPOSITE: ("h", ACCENT),
    names.OPERAND: ("s", _SHADES[0]),
    names.ANSWER: ("o", ACCENT),
    names.UNIT: ("v", _SHADES[2]),
    names.PLANTED: ("^", ACCENT),
    names.OWN: ("^", ACCENT),
    names.WAIT: ("v", _SHADES[2]),
    names.EXTERNAL: ("s", _SHADES[0]),
}
ROWS = (
    ("noticed", "noticed"),
    ("restated", "states it right"),
    ("accuracy", "right answers"),
)
TITLES = {
    names.EARLY: "First step",
    names.MIDDLE: "Middle step",
    names.LAST: "Last step",
    names.FINAL: "Final answer",
    names.SLIP: "Own slip",
}
NOTHING = "Nothing to draw: no thought was changed."
NO_CONTRAST = "Nothing to draw: no mistake was also given as the user's text."
NO_LANGUAGE = "Nothing to draw: the thoughts are of no planted language."
MARGIN = 0.1
"""Half the height of the gray boxes around planted probabilities."""


def draw_noticed(summary: pl.DataFrame, confidence: float) -> Figure:
    """Shares noticed, stated right again and right, by place and kind."""
    shown = summary.filter(~pl.col("kind").is_in(names.VERSIONS))
    rows, unchecked = with_interval(shown, "accuracy_low")
    if rows.is_empty():
        return empty_figure(unchecked or NOTHING)
    places = [p for p in names.PLACES if not rows.filter(place=p).is_empty()]
    widths = [rows.filter(place=p).height + 1 for p in places]
    figure, axes = new_figure(
        columns=len(places),
        rows=3,
        height=6.6,
        extra_width=10.5 - 3.5 * len(places),
        sharey=True,
        sharex="col",
        width_ratios=widths,
    )
    for column, place in enumerate(places):
        own = rows.filter(place=place)
        axes[0, column].set_title(TITLES[place])
        for row, (name, label) in enumerate(ROWS):
            panel = axes[row, column]
            _draw_shares(panel, own, name)
            panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            if not column:
                panel.set_ylabel(label)
    write_note(figure, _cases(rows, confidence), unchecked)
    return figure


def _draw_shares(axes: Axes, rows: pl.DataFrame, name: str) -> None:
    """Marks with intervals by kind; the baseline as a line."""
    for x, row in enumerate(rows.iter_rows(named=True)):
        if row[name] is None:
            continue
        mark, colour = MARKS[row["kind"]]
        axes.errorbar(
            [x], [row[name]], yerr=_bar(row, name), fmt=mark, color=colour, ms=6, lw=1.2
        )
        if row["kind"] in (names.NONE, names.MENDED):
            axes.axhline(row[name], color=INK, lw=0.9, ls=DASHED, zorder=1)
    axes.set_xticks(np.arange(rows.height), rows["kind"].to_list(), rotation=90)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlim(-0.6, rows.height - 0.4)
    axes.set_ylim(-0.04, 1.04)
    axes.grid(axis="x", visible=False)


def _bar(row: dict[str, Any], name: str) -> np.ndarray | None:
    """Lengths of an error bar, [2, 1]; None without an interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return None
    return np.maximum(np.array([[row[name] - low], [high - row[name]]]), 0)


def _cases(rows: pl.DataFrame, confidence: float) -> str:
    parts = [
        f"{TITLES[place].lower()} {int(part['thoughts'].to_numpy().max())}"
        for (place,), part in rows.group_by("place", maintain_order=True)
    ]
    return f"Thoughts: {', '.join(parts)}. Bars: {confidence:.0%} over problems."


def draw_versions(contrasts: pl.DataFrame, confidence: float) -> Figure:
    """Corrected in the own thought, with a word, and from a user."""
    rows, unchecked = with_interval(contrasts, "other_low")
    if rows.is_empty():
        return empty_figure(unchecked or NO_CONTRAST)
    figure, axes = new_figure(columns=1, height=3.6, extra_width=1.5)
    panel, labels = axes[0, 0], []
    by_name = {row["contrast"]: row for row in rows.to_dicts()}
    first = next(iter(by_name.values()))
    points = [("own thought", first, "own", names.RESULT)]
    if names.WAIT in by_name:
        points.append(("word appended", by_name[names.WAIT], "other", names.WAIT))
    if names.EXTERNAL in by_name:
        other = by_name[names.EXTERNAL]
        points.append(("user\u2019s text", other, "other", names.EXTERNAL))
    for x, (label, row, name, kind) in enumerate(points):
        mark, colour = MARKS[kind]
        panel.errorbar(
            [x], [row[name]], yerr=_bar(row, name), fmt=mark, color=colour, ms=7, lw=1.4
        )
        labels.append(label)
    panel.axhline(first["own"], color=ACCENT, lw=0.9, ls=DASHED, zorder=1)
    panel.set_xticks(np.arange(len(labels)), labels)
    panel.set(
        xlim=(-0.6, len(labels) - 0.4),
        ylim=(-0.04, 1.04),
        ylabel="states it or ends right",
    )
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    panel.grid(axis="x", visible=False)
    cases = (
        f"{counted(first['draws'], 'draw')} on {counted(first['problems'], 'problem')}"
    )
    write_note(figure, f"{cases}. Bars: {confidence:.0%} over problems.", unchecked)
    return figure


def draw_planted(planted: pl.DataFrame, confidence: float) -> Figure:
    """Turns at the next boundary beside the planted probability."""
    rows, unchecked = with_interval(planted.filter(place=names.ALL), "turned_low")
    rows = rows.drop_nulls("turned")
    if rows.is_empty():
        return empty_figure(unchecked or NO_LANGUAGE)
    figure, axes = new_figure(columns=2, height=3.7)
    for panel in axes[0, 1:]:
        panel.remove()
    panel = axes[0, 0]
    panel.set_subplotspec(axes[0, 0].get_gridspec()[0, :])
    for x, row in enumerate(rows.iter_rows(named=True)):
        mark, colour = MARKS[row["kind"]]
        low = row["planted"] - MARGIN
        panel.add_patch(
            Rectangle((x - 0.32, low), 0.64, 2 * MARGIN, color=FAINT, alpha=0.16, lw=0)
        )
        panel.hlines(row["planted"], x - 0.32, x + 0.32, color=INK, lw=1.6)
        panel.errorbar(
            *([x], [row["turned"]]),
            yerr=_bar(row, "turned"),
            fmt=mark,
            color=colour,
            ms=6,
            lw=1.2,
        )
    labels = [f"{row['kind']}\n{row['draws']}" for row in rows.to_dicts()]
    panel.set_xticks(np.arange(rows.height), labels)
    panel.tick_params(axis="x", labelsize=8)
    panel.set(xlim=(-0.6, rows.height - 0.4), ylim=(-0.04, 1.04))
    panel.set_ylabel("turns at the next boundary")
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    panel.grid(axis="x", visible=False)
    note = f"Below the names: draws. Bars: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def main(
    *,
    summary_path: Path,
    contrasts_path: Path,
    planted_path: Path,
    noticed_figure: Path,
    versions_figure: Path,
    planted_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    summary, contrasts, planted = (
        SUMMARY.read(summary_path),
        CONTRASTS.read(contrasts_path),
        PLANTED.read(planted_path),
    )
    save_figure(draw_noticed(summary, confidence), noticed_figure)
    save_figure(draw_versions(contrasts, confidence), versions_figure)
    save_figure(draw_planted(planted, confidence), planted_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            summary_path=Path(snakemake.input.summary),
            contrasts_path=Path(snakemake.input.contrasts),
            planted_path=Path(snakemake.input.planted),
            noticed_figure=Path(snakemake.output.noticed),
            versions_figure=Path(snakemake.output.versions),
            planted_figure=Path(snakemake.output.planted),
            confidence=snakemake.params.confidence,
        )
