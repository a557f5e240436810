"""The calibration figure: confidence beside accuracy, in bins of equal counts."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from doubletake.page.plots import (
    ACCENT,
    FAINT,
    INK,
    empty_figure,
    new_figure,
    ordered_colours,
    with_interval,
    write_note,
)
from doubletake.stats.calibration import calibration_error


def brier_score(bins: pl.DataFrame) -> float:
    """Mean squared difference of confidence and correctness (Brier 1950)."""
    weights = bins["exits"].to_numpy()
    return float(np.average(bins["brier"].to_numpy(), weights=weights))


def draw_calibration(
    bins: pl.DataFrame, exits: pl.DataFrame, interval_coverage: float
) -> Figure:
    """Confidence beside accuracy in bins of equal counts, above a histogram.

    Bins stand side by side and not at their confidence. Most exits of a good model have
    a confidence near 1, so their bins would overlap.

    Args:
        bins: rows of `EARLY_EXIT_CALIBRATION`.
        exits: rows of `EARLY_EXIT`.
        interval_coverage: coverage of the intervals.
    """
    if not bins.height:
        return empty_figure("No exit has an answer: there is no confidence to judge.")
    shown, unchecked = with_interval(bins, "accuracy_low")
    if shown.is_empty():
        return empty_figure(unchecked)
    figure, axes = new_figure(rows=2, height=4.6, height_ratios=[4, 1], extra_width=3.6)
    panel, histogram = axes[:, 0]
    _draw_bins(panel, shown)
    error = calibration_error(
        *(bins[name].to_numpy() for name in ("confidence", "accuracy", "exits"))
    )
    errors = f"ECE {error:.3f}, Brier {brier_score(bins):.3f}"
    panel.set_title(errors)
    confidence = exits["logprob"].drop_nulls().exp().clip(0, 1)
    histogram.hist(confidence, bins=np.linspace(0, 1, 41).tolist(), color=FAINT)
    histogram.set(xlabel="confidence: probability of the whole answer", ylabel="exits")
    histogram.set_xlim(0, 1)
    unanswered = exits["logprob"].null_count()
    parts = [f"{confidence.len()} exits of {exits['trace'].n_unique()} traces."]
    if unanswered:
        parts.append(f"{unanswered} without an answer left out.")
    parts.append(f"Bars: {interval_coverage:.0%} intervals.")
    write_note(figure, " ".join(parts), unchecked)
    return figure


def _draw_bins(axes: Axes, bins: pl.DataFrame) -> None:
    x = np.arange(bins.height)
    confidence, accuracy = bins["confidence"].to_numpy(), bins["accuracy"].to_numpy()
    axes.vlines(x, confidence, accuracy, color=ACCENT, lw=5, alpha=0.25, label="gap")
    ends = np.stack([bins["accuracy_low"].to_numpy(), bins["accuracy_high"].to_numpy()])
    axes.errorbar(
        x,
        accuracy,
        yerr=np.maximum([accuracy - ends[0], ends[1] - accuracy], 0),
        fmt="o",
        elinewidth=1,
        color=ordered_colours(3)[1],
        label="share correct",
    )
    axes.plot(x, confidence, "D", mfc="white", color=INK, label="mean confidence")
    axes.set_xticks(x, [_near_one(value) for value in confidence])
    axes.set(
        xlabel=f"mean confidence of {bins.height} bins of equal counts",
        ylabel="probability",
        ylim=(-0.03, 1.03),
    )
    axes.legend(loc="best")


def _near_one(value: float) -> str:
    """A probability, with enough digits to tell it from 1."""
    if value < 0.9995:
        return f"{value:.3f}"
    mantissa, _, power = f"{max(1 - value, 0.0):.0e}".partition("e")
    return "1" if mantissa == "0" else f"1\u2212{mantissa}e\u2212{abs(int(power))}"
