"""Figure: accuracy against tokens, of all policies."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    counted,
    empty_figure,
    new_figure,
    ordered_colours,
    write_note,
)
from exit_policies.labels import place_labels
from exit_policies.tables import IN_HINDSIGHT, NOTHING, shown_policies

ZOOM = 0.1  # accuracy below that of the whole thoughts that the second panel shows
_DARK, _MIDDLE, _GREEN, _LIGHT = ordered_colours(4)
LOOKS = {
    NOTHING: ("only counts", "o", _DARK),
    "trial": ("asks for trial answers", "s", _MIDDLE),
    "marker": ("reads the end marker", "^", _GREEN),
    "entropy": ("reads an entropy", "v", _GREEN),
    "probe": ("reads a probe", "D", _LIGHT),
    IN_HINDSIGHT: ("in hindsight", "*", FAINT),
}
"""Name in the legend, marker and colour, by what a policy asks for."""
OTHER = ("decodes another thought", "P", ACCENT)


@dataclass(frozen=True)
class FrontierPoint:
    """A policy on the plot. Ends are None without an interval."""

    name: str
    x: tuple[float, float | None, float | None]
    """Tokens over those of the whole thoughts, low and high end."""
    y: tuple[float, float | None, float | None]
    """Accuracy, low and high end."""
    look: tuple[str, str, str] = OTHER


def frontier_points(policies: pl.DataFrame) -> list[FrontierPoint]:
    """The policies that stop a thought."""
    return [
        FrontierPoint(
            row["policy"],
            _with_ends(row, "total_rate"),
            _with_ends(row, "accuracy"),
            LOOKS[row["asks_for"] or IN_HINDSIGHT],
        )
        for row in shown_policies(policies).iter_rows(named=True)
    ]


def draw_frontier(
    policies: pl.DataFrame,
    curves: pl.DataFrame,
    confidence: float,
    extra: Sequence[FrontierPoint] = (),
) -> Figure:
    """Accuracy against tokens: all on the left, those near the whole on the right.

    Args:
        policies: `POLICIES`.
        curves: `CURVES`.
        confidence: coverage of the intervals.
        extra: what changes the thoughts; it may cost more than the whole thoughts.
    """
    points = [*frontier_points(policies), *extra]
    if not points:
        return empty_figure("Nothing to draw: no policy stops a thought.")
    end = float(policies["end_accuracy"].drop_nulls()[0])
    whole = FrontierPoint(
        "whole thought", (1.0, None, None), (end, None, None), ("", "d", INK)
    )
    points.append(whole)
    figure, axes = new_figure(
        columns=2, height=5.4, extra_width=3.6, width_ratios=[2, 3]
    )
    near = [point.y[0] >= end - ZOOM for point in points]
    for panel, zoomed in zip(axes[0], (False, True), strict=True):
        _draw_curves(panel, policies, curves)
        _draw_budget(panel, policies, end)
        for point in points:
            _draw_point(panel, point)
        _set_limits(panel, [p for p, n in zip(points, near, strict=True) if n], zoomed)
        panel.set_xlabel("kept and trial tokens / tokens of the whole thoughts")
    axes[0, 0].set(title="All policies", ylabel="share of right answers")
    axes[0, 1].set(title="The upper part, enlarged")
    _draw_legend(figure, points)
    write_note(figure, frontier_note(policies, confidence))
    figure.draw_without_rendering()
    for panel, zoomed in zip(axes[0], (False, True), strict=True):
        here = [p for p, n in zip(points, near, strict=True) if n or not zoomed]
        labelled = {p.name for p, n in zip(points, near, strict=True) if n == zoomed}
        texts = _texts(here, labelled)
        place_labels(panel, [(p.x[0], p.y[0]) for p in here], texts)
    return figure


def frontier_note(policies: pl.DataFrame, confidence: float) -> str:
    """Number of cases, and of the policies that are not drawn."""
    given = policies.drop_nulls("thoughts")
    never = given.height - shown_policies(policies).height
    refused = policies.height - given.height
    thoughts = counted(int(given["thoughts"].max() or 0), "thought")  # type: ignore[arg-type]
    parts = [
        f"{thoughts}. Intervals: {confidence:.0%}. Not drawn: {never} policies that "
        "never stop a thought"
    ]
    parts.append(f", {refused} that were not replayed." if refused else ".")
    return "".join(parts)


def _with_ends(
    row: dict[str, float | None], name: str
) -> tuple[float, float | None, float | None]:
    value = row[name]
    assert value is not None
    return value, row[f"{name}_low"], row[f"{name}_high"]


def _texts(points: list[FrontierPoint], labelled: set[str]) -> list[str]:
    """One label per place: policies at the same place share it."""
    by_place: dict[tuple[float, float], list[str]] = {}
    for point in points:
        if point.name in labelled:
            by_place.setdefault((point.x[0], point.y[0]), []).append(point.name)
    return [", ".join(by_place.pop((point.x[0], point.y[0]), ())) for point in points]


def _draw_point(panel: Axes, point: FrontierPoint) -> None:
    _, marker, colour = point.look
    (x, x_low, x_high), (y, y_low, y_high) = point.x, point.y
    line: dict[str, Any] = {"color": colour, "lw": 0.7, "alpha": 0.35, "zorder": 2}
    if x_low is not None and x_high is not None:
        panel.hlines(y, x_low, x_high, **line)
    if y_low is not None and y_high is not None:
        panel.vlines(x, y_low, y_high, **line)
    size = 8 if marker == "*" else 5
    look: dict[str, Any] = {"mec": "white", "mew": 0.5, "zorder": 3}
    panel.plot(x, y, marker, color=colour, ms=size, **look)


def _draw_curves(panel: Axes, policies: pl.DataFrame, curves: pl.DataFrame) -> None:
    """Each rule over the thresholds of its grid; equal curves are drawn once."""
    asked = dict(policies.select("policy", "asks_for").iter_rows())
    drawn = set()
    for (name,), rows in curves.group_by("policy", maintain_order=True):
        x, y = rows["total_rate"].to_list(), rows["accuracy"].to_list()
        if (key := (*x, *y)) not in drawn:
            drawn.add(key)
            colour = LOOKS[asked[str(name)] or IN_HINDSIGHT][2]
            panel.plot(x, y, color=colour, lw=0.8, alpha=0.3, zorder=1)


def _draw_budget(panel: Axes, policies: pl.DataFrame, end: float) -> None:
    """The line through the fixed shares of tokens, up to the whole thought."""
    is_share = pl.col("policy").str.starts_with("share_")
    rows = policies.filter(is_share, pl.col("accuracy").is_not_null())
    rows = rows.sort("total_rate")
    x, y = [*rows["total_rate"], 1.0], [*rows["accuracy"], end]
    panel.plot(x, y, color=FAINT, lw=1.1, ls=DASHED, zorder=1.5)


def _set_limits(panel: Axes, near: list[FrontierPoint], zoomed: bool) -> None:
    """Fixed limits, so that labels can be placed."""
    if zoomed:
        x, y = [p.x[0] for p in near], [p.y[0] for p in near]
        wide, high = max(max(x) - min(x), 0.1), max(max(y) - min(y), 0.02)
        panel.set_xlim(min(x) - 0.12 * wide, max(x) + 0.12 * wide)
        panel.set_ylim(min(y) - 0.12 * high, min(max(y) + 0.12 * high, 1.02))
    else:
        panel.set(xlim=(-0.04, max(panel.get_xlim()[1], 1.04)), ylim=(-0.03, 1.03))


def _draw_legend(figure: Figure, points: list[FrontierPoint]) -> None:
    looks = {point.look for point in points if point.look[0]}
    order = [*LOOKS.values(), OTHER]
    handles = [
        Line2D([], [], ls="", marker=marker, color=colour, label=name)
        for name, marker, colour in sorted(looks, key=order.index)
    ]
    handles += [
        Line2D([], [], color=FAINT, ls=DASHED, lw=1.1, label="fixed share of tokens"),
        Line2D([], [], color=_MIDDLE, lw=0.8, alpha=0.5, label="other thresholds"),
    ]
    figure.legend(handles=handles, loc="outside right upper", alignment="left")
