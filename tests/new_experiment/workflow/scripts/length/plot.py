"""Draw the accuracy by length.

Inputs
    table: `LENGTH`.

Outputs
    accuracy: SVG.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from matplotlib.figure import Figure

from doubletake.page.plots import empty_figure, new_figure, save_figure
from doubletake.running.logs import job
from length.tables import LENGTH

if TYPE_CHECKING:
    snakemake: Any


def draw_accuracy(table: pl.DataFrame) -> Figure:
    """Accuracy of each part over its mean length."""
    if table.is_empty():
        return empty_figure("There are no thoughts.")
    figure, axes = new_figure()
    axes[0, 0].plot(table["tokens"], table["accuracy"], "o-")
    axes[0, 0].set(xlabel="mean length (tokens)", ylabel="share of right answers")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        table = LENGTH.read(Path(snakemake.input.table))
        save_figure(draw_accuracy(table), Path(snakemake.output.accuracy))
