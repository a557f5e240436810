"""Figures of the ablations: effects beside random sets, turns against coherence.

Inputs
    effects: `ABLATION_EFFECTS`.
    rates: `ABLATION_RATES`.
    sets: `ABLATION_SETS`.

Outputs
    effects: the turn probability by ablation, beside the random sets.
    coherence: turns against the log-prob of the decoded text.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ablation.tables import ABLATION_EFFECTS, ABLATION_RATES, ABLATION_SETS
from ablation.targets import (
    DIRECTIONS,
    HEADS,
    LONG,
    NAMED,
    NONE,
    NULLS,
    SHORT,
    TARGETS,
    UNITS,
    WITHIN,
    null_name,
)
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
from doubletake.page.wording import plural
from doubletake.running.logs import job

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_ablation")

NOTHING = "Nothing to draw: no ablation was measured."
NOT_DECODED = "Nothing to draw: nothing was decoded."
ROW = 0.27  # inches: height of one target's row
APART = 0.24
"""Distance of the row of `within` vectors from that of the others."""
DRAWN = 40
"""So many random sets of an ablation are drawn; the line beside them is of all."""
TALL = 0.13
"""Half the height of the stroke of a random set."""
UNITS_OF_TURNS = {SHORT: "share that turns back", LONG: "backtracks per 100 tokens"}


def draw_effects(effects: pl.DataFrame, sets: pl.DataFrame) -> Figure:
    """One row per ablation: its turn probability beside those of its random sets."""
    order = {target: number for number, target in enumerate(TARGETS)}
    rows = sorted(
        effects.to_dicts(), key=lambda row: (order[row["target"]], not row["claimed"])
    )
    if not rows:
        return empty_figure(NOTHING)
    figure, axes = new_figure(height=1.4 + ROW * len(rows), extra_width=3.5)
    panel = axes[0, 0]
    panel.axvline(rows[0]["plain"], color=INK, lw=0.9, zorder=0)
    for place, row in enumerate(rows):
        name = null_name(row["target"], row["ablation"])
        for null in NULLS:
            shift = APART if null == WITHIN else 0.0
            colour = FAINT if null == WITHIN else ordered_colours(3)[1]
            if row[f"{null}_draws"] is not None:
                ends = [row[f"{null}_least"], row[f"{null}_most"]]
                panel.plot(ends, [place + shift] * 2, color=colour, lw=1, zorder=1)
            values = sets.filter(ablation=name, null=null)["turn_probability"]
            _draw_cloud(panel, values.to_numpy()[:DRAWN], place + shift, colour)
        face = ACCENT if row["claimed"] else "white"
        panel.plot(row["ablated"], place, "o", color=ACCENT, mfc=face, ms=5, zorder=3)
    panel.set_yticks(range(len(rows)), [label_of(row) for row in rows])
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.set(xlabel="probability of turning back after an arrival")
    panel.grid(axis="y", visible=False)
    handles = [
        Line2D([], [], marker="o", ls="", color=ACCENT, label="ablation, claimed"),
        Line2D([], [], marker="o", ls="", color=ACCENT, mfc="white", label="others"),
        Line2D([], [], color=ordered_colours(3)[1], label="random"),
        Line2D([], [], color=FAINT, label="within components"),
        Line2D([], [], color=INK, lw=0.9, label="no ablation"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    places = plural(rows[0]["boundaries"], "place")
    problems = plural(rows[0]["problems"], "test problem")
    write_note(figure, f"{places} on {problems}.")
    return figure


def _draw_cloud(panel: Axes, values: np.ndarray, place: float, colour: str) -> None:
    """A stroke for each random set; all of them are one path, which keeps files small.

    Args:
        panel: where.
        values: [set].
        place: of the row.
        colour: of the strokes.
    """
    x = np.stack([values, values, np.full(len(values), np.nan)], 1).ravel()
    y = np.tile([place - TALL, place + TALL, np.nan], len(values))
    panel.plot(x, y, color=colour, lw=0.7, alpha=0.5, zorder=1)


def label_of(row: dict[str, Any]) -> str:
    """The name of an ablation on a figure: "leading units, 20, zero"."""
    target = row["target"].replace("_", " ")
    what, mode = row["ablation"].split("/")[1:]
    if row["target"] in DIRECTIONS:
        what = "every boundary" if what == "every" else f"boundary {what}"
        return f"{target}, {what}{', mean' if mode == 'mean' else ''}"
    return f"{target}, {what}, {mode}"


def draw_coherence(rates: pl.DataFrame, confidence: float) -> Figure:
    """Turns against the mean log-prob, of continuations and of whole thoughts."""
    drawn, unchecked = with_interval(rates, "turns_low")
    drawn = drawn.drop_nulls(["logprob", "turns"])
    if drawn.is_empty():
        return empty_figure(unchecked or NOT_DECODED)
    figure, axes = new_figure(columns=2, height=4.6)
    targets = [name for name in TARGETS if _has(drawn, name)]
    colours = dict(zip(targets, ordered_colours(len(targets)), strict=True))
    for panel, length in zip(axes[0], (SHORT, LONG), strict=True):
        title = "Continuations" if length == SHORT else "Whole thoughts"
        panel.set(title=title, xlabel="mean log-prob under the plain model (nats)")
        panel.set_ylabel(UNITS_OF_TURNS[length])
        for row in drawn.filter(length=length).to_dicts():
            _draw_arm(panel, row, colours)
    handles = [
        Line2D([], [], marker="D", ls="", color=INK, label="no ablation"),
        *(
            Line2D([], [], marker=marker_of(name), ls="", color=colour, label=label)
            for name, colour in colours.items()
            for label in (name.replace("_", " "),)
        ),
        Line2D([], [], marker="o", ls="", color=FAINT, mfc="white", label="random"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    texts = {
        length: max(drawn.filter(length=length)["n"].to_list(), default=0)
        for length in (SHORT, LONG)
    }
    note = (
        f"{plural(texts[SHORT], 'continuation')} and "
        f"{plural(texts[LONG], 'thought')} for each mark. "
        f"Bars: {confidence:.0%} over problems."
    )
    write_note(figure, note, unchecked)
    return figure


def marker_of(target: str) -> str:
    """Squares for directions, dots for units, triangles for heads."""
    if target in UNITS:
        return "o"
    return "^" if target in HEADS else "s"


def _has(rates: pl.DataFrame, target: str) -> bool:
    return bool(rates["ablation"].str.starts_with(f"{target}/").any())


def _draw_arm(panel: Axes, row: dict[str, Any], colours: dict[str, str]) -> None:
    """One mark with its interval."""
    plain = row["ablation"] == NONE
    colour = INK if plain else colours.get(row["ablation"].partition("/")[0], FAINT)
    value, low, high = (row[name] for name in ("turns", "turns_low", "turns_high"))
    ends = None if low is None else [[max(value - low, 0)], [max(high - value, 0)]]
    panel.errorbar(
        [row["logprob"]],
        [value],
        yerr=ends,
        fmt="D" if plain else marker_of(row["ablation"].partition("/")[0]),
        color=colour,
        mfc=colour if row["null"] == NAMED else "white",
        elinewidth=0.8,
        alpha=1.0 if row["null"] == NAMED else 0.7,
        ms=6 if plain else 5,
        zorder=3 if row["null"] == NAMED else 2,
    )


def main(
    *,
    effects_path: Path,
    rates_path: Path,
    sets_path: Path,
    effects_figure: Path,
    coherence_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    effects = ABLATION_EFFECTS.read(effects_path)
    sets = ABLATION_SETS.read(sets_path)
    rates = ABLATION_RATES.read(rates_path)
    save_figure(draw_effects(effects, sets), effects_figure)
    save_figure(draw_coherence(rates, confidence), coherence_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            effects_path=Path(snakemake.input.effects),
            rates_path=Path(snakemake.input.rates),
            sets_path=Path(snakemake.input.sets),
            effects_figure=Path(snakemake.output.effects),
            coherence_figure=Path(snakemake.output.coherence),
            confidence=snakemake.params.confidence,
        )
