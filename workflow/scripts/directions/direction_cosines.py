"""How alike directions are, beside the same with shuffled labels."""

from itertools import combinations
from typing import Any

from directions.reading import Directions


def cosine_rows(directions: Directions) -> list[dict[str, Any]]:
    """Rows of `DIRECTION_COSINES`: all pairs of directions at all boundaries."""
    rows: list[dict[str, Any]] = []
    for first, second in combinations(directions.vectors, 2):
        one, other = directions.vectors[first], directions.vectors[second]
        draws, others = directions.shuffled[first], directions.shuffled[second]
        for boundary in range(len(one)):
            sizes = (draws[:, boundary] @ others[:, boundary].T).abs().double()
            rows.append(
                {
                    "first": first,
                    "second": second,
                    "boundary": boundary,
                    "cosine": float(one[boundary] @ other[boundary]),
                    "shuffled": sizes.mean().item(),
                    "shuffled_highest": sizes.max().item(),
                }
            )
    return rows
