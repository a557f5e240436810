"""Figures of the logit lens and of direct logit attribution.

Inputs
    turns: `turns.tables.TURNS`, the most likely tokens.
    summary: `logit_lens.tables.LOGIT_LENS_SUMMARY`.
    first: `logit_lens.tables.LOGIT_LENS_FIRST`.

Outputs
    layers: mean logits of the target words by layer, and what each part adds.
    first: the boundary at which a backtrack word becomes the most likely token.
    words: the model's most likely tokens at first backtracks.
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
    with_interval,
    write_note,
)
from doubletake.running.logs import job
from logit_lens.tables import LOGIT_LENS_FIRST, LOGIT_LENS_SUMMARY
from turns.tables import TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_logit_lens")

GROUP_LABELS = {"backtrack": "backtrack words", "wrap_up": "wrap-up words"}
COLOURS = dict(zip(GROUP_LABELS, (ACCENT, ordered_colours(3)[1]), strict=True))
LINE_STYLES: dict[str, Any] = {"backtrack": "-", "control": DASHED}
PANELS = {
    "resid": ("Residual stream (logit lens)", "layer boundary", "mean logit"),
    "attn_out": ("Attention", "layer", "mean share of the logit"),
    "mlp_out": ("MLP", "layer", "mean share of the logit"),
}
SHOWN_WORDS = 12
NOTHING = "Nothing to draw: no backtrack was selected."


def cases_of(table: pl.DataFrame) -> str:
    """Number of positions of each kind in a table."""
    rows = [
        (kind, table.filter(kind=kind)["positions"])
        for kind in LINE_STYLES
        if not table.filter(kind=kind).is_empty()
    ]
    return ", ".join(counted(counts[0], kind) for kind, counts in rows)


def draw_layers(summary: pl.DataFrame, confidence: float) -> Figure:
    """Mean logits by layer, and what each layer adds to the final logit."""
    shown, unchecked = with_interval(summary)
    if shown.filter(kind="backtrack").is_empty():
        return empty_figure(unchecked or NOTHING)
    figure, axes = new_figure(columns=3, height=3.7)
    for panel, (component, labels) in zip(axes[0], PANELS.items(), strict=True):
        title, xlabel, ylabel = labels
        panel.set(title=title, xlabel=xlabel, ylabel=ylabel)
        _draw_component(panel, shown.filter(component=component))
    lines = [
        Line2D([], [], color=COLOURS[group], label=label)
        for group, label in GROUP_LABELS.items()
    ]
    kind_labels = {"backtrack": "at backtracks", "control": "at controls"}
    lines += [
        Line2D([], [], color=FAINT, ls=LINE_STYLES[kind], label=text)
        for kind, text in kind_labels.items()
        if not shown.filter(kind=kind).is_empty()
    ]
    figure.legend(handles=lines, loc="outside upper left", ncols=4)
    note = f"{cases_of(summary)}. Bands: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def _draw_component(axes: Axes, rows: pl.DataFrame) -> None:
    for kind, line_style in LINE_STYLES.items():
        for group, colour in COLOURS.items():
            line = rows.filter(kind=kind, group=group).sort("layer")
            if line.is_empty():
                continue
            draw_band(axes, line["layer"], line["low"], line["high"], colour=colour)
            style: dict[str, Any] = {"ls": line_style, "color": colour, "marker": "o"}
            axes.plot(line["layer"], line["mean"], **style, ms=mark_size(line.height))
    axes.axhline(0, color=FAINT, lw=0.8)
    whole_ticks(axes)


def draw_first(first: pl.DataFrame, confidence: float) -> Figure:
    """Where a backtrack word is the most likely token, and where it is so first."""
    shown, unchecked = with_interval(first)
    back = shown.filter(kind="backtrack").sort("boundary")
    if back.is_empty():
        return empty_figure(unchecked or NOTHING)
    figure, axes = new_figure(columns=2, height=3.4)
    leading, first_leading = axes[0]
    for kind, line_style in LINE_STYLES.items():
        rows = shown.filter(kind=kind).sort("boundary")
        if rows.is_empty():
            continue
        band = (rows["boundary"], rows["low"], rows["high"])
        draw_band(leading, *band, colour=ACCENT)
        style: dict[str, Any] = {"ls": line_style, "color": ACCENT, "marker": "o"}
        style |= {"ms": mark_size(rows.height)}
        label = f"at {kind}s"
        leading.plot(rows["boundary"], rows["share_leading"], label=label, **style)
    leading.set(
        title="A backtrack word is most likely",
        xlabel="layer boundary",
        ylabel="share of positions",
        ylim=(-0.03, 1.03),
    )
    leading.legend(handlelength=3.5)
    shares = back["first_leading"] / back["positions"]
    first_leading.bar(back["boundary"], shares, color=ACCENT)
    never = 1 - int(back["first_leading"].sum()) / int(back["positions"][0])
    first_leading.set(
        title="... for the first time",
        xlabel="layer boundary",
        ylabel="share of backtracks",
    )
    whole_ticks(leading)
    whole_ticks(first_leading)
    note = f"{cases_of(first)}. Bands: {confidence:.0%} over problems."
    note += f" At no boundary: {never:.1%} of backtracks."
    write_note(figure, note, unchecked)
    return figure


def draw_words(turns: pl.DataFrame) -> Figure:
    """The model's most likely tokens where the first backtrack of a trace begins."""
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
    bars = np.arange(shown.height)
    panel.barh(bars, shown["len"] / first.height, color=colours)
    panel.set_yticks(bars, [_printable(text) for text in shown["predicted_text"]])
    panel.set(xlabel="share of first backtracks")
    panel.grid(axis="y", visible=False)
    handles = [
        Line2D([], [], color=ACCENT, lw=6, label="backtrack word"),
        Line2D([], [], color=FAINT, lw=6, label="another token"),
    ]
    panel.legend(handles=handles, loc="lower right")
    hidden = counts.height - shown.height
    note = f"; {hidden} other tokens not shown" if hidden > 0 else ""
    write_note(figure, f"{first.height:,} first backtracks, before any filter{note}.")
    return figure


def _printable(text: str) -> str:
    """A token with visible spaces and line breaks, safe for matplotlib's mathtext."""
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
