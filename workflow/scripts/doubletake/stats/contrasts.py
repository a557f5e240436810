"""Contrasts: pairs of classes of positions that probes tell apart.

A case is a cached position of one event. Its label says to which of the two classes it
belongs. Of the turns only the selected ones are cases (column `selected` of the table
`turns`).
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

DEPTH_FEATURES = ("position", "depth", "since_arrival", "arrivals_before")


@dataclass(frozen=True)
class Contrast:
    """Two classes of positions."""

    name: str
    positive: str
    """The first class, in words."""
    negative: str
    """The second class, in words."""
    turn_kinds: tuple[str, str] | None
    """Kinds of turns of the two classes; None: the classes are right and wrong
    arrivals."""

    @property
    def description(self) -> str:
        """What the page calls it."""
        return f"{self.positive} against {self.negative}"


CONTRASTS = (
    Contrast("backtrack_control", "backtrack", "control", ("backtrack", "control")),
    Contrast("wrap_up_control", "wrap-up", "control", ("wrap_up", "control")),
    Contrast("backtrack_wrap_up", "backtrack", "wrap-up", ("backtrack", "wrap_up")),
    Contrast("right_arrival", "right arrival", "wrong arrival", None),
)
CONTRAST_BY_NAME = {contrast.name: contrast for contrast in CONTRASTS}


@dataclass(frozen=True)
class ClassCounts:
    """Cases and problems of both classes of a contrast."""

    positives: int
    negatives: int
    positive_problems: int
    negative_problems: int

    @classmethod
    def of(cls, cases: pl.DataFrame) -> "ClassCounts":
        """Count the cases of a contrast."""
        first, second = (cases.filter(label=flag) for flag in (True, False))
        problems = (part["problem"].n_unique() for part in (first, second))
        return cls(first.height, second.height, *problems)

    def why_too_few(self, contrast: Contrast, folds: int) -> str | None:
        """Why no probe can be judged; None where a probe can be judged.

        Every fold must hold a problem of each class.
        """
        for name, problems in (
            (contrast.positive, self.positive_problems),
            (contrast.negative, self.negative_problems),
        ):
            if problems < folds:
                return (
                    f"{contrast.description}: {problems} problem(s) with a {name}, "
                    f"fewer than {folds} folds"
                )
        return None


def cases_of(
    contrast: Contrast, turns: pl.DataFrame, events: pl.DataFrame, traces: pl.DataFrame
) -> pl.DataFrame:
    """The positions of both classes, by trace and event.

    Args:
        contrast: what to tell apart.
        turns: the table `turns`.
        events: the table `events`.
        traces: the table `traces`.

    Returns:
        Columns trace, event, problem, position (the cached token), label.
    """
    if contrast.turn_kinds is None:
        arrivals = events.filter(kind="arrival").drop_nulls("is_gold")
        cases = arrivals.join(traces.select("trace", "problem"), on="trace").select(
            "trace", "event", "problem", position="token", label="is_gold"
        )
    else:
        wanted = pl.col("kind").is_in(contrast.turn_kinds) & pl.col("selected")
        cases = turns.filter(wanted).select(
            "trace",
            "event",
            "problem",
            "position",
            label=pl.col("kind") == contrast.turn_kinds[0],
        )
    return cases.sort("trace", "event")


def depth_features(
    cases: pl.DataFrame, events: pl.DataFrame, traces: pl.DataFrame
) -> np.ndarray:
    """Where each case lies in its thought: `DEPTH_FEATURES`.

    - position: token index in the sequence.
    - depth: tokens of the thought so far.
    - since_arrival: tokens since the last arrival; before the first arrival, since the
      start of the thought.
    - arrivals_before: number of earlier arrivals.

    No feature knows what comes after the position, because the model does not know it
    either. The share of the whole thought would know it: a wrap-up is at the end of its
    thought by definition. Ordinals within a kind would tell how turns were selected,
    not where they lie.

    Args:
        cases: of `cases_of`.
        events: the table `events`.
        traces: the table `traces`.

    Returns:
        [case, feature], float64, in the order of the cases.
    """
    prompt_length = pl.col("prompt_ids").list.len().cast(pl.Int32)
    thought_starts = traces.select("trace", thought_start=prompt_length)
    is_arrival = pl.col("kind") == "arrival"
    arrival_token = pl.when(is_arrival).then("token")
    earlier = events.sort("trace", "event").select(
        "trace",
        "event",
        arrivals_before=(is_arrival.cum_sum() - is_arrival).over("trace"),
        last_arrival=arrival_token.shift(1).forward_fill().over("trace"),
    )
    joined = cases.join(
        earlier, on=["trace", "event"], how="left", maintain_order="left"
    ).join(thought_starts, on="trace", how="left", maintain_order="left")
    last_arrival = pl.col("last_arrival").fill_null(pl.col("thought_start"))
    # ASSUME: these four linear features are all that position tells without thinking.
    features = joined.select(
        "position",
        "arrivals_before",
        depth=pl.col("position") - pl.col("thought_start"),
        since_arrival=pl.col("position") - last_arrival,
    )
    return features.select(DEPTH_FEATURES).cast(pl.Float64).to_numpy()
