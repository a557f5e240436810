"""Figure of online exit: the time that each rule saves, looks included.

Inputs
    latency_rules: `online_exit.tables.LATENCY_RULES`.

Outputs
    latency: time saved per rule, with and without shared prefixes.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from doubletake.page.plots import (
    ACCENT,
    FAINT,
    INK,
    counted,
    empty_figure,
    new_figure,
    save_figure,
    write_note,
)
from doubletake.running.logs import job
from online_exit.reading import END_RULE, with_savings
from online_exit.tables import LATENCY_RULES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_online_exit")

NOTHING = "Nothing to draw: no rule was timed."
LEFT = -100.0
"""Percent at which the axis ends on the left; points beyond stand there as arrows."""


def draw_latency(latency: pl.DataFrame) -> Figure:
    """Time that each rule saves, in percent of the whole thoughts."""
    rows = with_savings(latency).filter(pl.col("rule") != END_RULE)
    if rows.is_empty():
        return empty_figure(NOTHING)
    rows = rows.sort("saved_shared", "rule")
    figure, axes = new_figure(
        columns=1, height=1.6 + 0.2 * rows.height, extra_width=3.0
    )
    panel, y = axes[0, 0], np.arange(rows.height)
    shared, alone = (
        100 * rows[f"saved_{name}"].to_numpy() for name in ("shared", "alone")
    )
    for values, marks in (
        (alone, {"mfc": "white", "color": INK}),
        (shared, {"color": ACCENT}),
    ):
        inside = values >= LEFT
        panel.plot(values[inside], y[inside], "o", **marks)
        panel.plot(np.full((~inside).sum(), LEFT), y[~inside], "<", **marks)
    panel.hlines(
        y, np.maximum(alone, LEFT), np.maximum(shared, LEFT), color=FAINT, lw=1
    )
    panel.axvline(0, color=FAINT, lw=0.8)
    panel.plot([], [], "o", color=ACCENT, label="looks share the running cache")
    panel.plot([], [], "o", mfc="white", color=INK, label="looks read the prefix again")
    panel.set_yticks(y, rows["rule"].to_list())
    panel.set_ylim(-0.7, rows.height - 0.3)
    panel.set(xlabel="time saved, % of the time to the end", title="Time saved")
    figure.legend(loc="outside upper left", ncols=1)
    beyond = int((np.minimum(alone, shared) < LEFT).sum())
    write_note(
        figure,
        f"{counted(int(rows['thoughts'].to_numpy().max()), 'thought')}, one at a time; "
        "composed of counts and median times.",
        f"{counted(beyond, 'rule')} beyond {LEFT:.0f}% (arrows)." if beyond else "",
    )
    return figure


def main(*, latency_rules_path: Path, latency_figure: Path) -> None:
    """Read the table, draw, save."""
    save_figure(draw_latency(LATENCY_RULES.read(latency_rules_path)), latency_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            latency_rules_path=Path(snakemake.input.latency_rules),
            latency_figure=Path(snakemake.output.latency),
        )
