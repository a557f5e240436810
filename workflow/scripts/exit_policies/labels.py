"""Labels beside points, placed so that they cover neither each other nor a point."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.textpath import TextPath
from matplotlib.transforms import Bbox

from doubletake.page.plots import FAINT, INK

SIZE = 7.5  # of the labels, in points
MARKER = 4.0  # half the width of what a marker covers, in points
GAP = 1.0  # between labels, in points
DISTANCES = (7, 12, 18, 26, 36, 48, 62, 78, 96, 116)  # from the point, in points
ANGLES = (0, 180, 90, 270, 45, 315, 135, 225, 20, 340, 160, 200, 65, 115, 245, 295)


def place_labels(
    axes: Axes, points: Sequence[tuple[float, float]], texts: Sequence[str]
) -> None:
    """Label points, each at the nearest free place; an empty text is no label.

    The limits of the axes must be final. A label that is not beside its point gets a
    line. Where no place is free, the label is put where it covers least.

    Args:
        axes: of a figure that has its layout.
        points: x and y in the unit of the data; all are kept free.
        texts: a label for each point.
    """
    scale = 72 / axes.figure.dpi
    places = axes.transData.transform(np.reshape(points, (-1, 2))) * scale
    inside = axes.get_window_extent().frozen()
    frame = Bbox(inside.get_points() * scale)
    taken = [_around(x, y, MARKER, MARKER) for x, y in places]
    for (x, y), point, text in zip(places, points, texts, strict=True):
        if not text:
            continue
        extent = TextPath((0, 0), text, size=SIZE).get_extents()
        half = (extent.width / 2 + GAP, SIZE / 2 + GAP)
        box, shift = _free_place((x, y), half, taken, frame)
        taken.append(box)
        is_far = math.hypot(*shift) - half[0] > DISTANCES[2]
        line = {"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkA": 0}
        axes.annotate(
            text,
            point,
            xytext=shift,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SIZE,
            color=INK,
            bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.4},
            arrowprops=line if is_far or abs(shift[1]) > DISTANCES[1] else None,
        ).set_in_layout(False)


def _free_place(
    place: tuple[float, float],
    half: tuple[float, float],
    taken: list[Bbox],
    frame: Bbox,
) -> tuple[Bbox, tuple[float, float]]:
    """The box of a label and its shift from the point, both in points."""
    found = []
    for distance in DISTANCES:
        for angle in ANGLES:
            cosine, sine = (f(math.radians(angle)) for f in (math.cos, math.sin))
            shift = (
                cosine * distance + round(cosine, 1) * half[0],
                sine * distance + round(sine, 1) * half[1],
            )
            box = _around(place[0] + shift[0], place[1] + shift[1], *half)
            covered = sum(_common(box, other) for other in taken)
            covered += box.width * box.height - _common(box, frame)
            if covered < 1e-6:
                return box, shift
            found.append((covered, box, shift))
    _, box, shift = min(found, key=lambda one: one[0])
    return box, shift


def _around(x: float, y: float, width: float, height: float) -> Bbox:
    """A box by its middle and half its width and height."""
    return Bbox.from_extents(x - width, y - height, x + width, y + height)


def _common(one: Bbox, other: Bbox) -> float:
    """The area that two boxes share."""
    common = Bbox.intersection(one, other)
    return common.width * common.height if common is not None else 0.0
