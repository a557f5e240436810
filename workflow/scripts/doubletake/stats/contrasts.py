"""What the probes tell apart: pairs of kinds of positions, and plain features of them.

A case is a cached position of one event; its label says to which of two classes it
belongs. Selected turns only (`selected` of `schemas.TURNS`).
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

POSITION_FEATURES = ("position", "depth", "since_arrival", "arrivals_before")


@dataclass(frozen=True)
class Contrast:
    """Two classes of positions."""

    name: str
    positive: str
    """The first class, in words."""
    negative: str
    """The second class, in words."""
    kinds: tuple[str, str] | None
    """Kinds of turns; None: arrivals, right or wrong."""

    @property
    def words(self) -> str:
        """What a reader calls it."""
        return f"{self.positive} against {self.negative}"


CONTRASTS = (
    Contrast("backtrack_control", "backtrack", "control", ("backtrack", "control")),
    Contrast("wrap_up_control", "wrap-up", "control", ("wrap_up", "control")),
    Contrast("backtrack_wrap_up", "backtrack", "wrap-up", ("backtrack", "wrap_up")),
    Contrast("right_arrival", "right arrival", "wrong arrival", None),
)
BY_NAME = {contrast.name: contrast for contrast in CONTRASTS}


@dataclass(frozen=True)
class Counts:
    """How much there is to tell apart."""

    positives: int
    negatives: int
    positive_problems: int
    negative_problems: int

    @classmethod
    def of(cls, cases: pl.DataFrame) -> "Counts":
        """Of the cases of a contrast."""
        first, second = (cases.filter(label=flag) for flag in (True, False))
        problems = (part["problem"].n_unique() for part in (first, second))
        return cls(first.height, second.height, *problems)

    def why_too_few(self, contrast: Contrast, folds: int) -> str | None:
        """Why no probe can be judged; None where one can.

        Every fold must hold a problem of each class.
        """
        for name, problems in (
            (contrast.positive, self.positive_problems),
            (contrast.negative, self.negative_problems),
        ):
            if problems < folds:
                return (
                    f"{contrast.words}: {problems} problem(s) with a {name}, fewer "
                    f"than {folds} folds"
                )
        return None


def cases_of(
    contrast: Contrast, turns: pl.DataFrame, events: pl.DataFrame, traces: pl.DataFrame
) -> pl.DataFrame:
    """The positions of both classes, by trace and event.

    Args:
        contrast: what to tell apart.
        turns: `schemas.TURNS`.
        events: `schemas.EVENTS`.
        traces: `schemas.TRACES`.

    Returns:
        Columns trace, event, problem, position (the cached token), label.
    """
    if contrast.kinds is None:
        arrivals = events.filter(kind="arrival").drop_nulls("is_gold")
        found = arrivals.join(traces.select("trace", "problem"), on="trace").select(
            "trace", "event", "problem", position="token", label="is_gold"
        )
    else:
        wanted = pl.col("kind").is_in(contrast.kinds) & pl.col("selected")
        found = turns.filter(wanted).select(
            "trace",
            "event",
            "problem",
            "position",
            label=pl.col("kind") == contrast.kinds[0],
        )
    return found.sort("trace", "event")


def position_features(
    cases: pl.DataFrame, events: pl.DataFrame, traces: pl.DataFrame
) -> np.ndarray:
    """What place alone tells: `POSITION_FEATURES` of every case.

    Position in the sequence, depth (thought tokens so far), tokens since the last
    arrival (since the thought's start before the first), and number of arrivals before.
    Nothing here knows what comes after the position, as the model does not: the share
    of the whole thought would, and a wrap-up is its end by definition. Ordinals within
    a kind would tell how turns were selected and not where they lie.

    Args:
        cases: of `cases_of`.
        events: `schemas.EVENTS`.
        traces: `schemas.TRACES`.

    Returns:
        [case, feature], float64, in the order of the cases.
    """
    prompt = pl.col("prompt_ids").list.len().cast(pl.Int32)
    begins = traces.select("trace", begin=prompt)
    is_arrival = pl.col("kind") == "arrival"
    place = pl.when(is_arrival).then("token")
    before = events.sort("trace", "event").select(
        "trace",
        "event",
        arrivals_before=(is_arrival.cum_sum() - is_arrival).over("trace"),
        last_arrival=place.shift(1).forward_fill().over("trace"),
    )
    placed = cases.join(
        before, on=["trace", "event"], how="left", maintain_order="left"
    ).join(begins, on="trace", how="left", maintain_order="left")
    last = pl.col("last_arrival").fill_null(pl.col("begin"))
    features = placed.select(
        "position",
        "arrivals_before",
        depth=pl.col("position") - pl.col("begin"),
        since_arrival=pl.col("position") - last,
    )
    return features.select(POSITION_FEATURES).cast(pl.Float64).to_numpy()
