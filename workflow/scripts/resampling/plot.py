"""Figures of resampling: stability, prediction, importance of sentences.

Inputs
    resampling, stability, prediction, sentences, importance: tables of this experiment.

Outputs
    stability: rates of all boundaries in order, and instability by number of draws.
    prediction: rates against the mass of the turn words, and against the probe.
    importance: importance of sentences by kind.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from doubletake.page.plots import (
    ACCENT,
    FAINT,
    INK,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    write_note,
)
from doubletake.page.wording import plural, real
from doubletake.running.logs import job
from resampling.names import (
    ARRIVAL,
    BACKTRACK,
    CAUSE,
    CONTROL,
    KINDS,
    MASS,
    MEASURES,
    OTHER,
    PROBE,
    WITHIN,
)
from resampling.stability import with_stability
from resampling.tables import (
    RESAMPLING,
    RESAMPLING_IMPORTANCE,
    RESAMPLING_PREDICTION,
    RESAMPLING_SENTENCES,
    RESAMPLING_STABILITY,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_resampling")

_DARK, _MIDDLE, _LIGHT = ordered_colours(3)
COLOURS = {BACKTRACK: ACCENT, CONTROL: _DARK, ARRIVAL: _LIGHT, OTHER: FAINT, CAUSE: INK}
NAMES = {
    BACKTRACK: "backtracks",
    CONTROL: "matched controls",
    ARRIVAL: "after arrivals",
}
SENTENCE_NAMES = {
    ARRIVAL: "arrival",
    BACKTRACK: "backtrack",
    OTHER: "other",
    CAUSE: "planted\ncause",
}
TITLES = {
    "resampled": "Resampling",
    "counterfactual": "Counterfactual",
    "forced": "Forced",
    "divergence": "Divergence",
}
LABELS = {
    "resampled": "accuracy after − before",
    "counterfactual": "accuracy unlike − after",
    "forced": "right after − right before",
    "divergence": "nats",
}
NO_DRAW = "Nothing to draw: no thought was written again."
NO_ROLLOUT = "Nothing to draw: no sentence has rollouts before and after it."
SPREAD = 0.3
"""Largest distance of a dot from the middle of its column."""


def draw_stability(
    boundaries: pl.DataFrame,
    stability: pl.DataFrame,
    stable_share: float,
    confidence: float,
) -> Figure:
    """Rates of all boundaries by kind, in order, and instability by number of draws."""
    known = with_stability(boundaries, stable_share)
    if known.is_empty():
        return empty_figure(NO_DRAW)
    figure, axes = new_figure(
        columns=2, height=4.0, extra_width=1.5, width_ratios=[1.7, 1]
    )
    rates, growth = axes[0]
    _draw_rates(rates, known)
    for kind in KINDS:
        rows = stability.filter(kind=kind)
        growth.plot(rows["n"], rows["any"], "o-", color=COLOURS[kind], ms=4)
    growth.set(
        title="At least one draw differs",
        xlabel="draws",
        ylabel="share of boundaries",
        ylim=(-0.03, 1.03),
    )
    handles = [
        Line2D([], [], marker="o", ls="", color=COLOURS[kind], label=NAMES[kind])
        for kind in KINDS
    ]
    handles += [
        Line2D([], [], marker="o", ls="", color=INK, label="stable"),
        Line2D([], [], marker="o", ls="", color=INK, mfc="white", label="unstable"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=5)
    n = int(known["draws"].to_numpy().max())
    write_note(
        figure,
        f"{plural(known.height, 'boundary', 'boundaries')}, {plural(n, 'draw')} each. "
        f"Bars: {confidence:.0%} over draws. Stable: at least {stable_share:.0%} of "
        "the draws do as the study’s thought did.",
    )
    return figure


def _draw_rates(axes: Axes, known: pl.DataFrame) -> None:
    """The rate of every boundary with its interval, sorted within its kind."""
    start, ticks, names = 0, [], []
    for kind in KINDS:
        rows = known.filter(kind=kind).sort("rate", "trace", "position")
        if rows.is_empty():
            continue
        x = start + np.arange(rows.height)
        low, high, rate = (rows[name].to_numpy() for name in ("low", "high", "rate"))
        axes.vlines(x, low, high, color=COLOURS[kind], alpha=0.3, lw=0.9)
        for unstable, fill in ((False, COLOURS[kind]), (True, "white")):
            inside = rows["unstable"].to_numpy() == unstable
            axes.plot(
                x[inside], rate[inside], "o", color=COLOURS[kind], mfc=fill, ms=3.6
            )
        ticks.append(start + (rows.height - 1) / 2)
        names.append(f"{NAMES[kind]}\n({rows.height})")
        start += rows.height + 4
    axes.set_xticks(ticks, names)
    axes.grid(axis="x", visible=False)
    axes.set(
        title="Draws that turn back",
        ylabel="share of draws",
        ylim=(-0.03, 1.03),
        xlim=(-2, start - 2),
    )


def draw_prediction(boundaries: pl.DataFrame, prediction: pl.DataFrame) -> Figure:
    """Rates against the mass of the turn words, and against the probe."""
    known = boundaries.drop_nulls("rate")
    if known.is_empty():
        return empty_figure(NO_DRAW)
    figure, axes = new_figure(columns=2, height=3.9, sharey=True)
    labels = {
        MASS: "mass of the backtrack words",
        PROBE: "matched probe, log-odds",
    }
    for panel, (score, label) in zip(axes[0], labels.items(), strict=True):
        shown = known.drop_nulls(score)
        for kind in KINDS:
            rows = shown.filter(kind=kind).sort("trace", "position")
            panel.plot(
                rows[score],
                _spread(rows["rate"].to_numpy()),
                "o",
                color=COLOURS[kind],
                ms=3.8,
                alpha=0.75,
                mew=0,
            )
        panel.set(xlabel=label, title=_correlations(prediction, score))
        if shown.is_empty():
            panel.text(0.5, 0.5, "no matched probe", ha="center", color=FAINT)
    axes[0, 0].plot([0, 1], [0, 1], color=FAINT, lw=0.8, ls=":", zorder=0)
    axes[0, 0].set(ylabel="resampled rate of turning", ylim=(-0.05, 1.05))
    handles = [
        Line2D([], [], marker="o", ls="", color=COLOURS[kind], label=NAMES[kind])
        for kind in KINDS
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    n = plural(known.height, "boundary", "boundaries")
    write_note(
        figure,
        f"{n}. Dots of equal rates are moved apart a little. ρ: rank correlation; "
        "within: among boundaries of a kind.",
    )
    return figure


def _spread(rates: np.ndarray) -> np.ndarray:
    """Rates, moved apart by up to 0.02 in the order of the cases."""
    return rates + 0.02 * (np.arange(len(rates)) % 5 - 2) / 2


def _correlations(prediction: pl.DataFrame, score: str) -> str:
    rows = {
        row["part"]: row["spearman"]
        for row in prediction.filter(score=score).to_dicts()
    }
    if rows.get("all") is None:
        return ""
    return f"ρ = {real(rows['all'], 2)} (within {real(rows.get(WITHIN), 2)})"


def draw_importance(
    sentences: pl.DataFrame, importance: pl.DataFrame, confidence: float
) -> Figure:
    """Importance of sentences by kind: every sentence, and the means."""
    if sentences.is_empty():
        return empty_figure(NO_ROLLOUT)
    figure, axes = new_figure(columns=2, rows=2, height=5.6)
    kinds = [kind for kind in SENTENCE_NAMES if kind in set(importance["kind"])]
    for panel, measure in zip(axes.ravel(), MEASURES, strict=True):
        panel.axhline(0, color=FAINT, lw=0.8, zorder=0)
        for x, kind in enumerate(kinds):
            inside = (
                sentences.filter("cause")
                if kind == CAUSE
                else sentences.filter(kind=kind)
            )
            _draw_column(panel, x, inside.drop_nulls(measure), measure, kind)
            for row in importance.filter(measure=measure, kind=kind).to_dicts():
                _draw_mean(panel, x, row, COLOURS[kind])
        panel.set_xticks(range(len(kinds)), [SENTENCE_NAMES[kind] for kind in kinds])
        panel.set_xlim(-0.6, len(kinds) - 0.4)
        panel.grid(axis="x", visible=False)
        panel.set(title=TITLES[measure], ylabel=LABELS[measure])
    counts = [
        f"{SENTENCE_NAMES[kind]} {n}".replace("\n", " ")
        for kind, n in _counts(sentences, kinds).items()
    ]
    thoughts = plural(sentences["trace"].n_unique(), "thought")
    write_note(
        figure,
        f"Sentences of {thoughts}: {', '.join(counts)}.",
        f"Bars: {confidence:.0%} over problems; means of too few are not drawn. Ticks: "
        "divergence by chance.",
    )
    return figure


def _counts(sentences: pl.DataFrame, kinds: list[str]) -> dict[str, int]:
    return {
        kind: (
            sentences.filter("cause").height
            if kind == CAUSE
            else sentences.filter(kind=kind).height
        )
        for kind in kinds
    }


def _draw_column(
    axes: Axes, x: int, rows: pl.DataFrame, measure: str, kind: str
) -> None:
    """The sentences of a kind; equal values are spread to both sides."""
    values = rows.sort(measure, "trace", "sentence")[measure].to_numpy()
    places = np.zeros(len(values))
    rounded = np.round(values, 2)
    for value in np.unique(rounded):
        same = np.flatnonzero(rounded == value)
        half = min(SPREAD, 0.03 * (len(same) - 1))
        places[same] = np.linspace(-half, half, len(same))
    axes.plot(x + places, values, "o", color=COLOURS[kind], ms=2.6, alpha=0.45, mew=0)
    if measure == "divergence":
        nulls = rows["divergence_null"].to_numpy()
        if len(nulls):
            null = nulls.mean()
            axes.hlines(float(null), x - 0.25, x + 0.25, color=INK, lw=1.0)


def _draw_mean(axes: Axes, x: int, row: Mapping[str, Any], colour: str) -> None:
    """A mean with its interval, beside the sentences; nothing without an interval."""
    if row["value_low"] is None:
        return
    at, value = x + 0.38, row["value"]
    axes.vlines(at, row["value_low"], row["value_high"], color=colour, lw=1.4)
    axes.plot([at], [value], "o", color=colour, ms=5.5)


def main(
    *,
    inputs: dict[str, Path],
    outputs: dict[str, Path],
    stable_share: float,
    confidence: float,
) -> None:
    """Read the tables, draw, save."""
    boundaries = RESAMPLING.read(inputs["resampling"])
    stability = RESAMPLING_STABILITY.read(inputs["stability"])
    prediction = RESAMPLING_PREDICTION.read(inputs["prediction"])
    sentences = RESAMPLING_SENTENCES.read(inputs["sentences"])
    importance = RESAMPLING_IMPORTANCE.read(inputs["importance"])
    figures = {
        "stability": draw_stability(boundaries, stability, stable_share, confidence),
        "prediction": draw_prediction(boundaries, prediction),
        "importance": draw_importance(sentences, importance, confidence),
    }
    for name, figure in figures.items():
        save_figure(figure, outputs[name])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            inputs={name: Path(path) for name, path in snakemake.input.items()},
            outputs={name: Path(path) for name, path in snakemake.output.items()},
            stable_share=snakemake.params.stable_share,
            confidence=snakemake.params.confidence,
        )
