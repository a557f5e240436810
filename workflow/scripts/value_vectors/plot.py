"""Figures: what zeroing value vectors changes, and cosine and activity of all units.

Inputs
    vectors: the units of largest and smallest cosine (table `value_vectors`).
    alignment: cosines beside their null (table `value_vectors/alignment`).
    units: all units of the chosen layers (table `value_vectors/units`).
    effects, set_effects: mean changes of the log-odds, of the listed sets and of all
        sets (tables `value_vectors/effects` and `value_vectors/set_effects`).

Outputs
    effects: changes of the backtrack words' log-odds, beside random sets.
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
from matplotlib.ticker import FixedLocator, NullLocator

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    INK,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    with_interval,
    write_note,
)
from doubletake.page.wording import probability
from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from value_vectors.tables import (
    VALUE_VECTOR_ALIGNMENT,
    VALUE_VECTOR_EFFECTS,
    VALUE_VECTOR_SET_EFFECTS,
    VALUE_VECTOR_UNITS,
    VALUE_VECTORS,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_value_vectors")

NO_VECTORS = "Nothing to draw: no value vectors were compared with a direction."
NO_BACKTRACK = "Nothing to draw: no backtrack was selected for the causal check."
SIDE_COLOURS = {"for": ACCENT, "against": ordered_colours(3)[1]}
RANDOM_LOOK: dict[str, Any] = {"color": FAINT, "marker": "|", "ls": "", "alpha": 0.6}
USUAL_SETS = 0.9  # share of the sets on the linear part of the axis
LONG_TAIL = 10.0  # ratio of the largest change to the usual one that stretches the axis
LABELLED_UNITS = 2  # units numbered in a panel, on each side
MAX_PANELS = 3  # layers side by side


def draw_effects(
    effects: pl.DataFrame, set_effects: pl.DataFrame, confidence: float
) -> Figure:
    """Mean change of each listed set, beside all random sets."""
    if effects.is_empty():
        return empty_figure(NO_BACKTRACK)
    shown, unchecked = with_interval(effects, "log_odds_change_low")
    if shown.is_empty():
        return empty_figure(unchecked)
    rows = shown.sort("layer", "side", descending=[True, False])
    height = 1.6 + 0.5 * rows.height
    figure, axes = new_figure(columns=1, height=height, extra_width=2.9)
    panel = axes[0, 0]
    panel.axvline(0, color=INK, lw=0.8)
    for place, row in enumerate(rows.iter_rows(named=True)):
        null = set_effects.filter(
            pl.col("draw") > 0, layer=row["layer"], side=row["side"]
        )["log_odds_change"]
        _draw_set(panel, place, row, null)
    _stretch(panel, set_effects["log_odds_change"].to_numpy())
    panel.set_xlabel("change of the backtrack words\u2019 log-odds (nats)")
    panel.grid(axis="y", visible=False)
    panel.set_ylim(-0.6, rows.height - 0.4)
    labels = [_row_label(row) for row in rows.iter_rows(named=True)]
    panel.set_yticks(range(rows.height), labels)
    marks = [
        Line2D([], [], color=colour, marker="o", ls="", label=text)
        for colour, text in (
            (SIDE_COLOURS["for"], "largest cosines"),
            (SIDE_COLOURS["against"], "smallest cosines"),
        )
    ]
    marks.append(Line2D([], [], **RANDOM_LOOK, label="random sets that write as much"))
    figure.legend(handles=marks, loc="outside upper left", ncols=3)
    first = rows.row(0, named=True)
    write_note(
        figure,
        f"{first['positions']:,} backtracks on {first['problems']:,} problems; "
        f"{first['vectors']} vectors zeroed at a time; {first['random_sets']:,} random "
        f"sets a row.\nBars: {confidence:.0%} over problems. p: rank among the random "
        "sets, corrected.\nExpected: from what the set writes along the direction.",
        unchecked,
    )
    return figure


def _row_label(row: dict[str, Any]) -> str:
    return f"layer {row['layer']}, {row['side']}\np = {probability(row['p_holm'])}"


def _draw_set(panel: Axes, place: int, row: dict[str, Any], null: pl.Series) -> None:
    """One row: marks of the random sets, the listed set, the expected direction."""
    panel.plot(null, np.full(len(null), place - 0.13), **RANDOM_LOOK)
    colour = SIDE_COLOURS[row["side"]]
    low, high = row["log_odds_change_low"], row["log_odds_change_high"]
    if low is not None:
        panel.hlines(place + 0.17, low, high, color=colour, lw=1.4)
    panel.plot(row["log_odds_change"], place + 0.17, color=colour, marker="o")
    if row["expected"] is not None:
        arrow = "\u2190 expected" if row["expected"] == "less" else "expected \u2192"
        panel.annotate(
            arrow,
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            color=FAINT,
        )


def _stretch(panel: Axes, changes: np.ndarray) -> None:
    """Use a logarithmic scale at both ends if a few sets change far more than most."""
    usual = float(np.quantile(np.abs(changes), USUAL_SETS))
    extreme = float(changes[np.abs(changes).argmax()])
    if usual == 0 or abs(extreme) < LONG_TAIL * usual:
        return
    panel.set_xscale("symlog", linthresh=usual, linscale=3)
    for end in (-usual, usual):
        panel.axvline(end, color=FAINT, lw=0.8, ls=":")
    panel.xaxis.set_major_locator(FixedLocator([-usual, 0, usual, extreme]))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(
        lambda value, _: f"{value:.2g}".replace("-", "\u2212")
    )


def draw_units(
    units: pl.DataFrame,
    vectors: pl.DataFrame,
    alignment: pl.DataFrame,
    contrast: str,
) -> Figure:
    """Every unit: its cosine, and how much more it writes in the first class."""
    if units.is_empty():
        return empty_figure(NO_VECTORS)
    written = units.with_columns(written=pl.col("difference") * pl.col("norm"))
    shown = sorted(written["layer"].unique())[-MAX_PANELS:]
    figure, axes = new_figure(columns=len(shown), height=3.9, extra_width=0.4)
    for panel, layer in zip(axes[0], shown, strict=True):
        rows = written.filter(layer=layer)
        _draw_units(panel, rows, vectors.filter(layer=layer))
        for limit in alignment.filter(layer=layer)["cosine_limit"]:
            panel.axvline(limit, color=INK, lw=0.8, ls=DASHED)
        panel.set_title(f"Layer {layer}")
        panel.set_xlabel("cosine with the probe\u2019s direction")
    classes = CONTRAST_BY_NAME[contrast]
    axes[0, 0].set_ylabel(
        f"writes more at {classes.positive}s than at {classes.negative}s"
    )
    n = written.filter(layer=shown[0]).height
    hidden = written["layer"].n_unique() - len(shown)
    more = f" {hidden} earlier layers are not drawn." if hidden else ""
    write_note(
        figure,
        f"{n:,} units per layer: mean difference of activations within "
        f"{vectors['pairs'][0]:,} matched pairs, times norm, symmetric log scale.{more}"
        "\nColoured: the listed units; numbered: the "
        f"{LABELLED_UNITS} most extreme of each side. Dashed: limit of 95% of the "
        "directions\nof shuffled labels (swapped or kept at random by pair), for one "
        "test alone.",
    )
    return figure


def _draw_units(panel: Axes, rows: pl.DataFrame, listed: pl.DataFrame) -> None:
    panel.axhline(0, color=FAINT, lw=0.8)
    panel.axvline(0, color=FAINT, lw=0.8)
    look: dict[str, Any] = {"ls": "", "marker": "o", "mew": 0}
    faint = look | {"ms": 3, "color": FAINT, "alpha": 0.45}
    panel.plot(rows["cosine"], rows["written"], **faint)
    middle = float(np.median(np.abs(rows["written"].to_numpy()))) or 1.0
    panel.set_yscale("symlog", linthresh=10.0 ** np.ceil(np.log10(middle)))
    panel.margins(0.12)
    for side, colour in SIDE_COLOURS.items():
        ranks = listed.filter(side=side).sort("rank").select("vector", "rank")
        marked = ranks.join(rows, on="vector", maintain_order="left")
        panel.plot(marked["cosine"], marked["written"], ms=5, color=colour, **look)
        outwards = -1 if side == "against" else 1
        for row in marked.filter(pl.col("rank") <= LABELLED_UNITS).iter_rows(
            named=True
        ):
            first = row["rank"] == 1
            panel.annotate(
                f"{row['vector']}",
                (row["cosine"], row["written"]),
                xytext=(5 * outwards, 0) if first else (0, -7),
                textcoords="offset points",
                ha=("left" if outwards > 0 else "right") if first else "center",
                va="center" if first else "top",
                fontsize=8,
                color=colour,
                zorder=5,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )


def main(
    *,
    vectors_path: Path,
    alignment_path: Path,
    units_path: Path,
    effects_path: Path,
    set_effects_path: Path,
    effects_figure: Path,
    units_figure: Path,
    contrast: str,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    vectors = VALUE_VECTORS.read(vectors_path)
    units = VALUE_VECTOR_UNITS.read(units_path)
    effects = VALUE_VECTOR_EFFECTS.read(effects_path)
    set_effects = VALUE_VECTOR_SET_EFFECTS.read(set_effects_path)
    alignment = VALUE_VECTOR_ALIGNMENT.read(alignment_path)
    save_figure(draw_effects(effects, set_effects, confidence), effects_figure)
    save_figure(draw_units(units, vectors, alignment, contrast), units_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            vectors_path=Path(snakemake.input.vectors),
            alignment_path=Path(snakemake.input.alignment),
            units_path=Path(snakemake.input.units),
            effects_path=Path(snakemake.input.effects),
            set_effects_path=Path(snakemake.input.set_effects),
            effects_figure=Path(snakemake.output.effects),
            units_figure=Path(snakemake.output.units),
            contrast=snakemake.params.contrast,
            confidence=snakemake.params.confidence,
        )
