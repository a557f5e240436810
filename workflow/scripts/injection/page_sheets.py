"""Tables of the section on injection at one token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, count, percent, probability, real
from doubletake.page.wording import significant as digits

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

PLACES = {"arrival": "arrival", "prompt_end": "end of prompt"}


def tests_sheet(data: StudyData) -> Sheet:
    """The presumption, tested: one row for each place, direction and depth."""
    rows = data.tables["injection/tests"].to_dicts()
    cells = tuple(
        (
            PLACES[row["place"]],
            row["direction"],
            percent(row["depth"], 0),
            count(row["problems"]),
            percent(row["share"]),
            data.between(row, percent, "share"),
            percent(row["boosted_share"]),
            data.between(row, percent, "boosted_share"),
            _points(row["difference"]),
            data.between(row, _points, "difference"),
            NOTHING if row["random_p"] is None else probability(row["random_p"]),
            row["verdict"],
        )
        for row in rows
    )
    columns = (
        *("place", "direction", "depth", "problems", "first token", "interval"),
        *("boosted", "interval", "attention", "interval", "p, random", "verdict"),
    )
    return Sheet(
        "The presumption, tested",
        columns,
        cells,
        words=(0, 1, 11),
        note="First token: its share of the change. Boosted: the same with "
        f"{max(row['factor'] for row in rows):g} times the odds of attention to the "
        "injected token. Attention: injected minus unsteered, percentage points. "
        "Intervals are corrected for their number. p: share of random vectors that "
        "move the later tokens as much, not corrected.",
    )


def divergence_sheet(data: StudyData) -> Sheet:
    """How far the tokens move: all settings."""
    rows = data.tables["injection/summary"].to_dicts()
    cells = tuple(
        (
            PLACES[row["place"]],
            row["direction"],
            percent(row["depth"], 0),
            f"{row['strength']:g}",
            row["mode"],
            f"{row['factor']:g}",
            count(row["n"]),
            digits(row["first"]),
            digits(row["rest"]),
            percent(row["share"]),
            data.between(row, percent, "share"),
            real(row["half_life"], 2),
        )
        for row in rows
    )
    columns = (
        *("place", "direction", "depth", "strength", "added", "attention"),
        *("contexts", "first, nats", "later, nats", "first token", "interval"),
        "half-life",
    )
    return Sheet(
        "How far the next tokens move",
        columns,
        cells,
        words=(0, 1, 4),
        note="First, later: divergence at the first token, and summed over the later "
        "ones. Attention: factor of its odds. Half-life: tokens. " + data.interval_note,
        folded=True,
    )


def free_sheets(data: StudyData) -> list[Sheet]:
    """The free runs: one row for each setting; no table without runs."""
    rows = data.tables["injection/free"].to_dicts()
    if not rows:
        return []
    cells = tuple(
        (
            row["direction"],
            percent(row["depth"], 0),
            row["mode"],
            count(row["n"]),
            percent(row["differ"]),
            real(row["at"]),
            percent(row["turned"]),
            percent(row["unsteered"]),
            _points(row["change"]),
            data.between(row, _points, "change"),
        )
        for row in rows
    )
    columns = (
        *("direction", "depth", "added", "runs", "differ", "first at"),
        *("turn back", "unsteered", "change", "interval"),
    )
    return [
        Sheet(
            "Thoughts that go on freely",
            columns,
            cells,
            words=(0, 2),
            note="First at: median of the first token that differs, of the runs that "
            "differ. Turn back: in the next sentence. Change: percentage points, its "
            "interval corrected for the number of settings. " + data.interval_note,
            folded=True,
        )
    ]


def _points(share: Any) -> str:
    return real(None if share is None else 100 * share, 2)
