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
from matches.tables import MATCHED
from turns.tables import TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_logit_lens")

GROUP_LABELS = {"backtrack": "backtrack words", "wrap_up": "wrap-up words"}
COLOURS = dict(zip(GROUP_LABELS, (ACCENT, ordered_colours(3)[1]), strict=True))
PAIR = (MATCHED, "control")
LINE_STYLES: dict[str, Any] = {"backtrack": "-", MATCHED: "-", "control": DASHED}
KIND_LABELS = {
    "backtrack": "at backtracks",
    MATCHED: "at backtracks with a control",
    "control": "at their controls",
}
PANELS = {
    "resid": ("Residual stream (logit lens)", "layer boundary"),
    "attn_out": ("Attention", "layer"),
    "mlp_out": ("MLP", "layer"),
}
LOGIT_LABELS = {"centred": "mean logit above the vocabulary's", "raw": "mean raw logit"}
SHOWN_WORDS = 12
NOTHING = "Nothing to draw: no backtrack was selected."


def drawn_rows(table: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """The rows to draw, and a sentence on those without an interval.

    Matched backtracks are drawn beside their controls, so that like stands beside like.
    Where there is no pair with an interval, all selected backtracks are drawn alone.

    Args:
        table: with the columns kind, problems and low.
    """
    pairs, unchecked = with_interval(table.filter(pl.col("kind").is_in(PAIR)))
    if pairs["kind"].n_unique() == len(PAIR):
        return pairs, unchecked
    alone, alone_unchecked = with_interval(table.filter(kind="backtrack"))
    return alone, "\n".join(text for text in (unchecked, alone_unchecked) if text)


def cases_of(table: pl.DataFrame) -> str:
    """Number of pairs and of all selected backtracks in a table."""
    pairs, backtracks = (
        int(table.filter(kind=kind)["positions"].max() or 0)  # type: ignore[arg-type]
        for kind in (MATCHED, "backtrack")
    )
    of_all = f"of {counted(backtracks, 'backtrack')} in all"
    return f"{counted(pairs, 'pair')} of a backtrack and its control, {of_all}"


def draw_layers(summary: pl.DataFrame, confidence: float) -> Figure:
    """Mean logits by layer, and what each layer adds to the final logit."""
    drawn = summary.filter(pl.col("component").is_in(list(PANELS)))
    shown, unchecked = drawn_rows(drawn)
    if shown.is_empty():
        return empty_figure(unchecked or NOTHING)
    random = drawn.filter(kind="backtrack").drop_nulls("random")
    figure, axes = new_figure(columns=3, rows=2, height=6.4, sharex="col")
    for panels, (logit, ylabel) in zip(axes, LOGIT_LABELS.items(), strict=True):
        panels[0].set_ylabel(ylabel)
        for panel, component in zip(panels, PANELS, strict=True):
            of_panel = {"logit": logit, "component": component}
            _draw_random(panel, random.filter(**of_panel).sort("layer"))
            _draw_component(panel, shown.filter(**of_panel))
    for panel, (title, xlabel) in zip(axes.T, PANELS.values(), strict=True):
        panel[0].set_title(title)
        panel[1].set_xlabel(xlabel)
    lines = [
        Line2D([], [], color=COLOURS[group], label=label)
        for group, label in GROUP_LABELS.items()
    ]
    lines += [
        Line2D([], [], color=FAINT, ls=LINE_STYLES[kind], label=text)
        for kind, text in KIND_LABELS.items()
        if not shown.filter(kind=kind).is_empty()
    ]
    lines.append(Line2D([], [], color=FAINT, lw=6, alpha=0.3, label="random tokens"))
    figure.legend(handles=lines, loc="outside upper left", ncols=5)
    note = (
        f"{cases_of(summary)}. Bands: {confidence:.0%} over problems. Grey: "
        f"{confidence:.0%} of random groups of tokens, at all backtracks."
    )
    write_note(figure, note, unchecked)
    return figure


def _draw_random(axes: Axes, rows: pl.DataFrame) -> None:
    if rows.height:
        ends = (rows["random_low"], rows["random_high"])
        draw_band(axes, rows["layer"], *ends, colour=INK)


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


def draw_leading(leading: pl.DataFrame, confidence: float) -> Figure:
    """Where a backtrack word is the most likely token, and from where to the end."""
    shown, unchecked = drawn_rows(leading)
    if shown.is_empty():
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
        label = KIND_LABELS[kind]
        shares.plot(rows["boundary"], rows["share_leading"], label=label, **style)
    shares.set(
        title="A backtrack word is most likely",
        xlabel="layer boundary",
        ylabel="share of positions",
        ylim=(-0.03, 1.03),
    )
    shares.legend(handlelength=3.5)
    at_the_end = _draw_begins(begins, leading.filter(kind="backtrack"))
    whole_ticks(shares)
    whole_ticks(begins)
    bands = f"Bands: {confidence:.0%} over problems."
    end = f"At the end: {at_the_end:.1%} of all backtracks."
    write_note(figure, f"{cases_of(leading)}.", f"{bands} {end}", unchecked)
    return figure


def _draw_begins(axes: Axes, rows: pl.DataFrame) -> float:
    """Bars: from which boundary a backtrack word leads to the end; their sum."""
    shares = rows["leading_to_the_end"] / rows["positions"]
    axes.bar(rows["boundary"], shares, color=ACCENT)
    axes.set(
        title="... from here to the end",
        xlabel="layer boundary",
        ylabel="share of all backtracks",
        ylim=(-0.03, 1.03),
    )
    return float(shares.sum())


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
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)


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
