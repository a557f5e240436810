"""Figure: differences of place between the classes, before and after matching.

Inputs
    balance: one row per contrast and covariate.

Outputs
    balance: one panel per contrast.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from doubletake.page.plots import (
    ACCENT,
    FAINT,
    counted,
    empty_figure,
    new_figure,
    save_figure,
    write_note,
)
from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRASTS
from matches.balance import BALANCED
from matches.tables import BALANCE

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_matches")

LABELS = {
    "since_arrival": "tokens since arrival",
    "arrivals_before": "arrivals before",
    "depth": "tokens of thought",
    "position": "token position",
    "line_start": "line start",
    "token_class": "kind of token before",
}
LOOKS: dict[str, dict[str, Any]] = {
    "before": {"color": FAINT, "mfc": "none", "label": "all events"},
    "after": {"color": ACCENT, "mfc": ACCENT, "label": "matched pairs"},
}


def draw_balance(balance: pl.DataFrame) -> Figure:
    """One panel per contrast: standardised differences by covariate.

    Args:
        balance: the table `matches/balance`.
    """
    if not balance["pairs"].sum():
        return empty_figure("Nothing to draw: there is no matched pair.")
    figure, axes = new_figure(
        columns=2, rows=2, height=5.6, extra_width=1.2, sharex=True, sharey=True
    )
    for panel, contrast in zip(axes.flat, CONTRASTS, strict=True):
        rows = balance.filter(contrast=contrast.name)
        pairs = counted(rows["pairs"][0] if rows.height else 0, "pair")
        panel.set_title(f"{contrast.description.capitalize()}\n{pairs}")
        panel.title.set_fontsize(9.5)
        _draw_contrast(panel, rows)
    for panel in axes[-1]:
        panel.set_xlabel("difference (standard deviations)")
    handles = [Line2D([], [], ls="none", marker="o", **look) for look in LOOKS.values()]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    write_note(figure, f"Grey band: below {BALANCED} standard deviations.")
    return figure


def _draw_contrast(panel: Axes, rows: pl.DataFrame) -> None:
    panel.axvspan(-BALANCED, BALANCED, color=FAINT, alpha=0.15, lw=0)
    panel.axvline(0, color=FAINT, lw=0.8)
    heights = range(len(LABELS), 0, -1)
    for when, look in LOOKS.items():
        values = dict(rows.select("covariate", f"difference_{when}").iter_rows())
        shown = [
            (values[name], height)
            for name, height in zip(LABELS, heights, strict=True)
            if values.get(name) is not None
        ]
        if shown:
            panel.plot(*zip(*shown, strict=True), ls="none", marker="o", **look)
    panel.set_yticks(list(heights), list(LABELS.values()))


def main(*, balance_path: Path, figure_path: Path) -> None:
    """Read the table, draw, save."""
    save_figure(draw_balance(BALANCE.read(balance_path)), figure_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            balance_path=Path(snakemake.input.balance),
            figure_path=Path(snakemake.output.balance),
        )
