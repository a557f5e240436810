"""Splits problems into those that give directions and those that use them."""

from collections.abc import Iterable

from directions.tables import FIT, TEST
from doubletake.stats.draws import ranked_by_digest


def parts_of(problems: Iterable[str], share: float, seed: int) -> dict[str, str]:
    """The part of each problem, drawn by digest, so that the order does not matter.

    With two problems or more, each part has at least one.

    Args:
        problems: ids; duplicates count once.
        share: of the problems to fit.
        seed: of the draw.
    """
    ranked = ranked_by_digest({(problem,) for problem in problems}, f"fit/{seed}")
    fitted = min(max(round(share * len(ranked)), 1), len(ranked) - 1)
    parts = {
        str(name[0]): FIT if number < fitted else TEST
        for number, name in enumerate(ranked)
    }
    return dict(sorted(parts.items()))


def thoughts_to_read(traces: Iterable[str], limit: int | None, seed: int) -> set[str]:
    """The thoughts that the model reads: at most `limit`, drawn by digest."""
    ranked = ranked_by_digest({(trace,) for trace in traces}, f"read/{seed}")
    return {str(name[0]) for name in ranked[:limit]}
