"""The calibration figure: confidence beside accuracy, in bins of equal counts."""

from collections.abc import Sequence

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
from doubletake.page.wording import plural
from early_exit.calibration import (
    PART_NAMES,
    brier_score,
    confidences,
    exits_of_part,
    expected_calibration_error,
)
from early_exit.tables import CALIBRATION_PARTS


def draw_calibration(
    bins: pl.DataFrame, exits: pl.DataFrame, interval_coverage: float
) -> Figure:
    """Confidence beside accuracy in bins of equal counts, above a histogram.

    One column for exit 0 and one for later exits. Bins stand side by side and not at
    their confidence. Most exits of a good model have a confidence near 1, so their bins
    would overlap.

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
    figure, axes = new_figure(columns=2, rows=2, height=4.9, height_ratios=[4, 1])
    for (panel, histogram), part in zip(axes.T, CALIBRATION_PARTS, strict=True):
        _draw_bins(panel, shown.filter(part=part))
        panel.set_title(_title(part, bins.filter(part=part)))
        confidence = confidences(exits_of_part(exits, part)).drop_nulls()
        histogram.hist(confidence, bins=np.linspace(0, 1, 41).tolist(), color=FAINT)
        histogram.set(xlabel="confidence: probability of the whole answer")
        histogram.set_xlim(0, 1)
    axes[0, 0].set_ylabel("probability")
    axes[1, 0].set_ylabel("exits")
    _draw_legend(figure, axes[0])
    write_note(figure, _note(exits, interval_coverage), unchecked)
    return figure


def _note(exits: pl.DataFrame, interval_coverage: float) -> str:
    """Number of exits, and of those left out."""
    answered = exits["whole_logprob"].count()
    parts = [f"{answered} exits of {exits['trace'].n_unique()} traces."]
    left_out = exits.height - answered
    if left_out:
        parts.append(f"Left out: {left_out} with no answer or one that has not ended.")
    parts.append(f"Bars: {interval_coverage:.0%} intervals.")
    return " ".join(parts)


def _title(part: str, bins: pl.DataFrame) -> str:
    """The part and its errors, over all its bins, also those that are not drawn."""
    if not bins.height:
        return f"{PART_NAMES[part]}: no answer"
    errors = (expected_calibration_error(bins), brier_score(bins))
    return "{}\nECE {:.3f}, Brier {:.3f}".format(PART_NAMES[part], *errors)


def _draw_bins(axes: Axes, bins: pl.DataFrame) -> None:
    """Confidence and accuracy of the drawn bins of one part."""
    axes.set_ylim(-0.03, 1.03)
    axes.tick_params(axis="x", labelrotation=90)
    if not bins.height:
        axes.set_xticks([])
        why = "no bin with an interval"
        axes.text(0.5, 0.5, why, ha="center", color=FAINT, transform=axes.transAxes)
        return
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
    axes.set_xlabel(f"mean confidence of {plural(bins.height, 'bin')} of equal counts")


def _draw_legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend for both columns."""
    shown = {
        label: handle
        for panel in panels
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(shown.values()), list(shown), loc="outside upper center", ncols=3
    )


def _near_one(value: float) -> str:
    """A probability, with enough digits to tell it from 1."""
    if value < 0.9995:
        return f"{value:.3f}"
    mantissa, _, power = f"{max(1 - value, 0.0):.0e}".partition("e")
    return "1" if mantissa == "0" else f"1\u2212{mantissa}e\u2212{abs(int(power))}"
