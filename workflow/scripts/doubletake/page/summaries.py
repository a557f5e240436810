"""A study in numbers: one row per thought, and what all rows come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from doubletake.page.wording import NOTHING, percent
from doubletake.stats.intervals import (
    Resampling,
    cluster_bootstrap,
    cluster_sums,
    wilson_interval,
)
from doubletake.text.trace_positions import thought_span, thought_tokens


@dataclass(frozen=True)
class Proportion:
    """Hits among n cases."""

    hits: int
    n: int

    @classmethod
    def of(cls, flags: pl.Series) -> "Proportion":
        """Share of true values; nulls count for nothing."""
        known = flags.drop_nulls()
        return cls(int(known.sum()), len(known))

    @property
    def share(self) -> float | None:
        """Hits per case, None without cases."""
        return self.hits / self.n if self.n else None

    @property
    def text(self) -> str:
        """The share in percent."""
        return percent(self.share)

    def interval(self, confidence: float) -> str:
        """Wilson interval in percent, a dash without cases."""
        if not self.n:
            return NOTHING
        low, high = wilson_interval(self.hits, self.n, confidence)
        return f"{percent(low)} to {percent(high)}"


@dataclass(frozen=True)
class Difference:
    """Mean difference of two figures of the same thoughts, with its interval."""

    mean: float
    low: float
    high: float
    n: int
    changed: int
    """Cases whose difference is not 0."""


@dataclass(frozen=True)
class StudyData:
    """What the page knows of a study: its tables and the settings behind them."""

    model: str
    dataset: str
    tables: Mapping[str, pl.DataFrame]
    """By name: those of all stages and experiments."""
    settings: dict[str, Any]
    """Sections of the config, by name."""

    @property
    def name(self) -> str:
        """What the page calls the study."""
        return f"{self.model} on {self.dataset}"

    @property
    def confidence(self) -> float:
        """Coverage of the intervals."""
        return float(self.settings["intervals"]["confidence"])

    @cached_property
    def thoughts(self) -> pl.DataFrame:
        """One row per thought, see `thoughts_table`."""
        names = ("traces", "events", "early_exit")
        return thoughts_table(*(self.tables[name] for name in names))

    @cached_property
    def arrived(self) -> pl.DataFrame:
        """The thoughts with an arrival at which an exit was measured."""
        return self.thoughts.filter(pl.col("exit1_correct").is_not_null())

    @cached_property
    def exits(self) -> pl.DataFrame:
        """`exits_table` of the study."""
        return exits_table(self.tables["early_exit"])

    @cached_property
    def gain(self) -> Difference | None:
        """Accuracy at the end minus at the first arrival; None without arrivals."""
        rows = self.arrived
        differences = rows["correct"].cast(pl.Int8) - rows["exit1_correct"].cast(
            pl.Int8
        )
        return mean_difference(differences, rows["problem"], self.settings["intervals"])


def thoughts_table(
    traces: pl.DataFrame, events: pl.DataFrame, exits: pl.DataFrame
) -> pl.DataFrame:
    """One row per thought.

    Columns: `trace`, `problem`, `closed`, `empty`, `finish`, `answer`, `correct`,
    `tokens` (of the thought), `words_after` (it), `arrivals`, `backtracks`,
    `first_gold` (the first arrival's value is the gold number), and of exits 0 and 1:
    `exit0_correct`, `exit1_correct`, `exit1_tokens`; null where there is no such
    arrival or exit.
    """
    texts = traces.to_dicts()
    sizes = pl.DataFrame(
        [_sizes(row) for row in texts],
        schema={"tokens": pl.Int64, "words_after": pl.Int64},
        orient="row",
    )
    counts = events.group_by("trace").agg(
        arrivals=(pl.col("kind") == "arrival").sum(),
        backtracks=(pl.col("kind") == "backtrack").sum(),
    )
    first = events.filter(kind="arrival", ordinal=1).select(
        "trace", first_gold="is_gold"
    )
    exit0 = exits.filter(exit=0).select("trace", exit0_correct="correct")
    exit1 = exits.filter(exit=1).select(
        "trace", exit1_correct="correct", exit1_tokens="tokens_before"
    )
    table = traces.select(
        "trace",
        "problem",
        "finish",
        "answer",
        "correct",
        closed=pl.col("thought_end").is_not_null(),
        empty=pl.Series([blank(row) for row in texts], dtype=pl.Boolean),
    ).hstack(sizes)
    for part in (counts, first, exit0, exit1):
        table = table.join(part, on="trace", how="left", maintain_order="left")
    return table.with_columns(pl.col("arrivals", "backtracks").fill_null(0))


def _sizes(trace: dict[str, Any]) -> tuple[int, int]:
    """Tokens of the thought, and words of the text after it."""
    first, stop = thought_tokens(trace)
    return stop - first, len(text_after(trace).split())


def blank(trace: dict[str, Any]) -> bool:
    """Whether a thought says nothing: a row of `schemas.TRACES`."""
    return not trace["text"][slice(*thought_span(trace))].strip()


def text_after(trace: dict[str, Any]) -> str:
    """What follows the end-of-thought marker; nothing where the thought is open."""
    start = trace["answer_start"]
    return "" if start is None else trace["text"][start:]


def exits_table(exits: pl.DataFrame) -> pl.DataFrame:
    """One row per exit number: what the exits of all thoughts come to.

    Columns: `exit`, `n`, `right`, `unanswered`, means of `tokens_before`,
    `probability` (of the answer: exp of its log-prob), `logit`, `margin`, `entropy`.
    """
    means = ("tokens_before", "probability", "logit", "margin", "entropy")
    return (
        exits.with_columns(probability=pl.col("logprob").exp().clip(0, 1))
        .group_by("exit")
        .agg(
            pl.col("correct").sum().alias("right"),
            pl.col("answer").null_count().alias("unanswered"),
            *(pl.col(name).mean() for name in means),
            n=pl.len(),
        )
        .sort("exit")
    )


def mean_difference(
    differences: pl.Series, clusters: pl.Series, settings: dict[str, Any]
) -> Difference | None:
    """Mean of paired differences, interval over problems (cluster bootstrap)."""
    if differences.is_empty():
        return None
    values = differences.to_numpy().astype(float)
    sums, counts = cluster_sums(
        values, clusters.to_numpy(), np.zeros(len(values), dtype=int), 1
    )
    low, high = cluster_bootstrap(
        sums,
        counts,
        Resampling(settings["bootstrap"], settings["confidence"], settings["seed"]),
    )
    return Difference(
        mean=float(values.mean()),
        low=float(low[0]),
        high=float(high[0]),
        n=len(values),
        changed=int(np.count_nonzero(values)),
    )


def mean_of(column: pl.Series) -> float | None:
    """Mean of a column, None if it is empty."""
    value = column.cast(pl.Float64).mean()
    return value if isinstance(value, float) else None


def quantile_of(column: pl.Series, share: float) -> float | None:
    """Quantile of a column, None if it is empty."""
    return column.cast(pl.Float64).quantile(share, "linear")
