"""Whether a direction puts the turn of a matched pair above its control.

The states are those of the activation cache, at the token before the sentence. A pair
is in order if the member of the first class lies further along the direction. The
shares of ordered pairs of the fit problems choose a boundary, those of the test
problems judge the direction there.
"""

from typing import Any

import numpy as np
import polars as pl
import torch

from activations.reading import ActivationCache
from directions.matched_probe import MatchedProbe
from directions.reading import Directions
from directions.tables import FIT, PROBE, TEST, WRAP_UP
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from matches.reading import BACKTRACK_CONTROL, cases_of, whole_pairs

WRAP_UP_CONTROL = "wrap_up_control"


def contrast_of(direction: str) -> str:
    """The contrast whose pairs judge a direction."""
    return WRAP_UP_CONTROL if direction == WRAP_UP else BACKTRACK_CONTROL


def cases_within(
    contrast: str, matches: pl.DataFrame, index: pl.DataFrame, problems: set[str]
) -> pl.DataFrame:
    """Members of the pairs whose both members belong to these problems."""
    cases = cases_of(CONTRAST_BY_NAME[contrast], matches, index).drop("pair_problem")
    return whole_pairs(cases.filter(pl.col("problem").is_in(problems)))


def ordered(scores: np.ndarray, cases: pl.DataFrame) -> np.ndarray:
    """1 for each pair in order, 0 for others, 1/2 for ties: [..., pair], by pair.

    Args:
        scores: [..., case].
        cases: of `cases_within`.
    """
    sides = []
    for flag in (True, False):
        own = cases.with_row_index("case").filter(label=flag).sort("pair")
        sides.append(scores[..., own["case"].to_numpy()])
    return (np.sign(sides[0] - sides[1]) + 1) / 2


def pair_rows(
    cache: ActivationCache,
    matches: pl.DataFrame,
    parts: dict[str, set[str]],
    directions: Directions,
    probe: MatchedProbe | None,
) -> list[dict[str, Any]]:
    """Rows of `DIRECTION_PAIRS`, of all directions, boundaries and parts."""
    rows: list[dict[str, Any]] = []
    for contrast in (BACKTRACK_CONTROL, WRAP_UP_CONTROL):
        names = [n for n in directions.vectors if contrast_of(n) == contrast]
        for part, problems in parts.items():
            cases = cases_within(contrast, matches, cache.index, problems)
            if cases.is_empty() or not names:
                continue
            pairs = cases.filter("label").sort("pair")
            keys = pairs.select("pair", problem="pair_problem").to_dicts()
            for boundary in range(cache.n_layers + 1):
                states = cache.read("resid", cases, layer=boundary).double()
                for name in names:
                    scores = _scores(directions, name, boundary, states)
                    if name == PROBE and part == FIT and probe is not None:
                        scores[0] = probe.scores[boundary]
                    true, *draws = ordered(scores, cases)
                    shuffled = np.mean(draws, axis=0)
                    rows += [
                        {"direction": name, "boundary": boundary, "part": part}
                        | key
                        | {
                            "ordered": float(true[k]),
                            "shuffled": float(shuffled[k]) if part == TEST else None,
                        }
                        for k, key in enumerate(keys)
                    ]
    return rows


def _scores(
    directions: Directions, name: str, boundary: int, states: torch.Tensor
) -> np.ndarray:
    """Projections on the direction and its shuffled draws: [1 + draw, case]."""
    vectors = [
        directions.vectors[name][None, boundary],
        directions.shuffled[name][:, boundary],
    ]
    return (torch.cat(vectors).double() @ states.T).numpy()
