"""The tables of a study that the ablation reads, parted into fit and test problems."""

from dataclasses import dataclass

import polars as pl

from ablation.activity import FitThought, fit_thought
from ablation.boundaries import Boundary, boundaries_in, drawn_boundaries
from directions.tables import FIT, TEST
from doubletake.text.trace_positions import thought_tokens
from turns.reading import BACKTRACK


@dataclass(frozen=True, eq=False)
class Study:
    """The tables that are read."""

    problems: pl.DataFrame
    traces: pl.DataFrame
    events: pl.DataFrame
    turns: pl.DataFrame
    attention: pl.DataFrame
    parts: pl.DataFrame
    longest: int
    """Tokens that the model attends to; longer traces are left out."""

    def of(self, part: str) -> list[str]:
        """The problems of a part."""
        return self.parts.filter(part=part)["problem"].to_list()

    def thoughts(self, part: str) -> pl.DataFrame:
        """The traces on the problems of a part."""
        tokens = pl.col("prompt_ids").list.len() + pl.col("completion_ids").list.len()
        return self.traces.filter(
            pl.col("problem").is_in(self.of(part)), tokens <= self.longest
        )

    def fit_thoughts(self) -> list[FitThought]:
        """The thoughts of the fit problems, with their boundaries and backtracks."""
        traces = self.thoughts(FIT)
        boundaries: dict[str, list[Boundary]] = {}
        for one in boundaries_in(traces, self.events, self.of(FIT)):
            boundaries.setdefault(one.trace, []).append(one)
        backtracks = dict(
            self.turns.filter(kind=BACKTRACK)
            .group_by("trace")
            .agg(pl.col("position").sort())
            .iter_rows()
        )
        return [
            fit_thought(
                trace,
                thought_tokens(trace),
                boundaries.get(trace["trace"], []),
                backtracks.get(trace["trace"], []),
            )
            for trace in traces.to_dicts()
        ]

    def fit_prefixes(self, count: int | None, seed: int) -> list[list[int]]:
        """The tokens up to each of the drawn boundaries of the fit problems."""
        traces = self.thoughts(FIT)
        every = boundaries_in(traces, self.events, self.of(FIT))
        ids = token_ids(traces)
        chosen = drawn_boundaries(every, count, seed)
        return [ids[one.trace][: one.position + 1] for one in chosen]

    def test_boundaries(self, count: int | None, seed: int) -> list[Boundary]:
        """The drawn boundaries of the test problems."""
        every = boundaries_in(self.thoughts(TEST), self.events, self.of(TEST))
        return drawn_boundaries(every, count, seed)


def token_ids(traces: pl.DataFrame) -> dict[str, list[int]]:
    """All tokens of each trace."""
    columns = traces.select("trace", "prompt_ids", "completion_ids").iter_rows()
    return {trace: prompt + completion for trace, prompt, completion in columns}
