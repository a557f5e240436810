"""Draws the panels of the overview: one colour and mark for each study."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from doubletake.page.plots import (
    FAINT,
    empty_figure,
    new_figure,
    whole_ticks,
    with_interval,
    write_note,
)
from doubletake.page.study_marks import study_mark
from doubletake.stats.intervals import IntervalSettings, cluster_means

MOST_EXITS = 8
"""Exits after this one are not drawn: few thoughts have them."""
CONTRAST = "backtrack_control"
NO_THOUGHT = "no_thought"
"""The policy that answers before any thought: exit 0 of the first figure."""
CONTROLS = ("shuffled_auroc", "token_auroc", "depth_auroc")


@dataclass(frozen=True)
class Drawn:
    """A study in the panels."""

    name: str
    tables: dict[str, pl.DataFrame]
    intervals: IntervalSettings
    number: int
    """Among the studies; decides colour and mark."""

    @property
    def colour(self) -> str:
        """Colour of its lines."""
        return study_mark(self.number).colour

    @property
    def mark(self) -> str:
        """Mark of its points."""
        return study_mark(self.number).mark


def exits_by_number(study: Drawn) -> pl.DataFrame:
    """Right answers by exit, with their interval, and the mean probability.

    Returns:
        Columns exit, accuracy, low, high, probability, n, problems.
    """
    problems = study.tables["traces"].select("trace", "problem")
    exits = study.tables["early_exit"].filter(pl.col("exit") <= MOST_EXITS)
    exits = exits.join(problems, on="trace", how="left", maintain_order="left")
    rows = []
    for (number,), part in sorted(exits.partition_by("exit", as_dict=True).items()):
        flags = part["correct"].to_numpy().astype(float)[:, None]
        clusters = part["problem"].to_numpy()
        (right,) = cluster_means(flags, clusters, study.intervals, shares=True)
        sure = part["whole_logprob"].exp().mean()
        rows.append(
            {
                "exit": number,
                "accuracy": right.value,
                "low": right.low,
                "high": right.high,
                "probability": sure,
                "n": right.n,
                "problems": right.clusters,
            }
        )
    schema = {
        **dict.fromkeys(("exit", "n", "problems"), pl.Int64),
        **dict.fromkeys(("accuracy", "low", "high", "probability"), pl.Float64),
    }
    return pl.DataFrame(rows, schema=schema)


def holds(axes: Axes, study: Drawn) -> str:
    """Right answers and certainty at the exits of a study; returns a note."""
    rows, note = with_interval(exits_by_number(study))
    x = rows["exit"].to_numpy()
    _errors(axes, study, x, rows, "accuracy", "low", "high")
    sure = rows["probability"].to_numpy()
    axes.plot(x, sure, color=study.colour, linestyle=(0, (4, 2)), linewidth=1.2)
    return note


def stops(axes: Axes, study: Drawn) -> str:
    """Every exit rule: what it spends, and how the accuracy changes; returns a note."""
    rows = study.tables["exit_policies/policies"].filter(
        (pl.col("family") == "rule")
        & (pl.col("stopped") > 0)
        & (pl.col("policy") != NO_THOUGHT)
    )
    rows, note = with_interval(rows, "change_low")
    x = rows["total_rate"].to_numpy()
    low, high = (rows[f"change_{end}"].to_numpy() for end in ("low", "high"))
    y = rows["change"].to_numpy()
    axes.vlines(x, low, high, color=study.colour, linewidth=0.8, alpha=0.35)
    axes.plot(x, y, study.mark, color=study.colour, markersize=4.5, alpha=0.85)
    return note


def turns(axes: Axes, study: Drawn) -> str:
    """AUROC of probes by depth, beside the best control; returns a note."""
    rows = study.tables["probing"].filter(contrast=CONTRAST).sort("boundary")
    rows, note = with_interval(rows, "auroc_low")
    if rows.is_empty():
        return note
    depth = rows["boundary"].to_numpy() / max(rows["boundary"].to_numpy().max(), 1)
    low, high = rows["auroc_low"].to_numpy(), rows["auroc_high"].to_numpy()
    axes.fill_between(depth, low, high, color=study.colour, alpha=0.13, linewidth=0)
    axes.plot(depth, rows["auroc"].to_numpy(), color=study.colour, marker=study.mark)
    best = rows.select(pl.max_horizontal(CONTROLS)).to_series().to_numpy()
    axes.plot(depth, best, color=study.colour, linestyle=(0, (4, 2)), linewidth=1.2)
    return note


def helps(axes: Axes, study: Drawn) -> str:
    """What thinking on after arrival k changes; returns a note."""
    rows = study.tables["repair/gains"].filter(
        (pl.col("start") == "arrival") & (pl.col("arrival") <= MOST_EXITS)
    )
    rows, note = with_interval(rows.sort("arrival"), "gain_low")
    _errors(
        axes, study, rows["arrival"].to_numpy(), rows, "gain", "gain_low", "gain_high"
    )
    return note


PANELS: dict[str, tuple[Callable[[Axes, Drawn], str], str, str, float | None]] = {
    "holds": (holds, "exit k", "right answers", None),
    "stops": (stops, "tokens spent, of the whole thoughts", "change of accuracy", 0),
    "turns": (turns, "depth in the model (0: embedding)", "AUROC", 0.5),
    "helps": (helps, "arrival k", "gain of accuracy", 0),
}
"""By question: what draws a study, labels of both axes, and where nothing happens."""


def draw(question: str, studies: list[Drawn]) -> Figure:
    """The figure of a question, all studies in it.

    Args:
        question: name of the question.
        studies: at least one.
    """
    one, across, up, zero = PANELS[question]
    figure, grid = new_figure(columns=1, height=3.1, extra_width=1.1)
    axes = grid[0, 0]
    if zero is not None:
        axes.axhline(zero, color=FAINT, linewidth=0.9, linestyle=":")
    notes = [one(axes, study) for study in studies]
    lines = axes.lines[int(zero is not None) :]
    if not any(len(line.get_xydata()) for line in lines):
        return empty_figure("Not checked: too few problems in every study.")
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    if question in ("holds", "helps"):
        whole_ticks(axes)
    if question == "stops":
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if question != "turns":
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if len(studies) > 1:
        handles = [
            axes.plot([], [], study.mark, color=study.colour, label=study.name)[0]
            for study in studies
        ]
        axes.legend(handles=handles, fontsize=8)
    missing = [study.name for study, note in zip(studies, notes, strict=True) if note]
    text = f"Not drawn: points on too few problems ({', '.join(missing)})."
    write_note(figure, text if missing else "")
    return figure


def _errors(
    axes: Axes,
    study: Drawn,
    x: np.ndarray,
    rows: pl.DataFrame,
    value: str,
    low: str,
    high: str,
) -> None:
    """A line with error bars; its marks are a little beside those of other studies."""
    x = x + 0.08 * study.number
    y = rows[value].to_numpy()
    ends = [rows[low].to_numpy(), rows[high].to_numpy()]
    axes.vlines(x, ends[0], ends[1], color=study.colour, linewidth=1, alpha=0.7)
    axes.plot(x, y, color=study.colour, marker=study.mark)
