"""The choice of the screening, by hand and where there is nothing to find."""

import pytest
from tiny_steering import PLACE, continuation

from doubletake.stats.intervals import IntervalSettings
from steering.choose import choose, score_of, strongest
from steering.tables import SCREENING

INTERVALS = IntervalSettings(least_problems=3)


def cell(name, strength, shift, *, whole=True):
    return {
        "direction": name,
        "strength": strength,
        "boundary": 4,
        "positions": PLACE["positions"],
        "probability_shift": shift,
        "whole": whole,
    }


def random_rows(slope, boundary=4):
    """Two random vectors with opposite slopes, and none, on six thoughts."""
    rows = [continuation("none", k, 0, probability=0.4) for k in range(6)]
    return rows + [
        continuation(
            "random",
            k,
            0,
            size,
            draw=draw,
            boundary=boundary,
            probability=0.4 + (-1) ** draw * slope * size,
        )
        for k in range(6)
        for draw in range(2)
        for size in (0.25, 0.5)
    ]


def test_the_score_is_the_slope_over_that_of_random_vectors():
    random = SCREENING.frame(random_rows(0.05))
    rows = [cell("seal", s, 0.2 * s) for s in (-0.5, 0.25, 0.5)]
    assert score_of(rows, random) == pytest.approx((0.2, 4))
    # Broken cells do not count, and no steering is a cell of its own.
    broken = [cell("seal", -0.5, -0.9, whole=False), cell("seal", 0.5, 0.05)]
    assert score_of(broken, random) == pytest.approx((0.1, 2))
    assert score_of(broken[:1], random) == (None, None)
    # Wrapping up turns back less.
    assert score_of([cell("wrap_up", 0.5, -0.05)], random) == pytest.approx((0.1, 2))
    # Random vectors of another boundary say nothing.
    other = SCREENING.frame(random_rows(0.05, boundary=7))
    assert score_of(rows, other) == (pytest.approx(0.2), None)


def test_the_strongest_whole_cell_of_a_side():
    rows = [
        cell("seal", -1.0, 0, whole=False),
        cell("seal", -0.5, 0),
        cell("seal", -0.2, 0),
    ]
    assert strongest(rows)["strength"] == -0.5
    all_broken = [dict(row, whole=False) for row in rows]
    assert strongest(all_broken)["strength"] == -0.2


def screening(effects):
    """Continuations of six thoughts: a direction's effect on the probability."""
    rows = random_rows(0.05)
    rows += random_rows(0.5, boundary=2)[6:]
    for (name, boundary), effect in effects.items():
        rows += [
            continuation(
                "direction",
                k,
                0,
                strength,
                direction=name,
                boundary=boundary,
                probability=0.4 + effect * strength,
            )
            for k in range(6)
            for strength in (-0.5, -0.25, 0.25, 0.5)
        ]
    return rows


def test_the_largest_score_is_chosen_in_the_sense_of_the_direction():
    # At boundary 2 random vectors change as much as seal does.
    effects = {("seal", 2): 0.5, ("wrap_up", 4): -0.3, ("probe", 4): -0.5}
    cells = choose(SCREENING.frame(screening(effects)), 0.1, INTERVALS)
    chosen = cells.filter(chosen=True).sort("strength")
    assert chosen["direction"].to_list() == ["wrap_up", "wrap_up"]
    assert chosen["strength"].to_list() == [-0.5, 0.5]
    assert chosen["slope"].to_list() == pytest.approx([0.3, 0.3])
    assert chosen["score"].to_list() == pytest.approx([6, 6])


def test_published_settings_and_controls_are_never_chosen():
    rows = screening({("seal", 2): 0.1})
    rows += [
        continuation("direction", k, 1, 0.5, setting="published", probability=0.9)
        for k in range(6)
    ]
    rows += [continuation("shuffled", k, 1, 0.5, probability=0.9) for k in range(6)]
    cells = choose(SCREENING.frame(rows), 0.1, INTERVALS)
    assert set(cells.filter(chosen=True)["direction"]) == {"seal"}
    assert cells.filter(source="shuffled")["score"].to_list() == [None]


def test_nothing_screened_chooses_nothing():
    assert choose(SCREENING.frame([]), 0.1, INTERVALS).is_empty()
    only = [continuation("none", k, 0) for k in range(3)]
    assert not choose(SCREENING.frame(only), 0.1, INTERVALS)["chosen"].any()


def test_rounding_does_not_choose():
    rows = screening({("probe", 4): 0.1, ("seal", 4): 0.1 + 1e-7})
    cells = choose(SCREENING.frame(rows), 0.1, INTERVALS)
    assert set(cells.filter(chosen=True)["direction"]) == {"probe"}
