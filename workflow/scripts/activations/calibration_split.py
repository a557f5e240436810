"""Draws the problems whose thoughts are used to compute the mean activations."""

import math
from collections.abc import Iterable

from doubletake.stats.draws import ranked_by_digest

CALIBRATION = "calibration"


def calibration_problems(problems: Iterable[str], share: float) -> set[str]:
    """The problems whose thoughts are used to compute the mean residual.

    Problems are ranked by the SHA-256 of their id, and the first ceil(share * n) are
    taken. So the order of the problems and the shards do not change the split. It is
    empty only if there are no problems.
    """
    names = {(problem,) for problem in problems}
    ranked = ranked_by_digest(names, CALIBRATION)
    return {str(name) for (name,) in ranked[: math.ceil(share * len(ranked))]}
