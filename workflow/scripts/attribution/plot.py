"""Figures: importance of question and thought, scores by layer, agreement.

Inputs
    checks: agreement of estimates and exact values (`ATTRIBUTION_CHECKS`).
    cells: estimates and exact values (`ATTRIBUTION_CELLS`).
    layers: mean |score| by layer (`ATTRIBUTION_LAYERS`).
    context_parts: importance of question and thought (`ATTRIBUTION_CONTEXT_PARTS`).

Outputs
    context_parts, agreement, layers: the figures.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attribution.plot_agreement import draw_agreement
from attribution.tables import (
    ATTRIBUTION_CELLS,
    ATTRIBUTION_CHECKS,
    ATTRIBUTION_CONTEXT_PARTS,
    ATTRIBUTION_LAYERS,
)
from doubletake.page.plots import (
    DASHED,
    FAINT,
    INK,
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
from doubletake.text.context_parts import QUESTION, THOUGHT_PARTS
from matches.tables import DIFFERENCE, MATCHED

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_attribution")

NOTHING = "No position was selected: there is nothing to draw."
NAMES = {
    MATCHED: "backtracks with a control",
    "control": "their controls",
    "wrap_up": "wrap-ups",
    "backtrack": "all backtracks",
}
"""Kinds that are drawn, in the order of the legend."""
MARKS = {MATCHED: "o", "control": "s", "wrap_up": "^", "backtrack": "v"}
CASES = {
    DIFFERENCE: "pairs of a backtrack and its control",
    "backtrack": "all selected backtracks",
    "wrap_up": "wrap-ups",
}
"""Kinds whose cases the note counts."""
COMPONENT_NAMES = {"resid": "residual", "attn_out": "attention", "mlp_out": "MLP"}
METRIC_NAMES = {
    "log_odds": "log-odds of turning back",
    "difference": "log-odds of turning back against wrapping up",
    "target": "logit of the most likely token",
}


@dataclass(frozen=True)
class Settings:
    """Facts of the study that the figures state and the tables do not hold."""

    method: str
    """Estimate that the study uses: `gradient` or `integrated`."""
    metric: str
    """Metric that is attributed, one of `doubletake.model.turn_metric.METRICS`."""
    confidence: float
    """Coverage of the intervals."""


def drawn(table: pl.DataFrame) -> pl.DataFrame:
    """The rows that a figure draws: like stands beside like.

    With pairs: their backtracks and controls. Without: all backtracks. All backtracks
    are drawn beside the pairs only where a published value is compared with them.
    """
    if table.filter(kind=MATCHED).is_empty():
        return table.filter(~pl.col("kind").is_in(["control", DIFFERENCE]))
    published = "published" in table.columns and table["published"].count()
    left_out = [DIFFERENCE] if published else [DIFFERENCE, "backtrack"]
    return table.filter(~pl.col("kind").is_in(left_out))


def counts_note(table: pl.DataFrame, confidence: float) -> str:
    """Numbers of pairs, of all backtracks and of wrap-ups, and the coverage."""
    notes = []
    for kind, name in CASES.items():
        rows = table.filter(kind=kind).drop_nulls("mean")
        if rows.is_empty():
            continue
        positions = sorted(rows["positions"].to_list())
        fewest, most = positions[0], positions[-1]
        n = f"{most}" if fewest == most else f"{fewest} to {most}"
        problems = max(rows["problems"].to_list())
        notes.append(f"{name}: n = {n}, of {problems} problems")
    text = "; ".join(notes)
    return f"{text[:1].upper()}{text[1:]}. {confidence:.0%} intervals over problems."


def draw_context_parts(context_parts: pl.DataFrame, settings: Settings) -> Figure:
    """Importance per token and of the largest token, by part of the context."""
    shown, unchecked = with_interval(drawn(context_parts).drop_nulls("mean"))
    if not shown.height:
        return empty_figure(unchecked or NOTHING)
    figure, axes = new_figure(columns=2, height=3.9, extra_width=1.2)
    titles = {
        "token": ("Mean per token", "largest |score| over layers, context mean = 1"),
        "peak": ("Largest token", "share of the context's largest token"),
    }
    labels = ["question", *map(str, range(1, THOUGHT_PARTS + 1))]
    for panel, (quantity, (title, label)) in zip(axes[0], titles.items(), strict=True):
        rows = context_parts.filter(quantity=quantity)
        _draw_kinds(panel, shown.filter(quantity=quantity))
        panel.set(title=title, ylabel=label, ylim=(0, None))
        published = rows.filter(pl.col("published").is_not_null())
        if published.height:
            x = published["context_part"]
            look: Any = {"marker": "D", "mfc": "white", "ls": "none", "color": INK}
            label = "published, all backtracks"
            panel.plot(x, published["published"], label=label, **look)
        panel.set_xticks(range(THOUGHT_PARTS + 1), labels)
        panel.set_xlabel("question, and fifths of the thought so far")
    axes[0, 0].axhline(1, color=FAINT, lw=0.8, ls=DASHED, zorder=0)
    _draw_legend(figure, axes[0, 1])
    note = counts_note(context_parts, settings.confidence)
    write_note(figure, note, unchecked)
    return figure


def draw_layers(layers: pl.DataFrame, settings: Settings) -> Figure:
    """Mean |score| by layer: of earlier tokens, and of the position."""
    shown, unchecked = with_interval(drawn(layers).drop_nulls("mean"))
    if not shown.height:
        return empty_figure(unchecked or NOTHING)
    figure, axes = new_figure(columns=2, height=3.6, extra_width=1.7)
    titles = {"earlier": "Earlier tokens", "position": "The position itself"}
    components = layers["component"].unique(maintain_order=True).to_list()
    styles = dict(zip(components, ("-", DASHED, (0, (1, 1.5))), strict=False))
    for panel, (quantity, title) in zip(axes[0], titles.items(), strict=True):
        for kind, colour in _colours(shown).items():
            for component, style in styles.items():
                rows = shown.filter(kind=kind, component=component, quantity=quantity)
                draw_band(
                    panel, rows["layer"], rows["low"], rows["high"], colour=colour
                )
                name = NAMES[kind]
                name += f", {COMPONENT_NAMES[component]}" if len(components) > 1 else ""
                look: Any = {"ls": style, "marker": MARKS[kind], "label": name}
                look |= {"ms": mark_size(rows.height)}
                panel.plot(rows["layer"], rows["mean"], color=colour, **look)
        panel.set(title=title, xlabel="layer", yscale="log")
        whole_ticks(panel)
    unit = METRIC_NAMES[settings.metric]
    axes[0, 0].set_ylabel(f"mean |score| of a token\n(change of the {unit})")
    _draw_legend(figure, axes[0, 1])
    note = counts_note(layers, settings.confidence)
    write_note(figure, note, unchecked)
    return figure


def _draw_kinds(panel: Axes, rows: pl.DataFrame) -> None:
    """Points with bars, kinds side by side; the parts of the thought are joined."""
    colours = _colours(rows)
    width = 0.16 * (len(colours) - 1)
    shifts = np.linspace(-width / 2, width / 2, len(colours))
    for (kind, colour), shift in zip(colours.items(), shifts, strict=True):
        of_kind = rows.filter(kind=kind).drop_nulls("mean").sort("context_part")
        parts, mean = of_kind["context_part"].to_numpy(), of_kind["mean"].to_numpy()
        x = parts + shift
        bars: Any = {"color": colour, "lw": 1.2, "alpha": 0.8}
        panel.vlines(x, of_kind["low"], of_kind["high"], **bars)
        thought = parts != QUESTION
        panel.plot(x[thought], mean[thought], color=colour, lw=1.1)
        look: Any = {"marker": MARKS[kind], "ls": "none", "color": colour}
        panel.plot(x, mean, label=NAMES[kind], **look)


def _draw_legend(figure: Figure, panel: Axes) -> None:
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", alignment="left")


def _colours(table: pl.DataFrame) -> dict[str, str]:
    kinds = [kind for kind in NAMES if kind in set(table["kind"])]
    return dict(zip(kinds, ordered_colours(len(kinds) + 1), strict=False))


def main(
    *,
    checks_path: Path,
    cells_path: Path,
    layers_path: Path,
    context_parts_table_path: Path,
    context_parts_path: Path,
    agreement_path: Path,
    layers_figure_path: Path,
    settings: Settings,
) -> None:
    """Read the tables, draw, save."""
    context_parts = ATTRIBUTION_CONTEXT_PARTS.read(context_parts_table_path)
    layers = ATTRIBUTION_LAYERS.read(layers_path)
    checks = ATTRIBUTION_CHECKS.read(checks_path)
    cells = ATTRIBUTION_CELLS.read(cells_path)
    logger.info("%d cells, %d rows of layers", cells.height, layers.height)
    agreement = draw_agreement(checks, cells, settings.method, settings.confidence)
    save_figure(draw_context_parts(context_parts, settings), context_parts_path)
    save_figure(agreement, agreement_path)
    save_figure(draw_layers(layers, settings), layers_figure_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            checks_path=Path(snakemake.input.checks),
            cells_path=Path(snakemake.input.cells),
            layers_path=Path(snakemake.input.layers),
            context_parts_table_path=Path(snakemake.input.context_parts),
            context_parts_path=Path(snakemake.output.context_parts),
            agreement_path=Path(snakemake.output.agreement),
            layers_figure_path=Path(snakemake.output.layers),
            settings=Settings(**snakemake.params.settings),
        )
