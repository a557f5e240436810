"""Folds of problems for cross-validation."""

from collections.abc import Sequence

import numpy as np

from doubletake.stats.draws import Name, ranked_by_digest


def problem_folds(
    problems: Sequence[str] | np.ndarray, labels: np.ndarray, folds: int, seed: int
) -> np.ndarray:
    """Fold of every case: a problem lies in one fold, every fold holds both classes.

    Problems are dealt to the folds in turn: first those with the first class only, then
    those with both classes, then those with the second class only. Within each of these
    groups they come in the order of a hash of seed and id. The problems of each class
    thus follow one another and reach every fold, which scikit-learn's
    StratifiedGroupKFold does not promise. The order of rows does not matter.

    Args:
        problems: [case], id of its problem.
        labels: [case], bool.
        folds: number of folds; at most the number of problems of either class.
        seed: of the order.

    Raises:
        ValueError: a class has fewer problems than there are folds.
    """
    names, index = np.unique(np.asarray(problems, dtype=str), return_inverse=True)
    has_class = np.zeros((2, len(names)), dtype=bool)
    has_class[np.asarray(labels, dtype=int), index] = True
    if has_class.sum(1).min() < folds:
        raise ValueError(
            f"{has_class.sum(1).tolist()} problems by class for {folds} folds"
        )
    negative, positive = has_class
    group = np.where(positive & ~negative, 0, np.where(positive, 1, 2))
    index_of: dict[Name, int] = {(str(name),): k for k, name in enumerate(names)}
    ranked = [index_of[name] for name in ranked_by_digest(index_of, seed)]
    order = sorted(ranked, key=group.__getitem__)
    fold = np.empty(len(names), dtype=int)
    fold[order] = np.arange(len(names)) % folds
    return fold[index]
