"""Figures of the logit lens and of direct logit attribution.

Inputs
    turns: `schemas.turns.TURNS`, the predicted words.
    summary: `schemas.logit_lens.LOGIT_LENS_SUMMARY`.
    first: `schemas.logit_lens.LOGIT_LENS_FIRST`.

Outputs
    layers: mean logits of the target words by layer, and what each part adds.
    first: the layer at which a backtrack word becomes the most likely token.
    words: the words that the model holds most likely at first backtracks.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    counted,
    draw_band,
    empty_figure,
    mark_size,
    new_figure,
    ordered_colours,
    save_figure,
    whole_ticks,
    write_note,
)
from doubletake.running.logs import job
from logit_lens.tables import LOGIT_LENS_FIRST, LOGIT_LENS_SUMMARY
from turns.tables import TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_logit_lens")

NAMES = {"backtrack": "backtrack words", "wrap_up": "wrap-up words"}
COLOURS = dict(zip(NAMES, (ACCENT, ordered_colours(3)[1]), strict=True))
LOOKS: dict[str, Any] = {"backtrack": "-", "control": DASHED}
PANELS = {
    "resid": ("Residual stream (logit lens)", "layer boundary", "mean logit"),
    "attn_out": ("Attention", "layer", "mean share of the logit"),
    "mlp_out": ("MLP", "layer", "mean share of the logit"),
}
SHOWN_WORDS = 12
NOTHING = "Nothing to draw: no backtrack was selected."


def cases_of(table: pl.DataFrame) -> str:
    """How many positions of each kind stand behind a figure."""
    rows = [
        (kind, table.filter(kind=kind)["positions"])
        for kind in LOOKS
        if not table.filter(kind=kind).is_empty()
    ]
    return ", ".join(counted(counts[0], kind) for kind, counts in rows)


def draw_layers(summary: pl.DataFrame, confidence: float) -> Figure:
    """Mean logits by layer, and each layer's share of the final logit."""
    if summary.filter(kind="backtrack").is_empty():
        return empty_figure(NOTHING)
    figure, axes = new_figure(columns=3, height=3.7)
    for panel, (component, words) in zip(axes[0], PANELS.items(), strict=True):
        title, below, beside = words
        panel.set(title=title, xlabel=below, ylabel=beside)
        _draw_component(panel, summary.filter(component=component))
    lines = [Line2D([], [], color=COLOURS[k], label=NAMES[k]) for k in NAMES]
    looks = {"backtrack": "at backtracks", "control": "at controls"}
    lines += [
        Line2D([], [], color=FAINT, ls=LOOKS[kind], label=text)
        for kind, text in looks.items()
        if not summary.filter(kind=kind).is_empty()
    ]
    figure.legend(handles=lines, loc="outside upper left", ncols=4)
    write_note(figure, f"{cases_of(summary)}. Bands: {confidence:.0%} over problems.")
    return figure


def _draw_component(axes: Axes, rows: pl.DataFrame) -> None:
    for kind, look in LOOKS.items():
        for group, colour in COLOURS.items():
            line = rows.filter(kind=kind, group=group).sort("layer")
            if line.is_empty():
                continue
            draw_band(axes, line["layer"], line["low"], line["high"], colour=colour)
            style: dict[str, Any] = {"ls": look, "color": colour, "marker": "o"}
            axes.plot(line["layer"], line["mean"], **style, ms=mark_size(line.height))
    axes.axhline(0, color=FAINT, lw=0.8)
    whole_ticks(axes)


def draw_first(first: pl.DataFrame, confidence: float) -> Figure:
    """Share of positions with a backtrack word on top, and where it is first."""
    back = first.filter(kind="backtrack").sort("layer")
    if back.is_empty():
        return empty_figure(NOTHING)
    figure, axes = new_figure(columns=2, height=3.4)
    share, place = axes[0]
    for kind, look in LOOKS.items():
        rows = first.filter(kind=kind).sort("layer")
        if rows.is_empty():
            continue
        draw_band(share, rows["layer"], rows["low"], rows["high"], colour=ACCENT)
        style: dict[str, Any] = {"ls": look, "color": ACCENT, "marker": "o"}
        style |= {"ms": mark_size(rows.height)}
        share.plot(rows["layer"], rows["top"], label=f"at {kind}s", **style)
    share.set(
        title="A backtrack word is most likely",
        xlabel="layer boundary",
        ylabel="share of positions",
        ylim=(-0.03, 1.03),
    )
    share.legend(handlelength=3.5)
    place.bar(back["layer"], back["first"] / back["positions"], color=ACCENT)
    never = 1 - int(back["first"].sum()) / int(back["positions"][0])
    place.set(
        title="... for the first time",
        xlabel="layer boundary",
        ylabel="share of backtracks",
    )
    whole_ticks(share)
    whole_ticks(place)
    note = f"{cases_of(first)}. Bands: {confidence:.0%} over problems."
    write_note(figure, f"{note} At no boundary: {never:.1%} of backtracks.")
    return figure


def draw_words(turns: pl.DataFrame) -> Figure:
    """What the model holds most likely where a first backtrack begins."""
    first = turns.filter(kind="backtrack", ordinal=1)
    if first.is_empty():
        return empty_figure("Nothing to draw: no trace turns back.")
    counts = (
        first.group_by("predicted_text", "is_word")
        .len()
        .sort(["len", "predicted_text"], descending=[True, False])
    )
    shown = counts.head(SHOWN_WORDS).reverse()
    height = 1.3 + 0.27 * shown.height
    figure, axes = new_figure(height=height, extra_width=2.4)
    panel = axes[0, 0]
    colours = [ACCENT if word else FAINT for word in shown["is_word"]]
    places = np.arange(shown.height)
    panel.barh(places, shown["len"] / first.height, color=colours)
    panel.set_yticks(places, [_named(text) for text in shown["predicted_text"]])
    panel.set(xlabel="share of first backtracks")
    panel.grid(axis="y", visible=False)
    handles = [
        Line2D([], [], color=ACCENT, lw=6, label="backtrack word"),
        Line2D([], [], color=FAINT, lw=6, label="other"),
    ]
    panel.legend(handles=handles, loc="lower right")
    rest = counts.height - shown.height
    more = f"; {rest} other tokens not shown" if rest > 0 else ""
    write_note(figure, f"{first.height:,} first backtracks, before any filter{more}.")
    return figure


def _named(text: str) -> str:
    """A token with its spaces and breaks visible, safe for matplotlib's mathtext."""
    shown = text.replace(" ", "\u2423").replace("\n", "\u21b5").replace("$", r"\$")
    return shown if shown.isprintable() else ascii(text)


def main(
    *,
    turns_path: Path,
    summary_path: Path,
    first_path: Path,
    layers_figure: Path,
    first_figure: Path,
    words_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    turns = TURNS.read(turns_path)
    summary = LOGIT_LENS_SUMMARY.read(summary_path)
    first = LOGIT_LENS_FIRST.read(first_path)
    save_figure(draw_layers(summary, confidence), layers_figure)
    save_figure(draw_first(first, confidence), first_figure)
    save_figure(draw_words(turns), words_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            turns_path=Path(snakemake.input.turns),
            summary_path=Path(snakemake.input.summary),
            first_path=Path(snakemake.input.first),
            layers_figure=Path(snakemake.output.layers),
            first_figure=Path(snakemake.output.first),
            words_figure=Path(snakemake.output.words),
            confidence=snakemake.params.confidence,
        )
