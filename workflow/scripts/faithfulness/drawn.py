"""Which thoughts are replaced, and whose thought stands in their place."""

from typing import Any

import polars as pl

from doubletake.stats.draws import ranked_by_digest
from doubletake.text.trace_positions import thought_tokens
from faithfulness.same import same_answer


def usable(traces: pl.DataFrame) -> pl.DataFrame:
    """Thoughts that are closed, not empty, and followed by an answer.

    Args:
        traces: `TRACES`.
    """
    return traces.filter(
        pl.col("thought_end").is_not_null(),
        pl.col("answer").is_not_null(),
        pl.col("thought_stop") > pl.col("thought_start"),
    )


def drawn_thoughts(
    traces: pl.DataFrame, count: int | None, seed: int
) -> list[dict[str, Any]]:
    """Thoughts in the order of the traces; one of each problem before a second one.

    Args:
        traces: usable ones.
        count: largest number of thoughts; None: all.
        seed: of the draw.
    """
    problem = dict(traces.select("trace", "problem").iter_rows())
    names = [str(name) for (name,) in ranked_by_digest(((n,) for n in problem), seed)]
    seen: dict[str, int] = {}
    rounds: dict[str, int] = {}
    for name in names:
        rounds[name] = seen[problem[name]] = seen.get(problem[name], -1) + 1
    chosen = sorted(names, key=lambda name: rounds[name])[:count]
    return traces.filter(pl.col("trace").is_in(chosen)).to_dicts()


class Donors:
    """Finds for a thought one of another problem that is as long."""

    def __init__(self, traces: pl.DataFrame, seed: int) -> None:
        """Take the usable thoughts of a study, and the seed that breaks ties."""
        self.rows = {row["trace"]: row for row in traces.to_dicts()}
        names = ranked_by_digest(((name,) for name in self.rows), f"{seed}/donor")
        self.order = [str(name) for (name,) in names]
        self.length = {name: _length(row) for name, row in self.rows.items()}

    def of(self, trace: dict[str, Any]) -> dict[str, Any] | None:
        """The thought of another problem, with another answer, nearest in length.

        None if there is no such thought.
        """
        length = _length(trace)
        for name in sorted(self.order, key=lambda n: abs(self.length[n] - length)):
            other = self.rows[name]
            is_other = other["problem"] != trace["problem"]
            if is_other and not same_answer(trace["answer"], other["answer"]):
                return other
        return None


def _length(trace: dict[str, Any]) -> int:
    first, stop = thought_tokens(trace)
    return stop - first
