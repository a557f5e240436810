"""Figure: which policies save how much, and what that costs."""

from itertools import groupby
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from doubletake.page.plots import (
    ACCENT,
    DASHED,
    FAINT,
    INK,
    empty_figure,
    new_figure,
    ordered_colours,
    write_note,
)
from doubletake.page.wording import percent, real
from exit_policies.frontier_figure import frontier_note
from exit_policies.tables import IN_HINDSIGHT, is_harmless, shown_policies

KEPT, LOST, HINDSIGHT = "kept", "lost", "hindsight"
_DARK, _, _LIGHT = ordered_colours(3)
BLOCKS = {
    KEPT: ("no significant loss", _DARK),
    LOST: ("loss: interval below 0", _LIGHT),
    HINDSIGHT: ("in hindsight", FAINT),
}
"""Blocks of the figure from top to bottom, with name and colour."""
SHOWN_LOSS = 0.3  # larger losses are written at the edge


def block_of(row: dict[str, Any]) -> str:
    """The block of a policy: a loss is an interval of the change that is all below 0.

    Args:
        row: of `POLICIES`.
    """
    if row["family"] == IN_HINDSIGHT:
        return HINDSIGHT
    is_lost = row["change_high"] is not None and row["change_high"] < 0
    return LOST if is_lost else KEPT


def leaderboard_rows(policies: pl.DataFrame) -> list[dict[str, Any]]:
    """The policies that stop a thought: by block, and by savings within a block."""
    order = list(BLOCKS)
    rows = list(shown_policies(policies).iter_rows(named=True))
    return sorted(rows, key=lambda row: (order.index(block_of(row)), row["total_rate"]))


def draw_leaderboard(
    policies: pl.DataFrame, tolerance: float, confidence: float
) -> Figure:
    """Savings on the left, change of accuracy on the right.

    Args:
        policies: `POLICIES`.
        tolerance: largest harmless loss.
        confidence: coverage of the intervals.
    """
    rows = leaderboard_rows(policies)
    if not rows:
        return empty_figure("Nothing to draw: no policy stops a thought.")
    figure, axes = new_figure(
        columns=2, height=1.6 + 0.22 * (len(rows) + 2), extra_width=1.6, sharey=True
    )
    savings, change = axes[0]
    heights, y = [], 0.0
    for _, group in groupby(rows, key=block_of):
        for row in group:
            heights.append(y)
            _draw_savings(savings, row, y)
            y += 1
        y += 0.6
    _draw_changes(change, rows, heights, tolerance, confidence)
    savings.set_yticks(heights, [row["policy"] for row in rows])
    savings.set_ylim(max(heights) + 0.7, -0.7)
    savings.axvline(0, color=INK, lw=0.8)
    savings.set(title="Savings", xlabel="tokens saved, share of the whole thoughts")
    change.set(
        title="Change of accuracy", xlabel="points, paired with the whole thought"
    )
    for panel in axes[0]:
        panel.grid(axis="y", visible=False)
    _draw_legend(figure, rows, tolerance)
    write_note(figure, frontier_note(policies, confidence))
    return figure


def _draw_savings(panel: Axes, row: dict[str, Any], y: float) -> None:
    _, colour = BLOCKS[block_of(row)]
    saved = 1 - row["total_rate"]
    panel.barh(y, saved, height=0.7, color=colour, alpha=0.75)
    if row["total_rate_low"] is not None:
        ends = (1 - row["total_rate_high"], 1 - row["total_rate_low"])
        panel.hlines(y, *ends, color=INK, lw=1)
    else:
        ends = (saved, saved)
    text = percent(saved, 0)
    panel.text(max(*ends, 0.0) + 0.015, y, text, va="center", fontsize=7.5)


def _draw_changes(
    panel: Axes,
    rows: list[dict[str, Any]],
    heights: list[float],
    tolerance: float,
    confidence: float,
) -> None:
    """Dots with intervals; filled if at most the tolerance is lost."""
    panel.axvline(0, color=INK, lw=0.8)
    panel.axvline(-100 * tolerance, color=ACCENT, lw=1, ls=DASHED)
    for row, y in zip(rows, heights, strict=True):
        _, colour = BLOCKS[block_of(row)]
        value = 100 * row["change"]
        if value < -100 * SHOWN_LOSS:
            panel.plot(-100 * SHOWN_LOSS, y, "<", color=colour)
            text = f"  {real(value, 0)}"
            panel.text(-100 * SHOWN_LOSS, y, text, va="center", fontsize=7.5)
            continue
        if row["change_low"] is not None:
            low, high = 100 * row["change_low"], 100 * row["change_high"]
            panel.hlines(y, low, high, color=colour, lw=1.2)
        filled = colour if is_harmless(row, tolerance, confidence) else "white"
        panel.plot(value, y, "o", color=colour, mfc=filled, ms=5)
    left, right = panel.get_xlim()
    panel.set_xlim(max(left, -100 * SHOWN_LOSS - 1.5), right)


def _draw_legend(figure: Figure, rows: list[dict[str, Any]], tolerance: float) -> None:
    used = {block_of(row) for row in rows}
    handles = [
        Line2D([], [], color=colour, lw=6, alpha=0.75, label=name)
        for block, (name, colour) in BLOCKS.items()
        if block in used
    ]
    words = f"{100 * tolerance:g} points"
    dot: dict[str, Any] = {"ls": "", "marker": "o", "color": _DARK}
    handles += [
        Line2D([], [], label=f"at most {words} lost", **dot),
        Line2D([], [], label="not shown to be so", mfc="white", **dot),
        Line2D([], [], color=ACCENT, lw=1, ls=DASHED, label=f"{words} lost"),
    ]
    figure.legend(handles=handles, loc="outside right upper", alignment="left")
