"""Figure of decoding actions: accuracy against length, and backtracks.

Inputs
    summary: `decoding_actions.tables.SUMMARY`.

Outputs
    actions: both panels.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from decoding_actions.keywords import CGRS, CONTROL, NOWAIT, S1
from decoding_actions.tables import SUMMARY
from doubletake.page.plots import (
    ACCENT,
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

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_decoding_actions")

NAMES = {NOWAIT: "NoWait", CONTROL: "control words", CGRS: "CGRS", S1: "s1"}
_SHADES = ordered_colours(3)
MARKS = {
    NOWAIT: ("o", ACCENT),
    CONTROL: ("s", FAINT),
    CGRS: ("^", _SHADES[1]),
    S1: ("v", _SHADES[0]),
}
APART = 0.13
"""Distance of two dots from their common tick."""
NOTHING = "Nothing to draw: no thought was decoded with an action."


def draw_actions(summary: pl.DataFrame, confidence: float) -> Figure:
    """Change of accuracy against length, and backtracks before and with each action."""
    rows, unchecked = with_interval(summary, "total_rate_low")
    if rows.is_empty():
        return empty_figure(unchecked or NOTHING)
    figure, axes = new_figure(columns=2, height=3.8)
    costs, turns = axes[0]
    _draw_costs(costs, rows)
    _draw_backtracks(turns, rows)
    handles = [_dot(*MARKS[name], NAMES[name]) for name in rows["action"]]
    whole = Line2D([], [], marker="D", ls="", mfc="white", color=INK, label="whole")
    figure.legend(handles=[*handles, whole], loc="outside upper left", ncols=5)
    thoughts, problems = (
        int(rows[name].to_numpy().max()) for name in ("thoughts", "problems")
    )
    note = (
        f"{counted(thoughts, 'thought')} on {counted(problems, 'problem')}. "
        f"Bars: {confidence:.0%} over problems."
    )
    write_note(figure, note, unchecked)
    return figure


def _draw_costs(axes: Axes, rows: pl.DataFrame) -> None:
    axes.axhline(0, color=FAINT, lw=0.8)
    axes.axvline(100, color=FAINT, lw=0.8)
    axes.plot([100], [0], "D", mfc="white", color=INK, ms=6)
    for row in rows.iter_rows(named=True):
        mark, colour = MARKS[row["action"]]
        bars: dict[str, Any] = {
            "xerr": _bar(row, "total_rate"),
            "yerr": _bar(row, "change"),
        }
        x, y = 100 * row["total_rate"], 100 * row["change"]
        axes.errorbar([x], [y], fmt=mark, color=colour, elinewidth=1.2, ms=6, **bars)
    axes.set(
        title="Accuracy against length",
        xlabel="tokens with trials, % of the whole thoughts",
        ylabel="change of accuracy, points",
    )


def _draw_backtracks(axes: Axes, rows: pl.DataFrame) -> None:
    for x, row in enumerate(rows.iter_rows(named=True)):
        mark, colour = MARKS[row["action"]]
        for name, shift, fill in (
            ("whole_backtracks", -APART, "white"),
            ("backtracks", APART, colour),
        ):
            axes.errorbar(
                [x + shift],
                [row[name]],
                yerr=_bar(row, name, scale=1),
                fmt=mark,
                color=colour,
                mfc=fill,
                elinewidth=1.2,
                ms=6,
            )
    axes.set(title="Backtracks", ylabel="backtracks per thought", ylim=(0, None))
    names = [NAMES[name].replace(" ", "\n") for name in rows["action"]]
    axes.set_xticks(np.arange(rows.height), names)
    axes.set_xlim(-0.6, rows.height - 0.4)
    axes.grid(axis="x", visible=False)


def _bar(row: dict[str, Any], name: str, scale: float = 100) -> np.ndarray | None:
    """Lengths of an error bar, [2, 1]; None without an interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return None
    ends = scale * np.array([[row[name] - low], [high - row[name]]])
    return np.maximum(ends, 0)


def _dot(mark: str, colour: str, label: str) -> Line2D:
    return Line2D([], [], marker=mark, ls="", color=colour, label=label)


def main(*, summary_path: Path, actions_figure: Path, confidence: float) -> None:
    """Read the table, draw, save."""
    summary = SUMMARY.read(summary_path)
    save_figure(draw_actions(summary, confidence), actions_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            summary_path=Path(snakemake.input.summary),
            actions_figure=Path(snakemake.output.actions),
            confidence=snakemake.params.confidence,
        )
