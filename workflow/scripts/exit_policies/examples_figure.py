"""Figure: where policies stop in example thoughts."""

import textwrap
from collections.abc import Sequence
from typing import Any

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
)
from exit_policies.examples import CEILINGS, Example, Place

TEXT_SIZE = 7.5
WIDE = 52  # characters of a line of names
ROOM = 0.75  # right of the thought, for the names; of the thought's length
LINE = 0.155  # inches of a line of names
_DARK = ordered_colours(2)[0]
ANSWERS: dict[str, dict[str, Any]] = {
    "right": {"marker": "o", "mfc": _DARK},
    "wrong": {"marker": "o", "mfc": "white"},
    "no answer": {"marker": "x"},
}


def draw_examples(examples: Sequence[Example]) -> Figure:
    """A line per thought with its trial points; below it, who stops where.

    The later a place, the higher its names, so no line to a point crosses a name.
    """
    if not examples:
        return empty_figure("Nothing to draw: no thought has trial points.")
    names = [[_names(place) for place in one.places[::-1]] for one in examples]
    lines = [sum(map(len, one)) + 2.6 for one in names]
    figure, axes = new_figure(
        columns=2,
        rows=1,
        height=0.9 + LINE * sum(lines) + 0.35 * len(lines),
        extra_width=1.4,
    )
    for panel in axes[0]:
        panel.remove()
    grid = figure.add_gridspec(len(examples), 1, height_ratios=lines)
    for number, example in enumerate(examples):
        panel = figure.add_subplot(grid[number])
        _draw_thought(panel, example, lines[number])
        _draw_names(panel, example, names[number])
    panel.set_xlabel("thought tokens")
    _draw_legend(figure)
    return figure


def answer_kind(answer: str | None, correct: bool) -> str:
    """The kind of an answer, of `ANSWERS`."""
    if answer is None:
        return "no answer"
    return "right" if correct else "wrong"


def _names(place: Place) -> list[str]:
    """Names of the policies that stop at a place, in lines."""
    names = [*place.policies]
    if place.is_end:
        kind = answer_kind(place.answer, place.correct)
        names = [f"end ({kind}): {', '.join(names)}"]
    return textwrap.wrap(", ".join(names), WIDE) or [""]


def _draw_thought(panel: Axes, example: Example, lines: float) -> None:
    panel.set_title(f"{example.trace}, {example.tokens} tokens", fontsize=8.5, pad=2)
    panel.hlines(0, 0, example.tokens, color=FAINT, lw=1)
    for row in example.points.iter_rows(named=True):
        kind = answer_kind(row["answer"], row["correct"])
        look = ANSWERS[kind] | {"color": _DARK, "ms": 4.5, "ls": "", "mew": 1}
        panel.plot(row["tokens_before"], 0, zorder=3, **look)
    panel.plot(example.tokens, 0, "|", color=INK, ms=12, mew=1.5, zorder=2)
    panel.set_ylim(-lines + 1.4, 1.0)
    panel.set_xlim(-0.02 * example.tokens, (1 + ROOM) * max(example.tokens, 1))
    panel.set_yticks([])
    panel.spines["left"].set_visible(False)
    panel.grid(visible=False)
    ticks = [t for t in panel.get_xticks() if 0 <= t <= example.tokens]
    panel.set_xticks(ticks)
    panel.spines["bottom"].set_bounds(0, example.tokens)


def _draw_names(panel: Axes, example: Example, names: list[list[str]]) -> None:
    """From the end to the start of the thought, each lower than the one before."""
    y = -1.0
    for place, lines in zip(example.places[::-1], names, strict=True):
        x = place.tokens
        is_ceiling = not set(CEILINGS).isdisjoint(place.policies)
        colour = ACCENT if is_ceiling and not place.is_end else FAINT
        panel.vlines(x, y, 0, color=colour, lw=0.8, zorder=1)
        for line in lines:
            panel.text(
                x + 0.008 * example.tokens * (1 + ROOM),
                y,
                line,
                va="center",
                fontsize=TEXT_SIZE,
                color=colour if colour == ACCENT else INK,
            )
            y -= 1


def _draw_legend(figure: Figure) -> None:
    dot: dict[str, Any] = {"ls": "", "color": _DARK, "ms": 4.5, "mew": 1}
    handles = [
        Line2D([], [], label=name, **dot | look) for name, look in ANSWERS.items()
    ]
    handles.append(
        Line2D([], [], ls="", marker="|", ms=12, mew=1.5, color=INK, label="end")
    )
    handles.append(Line2D([], [], color=ACCENT, lw=0.8, label="an oracle stops here"))
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
