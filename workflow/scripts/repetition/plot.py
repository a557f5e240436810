"""Figures of repetition: a fixed answer and a wrong number, by number of statements.

Inputs
    points: means by outcome, arm, answer and exit (`REPETITION_POINTS`).

Outputs
    fixed_answer: log-prob and log-odds of the answer forced at exit 1, and, after a
        wrong first arrival, of the number that it states.
    wrong_number: log-prob of a repeated wrong number, and how often it is the answer.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    INK,
    draw_band,
    empty_figure,
    new_figure,
    ordered_colours,
    save_figure,
    whole_ticks,
    with_interval,
    write_note,
)
from doubletake.running.logs import job
from repetition.tables import (
    FILLER,
    LOG_ODDS,
    LOGPROB,
    OTHER,
    OUTCOMES,
    REPEATED,
    REPETITION_POINTS,
    TESTED,
    THOUGHT,
    WRONG_ALL,
    WRONG_REPEATS,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_repetition")

NOTHING = "Nothing to draw: no thought with two arrivals was measured."
_DARK, _MIDDLE, _LIGHT = ordered_colours(3)
LOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    THOUGHT: ("thought", {"color": ACCENT, "marker": "o"}),
    REPEATED: ("repeated", {"color": _DARK, "marker": "s"}),
    FILLER: ("filler", {"color": FAINT, "marker": "^", "ls": DASHED}),
    WRONG_REPEATS: ("repeats wrong", {"color": _MIDDLE, "marker": "D"}),
    WRONG_ALL: ("all wrong", {"color": _LIGHT, "marker": "v"}),
}
"""Name and style of each arm."""
YLABELS = {
    LOGPROB: "log-prob (nats)",
    LOG_ODDS: "log-odds (nats)",
    "said": "share of forced answers",
}


def draw_arms(
    points: pl.DataFrame,
    answers: Mapping[str, str],
    arms: Sequence[str],
    measures: Sequence[str],
    confidence: float,
) -> Figure:
    """Two measures of one answer, for each outcome, one line per arm.

    Args:
        points: of `REPETITION_POINTS`.
        answers: whose probability it is, by outcome.
        arms: that are drawn.
        measures: one per row of panels.
        confidence: coverage of the intervals.
    """
    is_own = pl.col("answer") == pl.col("outcome").replace_strict(answers)
    own = points.filter(is_own, pl.col("arm").is_in(arms))
    if own.is_empty():
        return empty_figure(NOTHING)
    shown, unchecked = with_interval(own, f"{LOGPROB}_low")
    if shown.is_empty():
        return empty_figure(unchecked)
    figure, axes = new_figure(columns=2, rows=len(measures), height=5.6)
    for row, measure in zip(axes, measures, strict=True):
        for panel, outcome in zip(row, OUTCOMES, strict=True):
            _draw_lines(panel, shown.filter(outcome=outcome), arms, measure)
            if measure == measures[-1]:
                panel.set_xlabel("k, statements of the answer")
        row[0].set_ylabel(YLABELS[measure])
    for panel, outcome in zip(axes[0], OUTCOMES, strict=True):
        panel.set_title(f"First arrival {outcome}")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if not handles:
        handles, labels = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(arms))
    note = f"{_cases(own)} Bands: {confidence:.0%} over problems."
    write_note(figure, note, unchecked)
    return figure


def _cases(rows: pl.DataFrame) -> str:
    """Number of thoughts at each k, by outcome."""
    parts = []
    for outcome in OUTCOMES:
        own = rows.filter(outcome=outcome, arm=REPEATED).sort("exit")
        counts = ", ".join(f"{n:,}" for n in own["traces"])
        parts.append(f"{outcome} {counts or 0}")
    return f"Thoughts at k = 1, 2, ...: {'; '.join(parts)}."


def _draw_lines(
    panel: Axes, rows: pl.DataFrame, arms: Sequence[str], measure: str
) -> None:
    """The lines of the arms of one outcome."""
    whole_ticks(panel)
    if measure == "said":
        panel.set_ylim(-0.03, 1.03)
    if rows.is_empty():
        why = "no point with an interval"
        panel.text(
            0.5,
            0.5,
            why,
            ha="center",
            va="center",
            color=INK,
            transform=panel.transAxes,
        )
        return
    for arm in arms:
        line = rows.filter(arm=arm).sort("exit")
        if line.is_empty():
            continue
        label, look = LOOKS[arm]
        panel.plot(line["exit"], line[measure], label=label, **look)
        bounded = line.drop_nulls(f"{measure}_low")
        if bounded.height:
            low, high = bounded[f"{measure}_low"], bounded[f"{measure}_high"]
            if measure == LOGPROB:
                high = high.clip(upper_bound=0.0)
            draw_band(panel, bounded["exit"], low, high, colour=look["color"])


def main(
    *, points_path: Path, fixed_figure: Path, wrong_figure: Path, confidence: float
) -> None:
    """Read the table, draw, save."""
    points = REPETITION_POINTS.read(points_path)
    fixed = draw_arms(
        points, TESTED, (THOUGHT, REPEATED, FILLER), (LOGPROB, LOG_ODDS), confidence
    )
    save_figure(fixed, fixed_figure)
    arms = (REPEATED, WRONG_REPEATS, WRONG_ALL)
    drawn = dict.fromkeys(OUTCOMES, OTHER)
    wrong = draw_arms(points, drawn, arms, (LOGPROB, "said"), confidence)
    save_figure(wrong, wrong_figure)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            points_path=Path(snakemake.input.points),
            fixed_figure=Path(snakemake.output.fixed_answer),
            wrong_figure=Path(snakemake.output.wrong_number),
            confidence=snakemake.params.confidence,
        )
