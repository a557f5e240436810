"""Figures: what scaling value vectors changes, and cosine and activity of all units.

Inputs
    vectors: the units of largest and smallest cosine (table `value_vectors`).
    units: all units of the chosen layers (table `value_vectors/units`).
    effects: mean changes of the logits (table `value_vectors/effects`).

Outputs
    effects: changes of the backtrack words' logit, beside random vectors.
    units: cosine with the probe's direction against difference of activation.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from doubletake.page.plots import (
    ACCENT,
    FAINT,
    INK,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    with_interval,
    write_note,
)
from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from value_vectors.tables import (
    VALUE_VECTOR_EFFECTS,
    VALUE_VECTOR_UNITS,
    VALUE_VECTORS,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_value_vectors")

NO_VECTORS = "Nothing to draw: no value vectors were compared with a direction."
NO_BACKTRACK = "Nothing to draw: no backtrack was selected for the causal check."
SIDE_COLOURS = {"for": ACCENT, "against": ordered_colours(3)[1]}
CHANGE_LABELS = {
    "logit_change": "change of the backtrack words\u2019 logit",
    "margin_change": "change minus the wrap-up words\u2019 change",
}
LABELLED_UNITS = 2  # units numbered in a panel, on each side
MAX_PANELS = 3  # layers side by side


def draw_effects(effects: pl.DataFrame, confidence: float) -> Figure:
    """Mean change by set of vectors and factor, beside random vectors."""
    if effects.is_empty():
        return empty_figure(NO_BACKTRACK)
    shown, unchecked = with_interval(effects, "logit_change_low")
    if shown.is_empty():
        return empty_figure(unchecked)
    rows = shown.sort("layer", "side", "factor", descending=[True, False, True])
    height = 1.7 + 0.42 * rows.height
    figure, axes = new_figure(columns=2, height=height, extra_width=1.6, sharey=True)
    for panel, (name, title) in zip(axes[0], CHANGE_LABELS.items(), strict=True):
        _draw_changes(panel, rows, name)
        panel.set_xlabel(title)
        panel.xaxis.set_major_locator(MaxNLocator(5))
    labels = [_row_label(row) for row in rows.iter_rows(named=True)]
    axes[0, 0].set_yticks(np.arange(rows.height), labels)
    marks = [
        Line2D([], [], color=colour, marker="o", ls="", label=text)
        for colour, text in (
            (SIDE_COLOURS["for"], "largest cosines"),
            (SIDE_COLOURS["against"], "smallest cosines"),
        )
    ]
    look: dict[str, Any] = {"color": FAINT, "marker": "D", "mfc": "white", "ls": ""}
    marks.append(Line2D([], [], **look, label="random vectors that write as much"))
    figure.legend(handles=marks, loc="outside upper left", ncols=3)
    first = rows.row(0, named=True)
    write_note(
        figure,
        f"{first['positions']:,} backtracks on {first['problems']:,} problems, "
        f"{first['vectors']} vectors at a time. Bars: {confidence:.0%} over problems.",
        unchecked,
    )
    return figure


def _row_label(row: dict[str, Any]) -> str:
    change = "zeroed" if row["factor"] == 0 else f"times {row['factor']:g}"
    return f"layer {row['layer']}, {row['side']}, {change}"


def _draw_changes(panel: Axes, rows: pl.DataFrame, name: str) -> None:
    panel.axvline(0, color=INK, lw=0.8)
    for height, row in enumerate(rows.iter_rows(named=True)):
        sets: tuple[tuple[str, float, dict[str, Any]], ...] = (
            (name, 0.13, {"color": SIDE_COLOURS[row["side"]], "marker": "o"}),
            (f"{name}_random", -0.13, {"color": FAINT, "marker": "D", "mfc": "white"}),
        )
        for column, shift, look in sets:
            low, high = row[f"{column}_low"], row[f"{column}_high"]
            panel.hlines(height + shift, low, high, color=look["color"], lw=1.4)
            panel.plot(row[column], height + shift, **look)
    panel.grid(axis="y", visible=False)
    panel.margins(y=0.08)


def draw_units(units: pl.DataFrame, vectors: pl.DataFrame, contrast: str) -> Figure:
    """Every unit: its cosine, and how much more it writes in the first class."""
    kinds = CONTRAST_BY_NAME[contrast].turn_kinds or ("backtrack", "control")
    first, second = (pl.col(f"at_{kind}") for kind in kinds)
    with_difference = units.with_columns(
        difference=(first - second) * pl.col("norm")
    ).drop_nulls("difference")
    if with_difference.is_empty():
        return empty_figure(NO_VECTORS)
    shown = sorted(with_difference["layer"].unique())[-MAX_PANELS:]
    figure, axes = new_figure(columns=len(shown), height=3.9, extra_width=0.4)
    for panel, layer in zip(axes[0], shown, strict=True):
        rows = with_difference.filter(layer=layer)
        _draw_units(panel, rows, vectors.filter(layer=layer))
        panel.set_title(f"Layer {layer}")
        panel.set_xlabel("cosine with the probe\u2019s direction")
    names = [kind.replace("_", "-") for kind in kinds]
    axes[0, 0].set_ylabel(f"writes more at {names[0]}s than at {names[1]}s")
    n = with_difference.filter(layer=shown[0]).height
    hidden = with_difference["layer"].n_unique() - len(shown)
    more = f" {hidden} earlier layers are not drawn." if hidden else ""
    write_note(
        figure,
        f"{n:,} units per layer: difference of mean activations times norm, symmetric "
        f"log scale.{more}\nColoured: the listed units; numbered: the "
        f"{LABELLED_UNITS} most extreme of each side.",
    )
    return figure


def _draw_units(panel: Axes, rows: pl.DataFrame, listed: pl.DataFrame) -> None:
    panel.axhline(0, color=FAINT, lw=0.8)
    panel.axvline(0, color=FAINT, lw=0.8)
    look: dict[str, Any] = {"ls": "", "marker": "o", "mew": 0}
    faint = look | {"ms": 3, "color": FAINT, "alpha": 0.45}
    panel.plot(rows["cosine"], rows["difference"], **faint)
    middle = float(np.median(np.abs(rows["difference"].to_numpy()))) or 1.0
    panel.set_yscale("symlog", linthresh=10.0 ** np.ceil(np.log10(middle)))
    panel.margins(0.12)
    for side, colour in SIDE_COLOURS.items():
        ranks = listed.filter(side=side).sort("rank").select("vector", "rank")
        marked = ranks.join(rows, on="vector", maintain_order="left")
        panel.plot(marked["cosine"], marked["difference"], ms=5, color=colour, **look)
        shift = 4 if side == "against" else -4
        for row in marked.filter(pl.col("rank") <= LABELLED_UNITS).iter_rows(
            named=True
        ):
            panel.annotate(
                f"{row['vector']}",
                (row["cosine"], row["difference"]),
                xytext=(shift, 5 if row["rank"] == 1 else -12),
                textcoords="offset points",
                ha="left" if side == "against" else "right",
                fontsize=8,
                color=colour,
                zorder=5,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )


def main(
    *,
    vectors_path: Path,
    units_path: Path,
    effects_path: Path,
    effects_figure: Path,
    units_figure: Path,
    contrast: str,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    vectors = VALUE_VECTORS.read(vectors_path)
    units = VALUE_VECTOR_UNITS.read(units_path)
    effects = VALUE_VECTOR_EFFECTS.read(effects_path)
    save_figure(draw_effects(effects, confidence), effects_figure)
    save_figure(draw_units(units, vectors, contrast), units_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            vectors_path=Path(snakemake.input.vectors),
            units_path=Path(snakemake.input.units),
            effects_path=Path(snakemake.input.effects),
            effects_figure=Path(snakemake.output.effects),
            units_figure=Path(snakemake.output.units),
            contrast=snakemake.params.contrast,
            confidence=snakemake.params.confidence,
        )
