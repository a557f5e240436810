"""Thresholds: the cheapest one that is as good as the best, by one standard error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doubletake.exit_rules.replay import Looks, Stops
from doubletake.exit_rules.rule import Rule
from doubletake.exit_rules.thoughts import Thought
from doubletake.stats.intervals import cluster_sums
from doubletake.stats.jackknife import Jackknife

ROUNDING = 1e-9
"""Relative: one lost problem of n has a loss and a standard error of 1/n."""


@dataclass(frozen=True)
class Chosen:
    """A threshold, chosen on calibration problems."""

    threshold: float | None
    """None: no threshold qualifies, so think to the end."""
    accuracy: float
    """Share of right answers on the calibration problems; not an unbiased estimate."""
    cost: float
    """Kept and trial tokens of the calibration problems over those of the full
    thoughts."""
    thoughts: int
    problems: int


def chosen_threshold(rule: Rule, thoughts: Sequence[Thought]) -> Chosen:
    """Choose from the rule's `grid`, or to think to the end.

    Args:
        rule: an exit rule; its own threshold is not read.
        thoughts: of the calibration problems only.

    Raises:
        ValueError: there are no thoughts, or the rule has no grid.
    """
    if not thoughts or not rule.grid:
        raise ValueError(f"{rule.name}: no calibration thoughts or no grid")
    looks = Looks.of(rule, thoughts)
    sweep = [looks.stops(threshold) for threshold in rule.grid]
    full = sweep[0].full
    right = np.stack([*(s.right for s in sweep), sweep[0].right_at_end], axis=1)
    cost = np.stack([*(spent_tokens(s) for s in sweep), full], axis=1)
    problems = sweep[0].problems
    index = one_standard_error(right, cost, problems)
    return Chosen(
        None if index == len(rule.grid) else float(rule.grid[index]),
        float(right[:, index].mean()),
        float(cost[:, index].sum() / full.sum()),
        len(thoughts),
        len(set(problems)),
    )


def one_standard_error(
    right: np.ndarray, cost: np.ndarray, problems: np.ndarray
) -> int:
    """The cheapest candidate within one standard error of the best (Breiman 1984).

    The best has the highest accuracy; of equals, it is the first. A candidate qualifies
    if its mean loss against the best is at most the standard error of this loss. Both
    answer the same thoughts, so the error is that of paired differences, by the
    jackknife over problems. It is smaller than the error of an accuracy alone. A loss
    of one thought of n is within its error, whatever n is.

    Args:
        right: [thought, candidate], bool.
        cost: [thought, candidate], tokens.
        problems: [thought].

    Returns:
        The number of the candidate.
    """
    accuracy, total = right.mean(0), cost.sum(0)
    best = int(accuracy.argmax())
    loss, error = _paired_loss(right[:, [best]].astype(float) - right, problems)
    qualifies = loss <= np.nan_to_num(error) * (1 + ROUNDING)
    return int(np.where(qualifies, total, np.inf).argmin())


def spent_tokens(stops: Stops) -> np.ndarray:
    """[thought], kept tokens and those of all trials up to the stop."""
    return stops.kept + stops.trial_tokens


def _paired_loss(
    losses: np.ndarray, problems: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error of each column of losses [thought, candidate]."""
    cases, width = losses.shape
    columns = np.tile(np.arange(width), cases)
    sums, counts = cluster_sums(
        losses.ravel(), np.repeat(problems, width), columns, width
    )
    mean = sums.sum(0) / counts.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        left_out = (sums.sum(0) - sums) / (counts.sum(0) - counts)
    return mean, Jackknife.of(mean, left_out, counts).error
