"""Data of one study for the page: a row per thought, and means over thoughts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from doubletake.page.wording import percent, plural
from doubletake.stats.intervals import IntervalSettings, cluster_means
from doubletake.text.trace_positions import thought_span, thought_tokens


@dataclass(frozen=True)
class Proportion:
    """Hits among n cases."""

    hits: int
    n: int

    @classmethod
    def of(cls, flags: pl.Series) -> "Proportion":
        """Proportion of true values; nulls are left out."""
        flags = flags.drop_nulls()
        return cls(int(flags.sum()), len(flags))

    @property
    def share(self) -> float | None:
        """Hits per case; None if there are no cases."""
        return self.hits / self.n if self.n else None

    @property
    def text(self) -> str:
        """The share in percent."""
        return percent(self.share)


@dataclass(frozen=True)
class Difference:
    """Mean difference of two values of the same thoughts, with its interval."""

    mean: float
    low: float | None
    """None without an interval."""
    high: float | None
    n: int
    problems: int
    changed: int
    """Number of cases whose difference is not 0."""


@dataclass(frozen=True)
class StudyData:
    """Tables and settings of one study."""

    model: str
    dataset: str
    tables: Mapping[str, pl.DataFrame]
    """All tables of stages and experiments, by name."""
    settings: dict[str, Any]
    """Sections of the config, by name."""

    @property
    def name(self) -> str:
        """Name of the study on the page."""
        return f"{self.model} on {self.dataset}"

    @property
    def confidence(self) -> float:
        """Coverage of the intervals."""
        return float(self.settings["intervals"]["confidence"])

    @property
    def interval_note(self) -> str:
        """What the intervals of a figure or a table are."""
        least = self.settings["intervals"]["least_problems"]
        return (
            f"Intervals: {self.confidence:.0%}, over problems; none of fewer than "
            f"{least} problems."
        )

    def between(
        self, row: Mapping[str, Any], write: Callable[[float], str], name: str = ""
    ) -> str:
        """The interval of a row in words: "0.1 to 0.3", or why there is none.

        Args:
            row: with `low`, `high` and `problems`.
            write: how a number is written.
            name: the interval's name, for columns like `auroc_low`; empty: `low`.
        """
        low, high = (row[f"{name}_{end}".lstrip("_")] for end in ("low", "high"))
        if low is None:
            return self.why_no_interval(row["problems"])
        return f"{write(low)} to {write(high)}"

    def why_no_interval(self, problems: int) -> str:
        """Why there is no interval of so many problems."""
        if self.is_enough(problems):
            return f"none: equal on all {plural(problems, 'problem')}"
        return f"not checked: {plural(problems, 'problem')}"

    def is_enough(self, problems: int) -> bool:
        """Whether a mean over so many problems has an interval."""
        return problems >= self.settings["intervals"]["least_problems"]

    def share_interval(self, flags: pl.Series, problems: pl.Series) -> str:
        """The interval of a share in percent, or why there is none.

        Args:
            flags: [case]; nulls are left out.
            problems: [case], the problem of each case.
        """
        known = flags.is_not_null()
        values = flags.filter(known).cast(pl.Float64).to_numpy()
        settings = IntervalSettings(**self.settings["intervals"])
        (mean,) = cluster_means(
            values[:, None], problems.filter(known).to_numpy(), settings, shares=True
        )
        row = {"low": mean.low, "high": mean.high, "problems": mean.clusters}
        return self.between(row, percent)

    @cached_property
    def thoughts(self) -> pl.DataFrame:
        """One row per thought, see `thoughts_table`."""
        names = ("traces", "events", "early_exit")
        return thoughts_table(*(self.tables[name] for name in names))

    @cached_property
    def arrived(self) -> pl.DataFrame:
        """The thoughts with a measured exit at their first arrival."""
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
    `tokens` (of the thought), `words_after` (words after the thought), `arrivals`,
    `backtracks`, `first_gold` (whether the first arrival states the gold number),
    `exit0_correct`, `exit1_correct`, `exit1_tokens`. Values are null if there is no
    first arrival, exit 0 or exit 1.
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
    """Number of tokens of the thought, and of words in the text after it."""
    first, stop = thought_tokens(trace)
    return stop - first, len(text_after(trace).split())


def blank(trace: dict[str, Any]) -> bool:
    """Whether a thought is empty or white space; `trace` is a row of `TRACES`."""
    return not trace["text"][slice(*thought_span(trace))].strip()


def text_after(trace: dict[str, Any]) -> str:
    """The text after the end-of-thought marker; empty if the thought is not closed."""
    start = trace["answer_start"]
    return "" if start is None else trace["text"][start:]


def exits_table(exits: pl.DataFrame) -> pl.DataFrame:
    """Counts and means over the exits of all thoughts, one row per exit number.

    Columns: `exit`, `n`, `right`, `unanswered`, and means of `tokens_before`,
    `probability` (of the whole answer: exp of its log-prob), `logit`, `margin`,
    `entropy`.
    """
    means = ("tokens_before", "probability", "logit", "margin", "entropy")
    return (
        exits.with_columns(probability=pl.col("whole_logprob").exp().clip(0, 1))
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
    """Mean of paired differences, with its interval over problems."""
    if differences.is_empty():
        return None
    values = differences.to_numpy().astype(float)
    (mean,) = cluster_means(
        values[:, None], clusters.to_numpy(), IntervalSettings(**settings)
    )
    return Difference(
        mean=mean.value,
        low=mean.low,
        high=mean.high,
        n=mean.n,
        problems=mean.clusters,
        changed=int(np.count_nonzero(values)),
    )


def mean_of(column: pl.Series) -> float | None:
    """Mean of a column; None if it has no values."""
    value = column.cast(pl.Float64).mean()
    return value if isinstance(value, float) else None


def quantile_of(column: pl.Series, share: float) -> float | None:
    """Quantile of a column; None if it has no values."""
    return column.cast(pl.Float64).quantile(share, "linear")
