"""Example thoughts: which are drawn, and where policies stop in each."""

from dataclasses import dataclass

import polars as pl

from doubletake.stats.draws import ranked_by_digest
from exit_policies.tables import IN_HINDSIGHT

EXAMPLES = 4
CEILINGS = ("oracle", "oracle_any")
"""Policies in hindsight that are shown in examples."""


@dataclass(frozen=True)
class Place:
    """A place of a thought at which policies stop."""

    tokens: int
    """Thought tokens before it."""
    is_end: bool
    policies: tuple[str, ...]
    answer: str | None
    correct: bool


@dataclass(frozen=True)
class Example:
    """A thought with its trial points, and the places at which policies stop."""

    trace: str
    tokens: int
    points: pl.DataFrame
    """`TRIAL_POINTS` of the thought, in its order."""
    places: tuple[Place, ...]
    """In the order of the thought, the end last."""


def examples_of(
    points: pl.DataFrame, stops: pl.DataFrame, policies: pl.DataFrame, seed: int
) -> list[Example]:
    """Example thoughts, drawn by digest.

    They are drawn among thoughts with a backtrack cue whose length lies in the middle
    half of such thoughts. If no thought has a cue, all thoughts count.

    Args:
        points: `TRIAL_POINTS`.
        stops: `STOPS`.
        policies: `POLICIES`; rules that never stop a thought are left out.
        seed: of the draw.
    """
    shown = _shown(policies)
    chosen = stops.filter(pl.col("policy").is_in(shown))
    return [
        _example(trace, points.filter(trace=trace), chosen.filter(trace=trace), shown)
        for trace in _drawn(points, stops, seed)
    ]


def _drawn(points: pl.DataFrame, stops: pl.DataFrame, seed: int) -> list[str]:
    """Ids of the example thoughts."""
    cues = points.group_by("trace").agg(pl.col("cues").max())
    thoughts = stops.select("trace", "full").unique("trace").join(cues, on="trace")
    if (thoughts["cues"] > 0).any():
        thoughts = thoughts.filter(pl.col("cues") > 0)
    full = pl.col("full")
    is_middle = full.is_between(
        full.quantile(0.25, "nearest"), full.quantile(0.75, "nearest")
    )
    names = [(trace,) for trace in thoughts.filter(is_middle)["trace"]]
    return [str(trace) for (trace,) in ranked_by_digest(names, seed)[:EXAMPLES]]


def _shown(policies: pl.DataFrame) -> list[str]:
    """Rules that stop a thought, and the ceilings; names in the order of the table."""
    is_rule = pl.col("family") != IN_HINDSIGHT
    is_ceiling = pl.col("policy").is_in(CEILINGS)
    return policies.filter((is_rule & (pl.col("stopped") > 0)) | is_ceiling)[
        "policy"
    ].to_list()


def _example(
    trace: str, points: pl.DataFrame, stops: pl.DataFrame, order: list[str]
) -> Example:
    places = []
    for _, rows in stops.sort("kept").group_by(
        "kept", pl.col("point").is_null(), maintain_order=True
    ):
        names = sorted(rows["policy"].to_list(), key=order.index)
        row = rows.row(0, named=True)
        places.append(
            Place(
                row["kept"],
                row["point"] is None,
                tuple(names),
                row["answer"],
                row["correct"],
            )
        )
    places.sort(key=lambda place: (place.tokens, place.is_end))
    tokens = int(stops["full"][0]) if stops.height else 0
    return Example(trace, tokens, points.sort("point"), tuple(places))
