"""Figures of the logit lens and of direct logit attribution.

Inputs
    turns: `turns.tables.TURNS`, the most likely tokens.
    summary: `logit_lens.tables.LOGIT_LENS_SUMMARY`.
    leading: `logit_lens.tables.LOGIT_LENS_LEADING`.

Outputs
    layers: mean logits of the target words by layer, and what each part adds.
    leading: the boundary from which a backtrack word is the most likely token.
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
    INK,
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
from logit_lens.tables import LOGIT_LENS_LEADING, LOGIT_LENS_SUMMARY
from turns.tables import TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_logit_lens")

GROUP_LABELS = {"backtrack": "backtrack words", "wrap_up": "wrap-up words"}
COLOURS = dict(zip(GROUP_LABELS, (ACCENT, ordered_colours(3)[1]), strict=True))
LINE_STYLES: dict[str, Any] = {"backtrack": "-", "control": DASHED}
PANELS = {
    "resid": ("Residual stream (logit lens)", "layer boundary"),
    "attn_out": ("Attention", "layer"),
    "mlp_out": ("MLP", "layer"),
}
LOGIT_LABELS = {"centred": "mean logit above the vocabulary's", "raw": "mean raw logit"}
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
    figure, axes = new_figure(columns=3, rows=2, height=6.4, sharex="col")
    for panels, (logit, ylabel) in zip(axes, LOGIT_LABELS.items(), strict=True):
        panels[0].set_ylabel(ylabel)
        for panel, component in zip(panels, PANELS, strict=True):
            rows = shown.filter(logit=logit, component=component)
            _draw_component(panel, rows)
    for panel, (title, xlabel) in zip(axes.T, PANELS.values(), strict=True):
        panel[0].set_title(title)
        panel[1].set_xlabel(xlabel)
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
    lines.append(Line2D([], [], color=FAINT, lw=6, alpha=0.3, label="random tokens"))
    figure.legend(handles=lines, loc="outside upper left", ncols=5)
    note = (
        f"{cases_of(summary)}. Bands: {confidence:.0%} over problems. Grey: "
        f"{confidence:.0%} of random groups of tokens, at backtracks."
    )
    write_note(figure, note, unchecked)
    return figure


def _draw_component(axes: Axes, rows: pl.DataFrame) -> None:
    drawn = rows.filter(kind="backtrack").drop_nulls("random").sort("layer")
    if drawn.height:
        ends = (drawn["random_low"], drawn["random_high"])
        draw_band(axes, drawn["layer"], *ends, colour=INK)
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


def draw_leading(leading: pl.DataFrame, confidence: float) -> Figure:
    """Where a backtrack word is the most likely token, and from where to the end."""
    shown, unchecked = with_interval(leading)
    back = shown.filter(kind="backtrack").sort("boundary")
    if back.is_empty():
        return empty_figure(unchecked or NOTHING)
    figure, axes = new_figure(columns=2, height=3.4)
    shares, begins = axes[0]
    for kind, line_style in LINE_STYLES.items():
        rows = shown.filter(kind=kind).sort("boundary")
        if rows.is_empty():
            continue
        band = (rows["boundary"], rows["low"], rows["high"])
        draw_band(shares, *band, colour=ACCENT)
        style: dict[str, Any] = {"ls": line_style, "color": ACCENT, "marker": "o"}
        style |= {"ms": mark_size(rows.height)}
        label = f"at {kind}s"
        shares.plot(rows["boundary"], rows["share_leading"], label=label, **style)
    shares.set(
        title="A backtrack word is most likely",
        xlabel="layer boundary",
        ylabel="share of positions",
        ylim=(-0.03, 1.03),
    )
    shares.legend(handlelength=3.5)
    to_the_end = back["leading_to_the_end"] / back["positions"]
    begins.bar(back["boundary"], to_the_end, color=ACCENT)
    begins.set(
        title="... from here to the end",
        xlabel="layer boundary",
        ylabel="share of backtracks",
        ylim=(-0.03, 1.03),
    )
    whole_ticks(shares)
    whole_ticks(begins)
    note = f"{cases_of(leading)}. Bands: {confidence:.0%} over problems."
    note += f" At the end: {to_the_end.sum():.1%} of backtracks."
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
    leading_path: Path,
    layers_figure: Path,
    leading_figure: Path,
    words_figure: Path,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    turns = TURNS.read(turns_path)
    summary = LOGIT_LENS_SUMMARY.read(summary_path)
    leading = LOGIT_LENS_LEADING.read(leading_path)
    save_figure(draw_layers(summary, confidence), layers_figure)
    save_figure(draw_leading(leading, confidence), leading_figure)
    save_figure(draw_words(turns), words_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            turns_path=Path(snakemake.input.turns),
            summary_path=Path(snakemake.input.summary),
            leading_path=Path(snakemake.input.leading),
            layers_figure=Path(snakemake.output.layers),
            leading_figure=Path(snakemake.output.leading),
            words_figure=Path(snakemake.output.words),
            confidence=snakemake.params.confidence,
        )
