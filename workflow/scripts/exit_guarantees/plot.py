"""Figures of exit guarantees: asked against realised risk, chosen thresholds.

Inputs
    chosen: `CHOSEN`.
    risks: `RISKS`.

Outputs
    risk: realised risk and saved tokens of every rule, for each allowed risk.
    chosen: saved tokens and change of accuracy, with chosen and published thresholds.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from doubletake.exit_rules.splits import GROUPS
from doubletake.page.plots import (
    ACCENT,
    COLUMN,
    DASHED,
    FAINT,
    INK,
    empty_figure,
    new_figure,
    save_figure,
    write_note,
)
from doubletake.page.wording import percent, plural
from doubletake.running.logs import job
from exit_guarantees.tables import CHOSEN, CHOSEN_BY_ERROR, RISKS

if TYPE_CHECKING:
    snakemake: Any

LABELS, PANEL, ROW = 1.6, 1.3, 0.2
"""Inches: width of the rules' names, width of a panel, height of a rule."""
NOTHING = "Nothing to draw: no rule was replayed."


def draw_risk(risks: pl.DataFrame, confidence: float) -> Figure:
    """Realised risk (top) and saved tokens (bottom), a column per allowed risk."""
    rows = risks.filter(pl.col("group").is_null())
    if rows["certified"].count() == 0:
        return empty_figure(NOTHING)
    rules = rows["rule"].unique(maintain_order=True).to_list()
    epsilons = rows["epsilon"].unique().sort().to_list()
    width = LABELS + PANEL * len(epsilons)
    figure, axes = new_figure(
        columns=len(epsilons),
        rows=2,
        height=1.5 + 2 * ROW * len(rules),
        extra_width=width - COLUMN * len(epsilons),
        sharex="row",
        sharey=True,
    )
    for column, epsilon in enumerate(epsilons):
        top, bottom = axes[:, column]
        top.axvline(epsilon, color=INK, lw=0.9, ls=DASHED)
        bottom.axvline(0, color=FAINT, lw=0.8)
        top.set_title(f"at most {100 * epsilon:g}%", fontsize=9)
        for row in rows.filter(epsilon=epsilon).to_dicts():
            y = rules.index(row["rule"])
            absent = _why_absent(row)
            if absent:
                for panel in (top, bottom):
                    _write_in_row(panel, y, absent)
                continue
            face = ACCENT if row["certified"] == GROUPS else "white"
            _draw_dot(top, y, *_ends(row, "risk"), face)
            _draw_dot(bottom, y, *_saved(row), face)
        for panel in (top, bottom):
            panel.xaxis.set_major_locator(MaxNLocator(3))
            panel.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            _name_rows(panel, rules)
    axes[0, 0].set_ylabel("realised risk")
    axes[1, 0].set_ylabel("saved tokens")
    n = plural(max(rows["problems"].drop_nulls()), "problem")
    few = "few: too few problems for an interval. " if _has_few(rows) else ""
    bars = f"Bars: {confidence:.0%} over problems."
    write_note(
        figure, f"{n}, one thought of each. none: nothing certified. {few}{bars}"
    )
    return figure


def _why_absent(row: dict[str, Any]) -> str:
    """Why a row has no dot; empty where it has one."""
    if row["certified"] is None:
        return "not checked"
    if row["certified"] == 0:
        return "none"
    return "few" if row["risk_low"] is None else ""


def _has_few(rows: pl.DataFrame) -> bool:
    return any(_why_absent(row) == "few" for row in rows.to_dicts())


def draw_chosen(chosen: pl.DataFrame, confidence: float) -> Figure:
    """Saved tokens and change of accuracy, chosen and published thresholds."""
    replayed = chosen.filter(pl.col("thoughts").is_not_null())
    if replayed.is_empty():
        return empty_figure(NOTHING)
    if replayed["accuracy_low"].null_count():
        n = plural(min(replayed["problems"]), "problem")
        return empty_figure(f"Not checked: {n} are too few for an interval.")
    rules = chosen["rule"].unique(maintain_order=True).to_list()
    figure, axes = new_figure(
        columns=2, height=1.6 + ROW * 1.35 * len(rules), extra_width=0.6, sharey=True
    )
    saved, change = axes[0]
    for row in replayed.to_dicts():
        y, ours = rules.index(row["rule"]), row["choice"] == CHOSEN_BY_ERROR
        for panel, numbers in ((saved, _saved(row)), (change, _ends(row, "change"))):
            if ours:
                _draw_dot(panel, y, *numbers, ACCENT)
            else:
                panel.plot(numbers[0], y, "D", mfc="none", mec=INK, ms=4.5, mew=0.9)
    for row in chosen.filter(pl.col("why_not").is_not_null()).to_dicts():
        for panel in (saved, change):
            _write_in_row(panel, rules.index(row["rule"]), "not checked")
    for panel in (saved, change):
        panel.axvline(0, color=FAINT, lw=0.8)
        panel.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        _name_rows(panel, rules)
    saved.set(title="Saved tokens", xlabel="share of the full thoughts")
    change.set(title="Change of accuracy", xlabel="at the stop minus at the end")
    handles: list[Line2D] = [
        Line2D([], [], marker="o", ls="", color=ACCENT, label="chosen"),
        Line2D([], [], marker="D", ls="", mfc="none", mec=INK, label="published"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    n = plural(max(replayed["thoughts"]), "thought")
    write_note(figure, f"{n}. Bars: {percent(confidence, 0)} over problems.")
    return figure


def _ends(row: dict[str, Any], name: str) -> tuple[float, float | None, float | None]:
    """A value and its ends."""
    return row[name], row[f"{name}_low"], row[f"{name}_high"]


def _saved(row: dict[str, Any]) -> tuple[float, float | None, float | None]:
    """Saved tokens and their ends: 1 minus the total rate."""
    value, low, high = _ends(row, "total_rate")
    return (
        1 - value,
        None if high is None else 1 - high,
        None if low is None else 1 - low,
    )


def _draw_dot(
    axes: Axes, y: int, value: float, low: float | None, high: float | None, face: str
) -> None:
    """A dot with its interval; without a bar where all problems are equal."""
    if low is not None and high is not None:
        axes.hlines(y, low, high, color=ACCENT, linewidth=1.2)
    axes.plot(value, y, "o", color=ACCENT, mfc=face, ms=4.5)


def _write_in_row(axes: Axes, y: int, text: str) -> None:
    place: Any = {
        "transform": axes.get_yaxis_transform(),
        "ha": "right",
        "va": "center",
    }
    axes.text(0.97, y, text, fontsize=7.5, color=FAINT, **place)


def _name_rows(axes: Axes, rules: list[str]) -> None:
    axes.set_yticks(np.arange(len(rules)), [in_words(rule) for rule in rules])
    axes.set_ylim(len(rules) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)


def in_words(rule: str) -> str:
    """The name of a rule on a figure and on the page."""
    return rule.replace("_", " ")


def main(
    *,
    chosen_path: Path,
    risks_path: Path,
    risk_figure: Path,
    chosen_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    save_figure(draw_risk(RISKS.read(risks_path), confidence), risk_figure)
    save_figure(draw_chosen(CHOSEN.read(chosen_path), confidence), chosen_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            chosen_path=Path(snakemake.input.chosen),
            risks_path=Path(snakemake.input.risks),
            risk_figure=Path(snakemake.output.risk),
            chosen_figure=Path(snakemake.output.chosen),
            confidence=snakemake.params.confidence,
        )
