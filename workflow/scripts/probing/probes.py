"""Linear probes: logistic regression, judged on problems that it has not seen.

Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes";
controls and selectivity after Hewitt & Liang 2019, "Designing and interpreting probes
with control tasks".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from doubletake.stats.draws import Name, array_generator, ranked_by_digest
from probing.logistic import Fit, fit_balanced

PLAIN_TOLERANCE = 1e-12  # of Newton's method: gradient, and fall of the loss to come
PLAIN_STEPS = 200


@dataclass(frozen=True)
class Plan:
    """How probes are fitted and judged."""

    strengths: tuple[float, ...]
    """Inverse strengths C of the L2 penalty to choose from, ascending."""
    folds: int
    """Parts of the problems, each left out once."""
    inner_folds: int
    """Parts of a training fold's problems, on which C is chosen."""
    shuffles: int
    """Fits on shuffled labels."""
    seed: int
    """Of the folds and of the shuffles."""


@dataclass(frozen=True)
class Judged:
    """Scores of every case by a probe that was fitted without its problem."""

    folds: np.ndarray
    """[case], the fold left out."""
    strengths: np.ndarray
    """[fold], the chosen C."""
    labels: np.ndarray
    """[1 + shuffle, case], bool; row 0 the true ones."""
    scores: np.ndarray
    """[1 + shuffle, case], log-odds."""
    fits: int
    stopped: int
    """Fits that ended before they converged."""


@dataclass(frozen=True)
class Probe:
    """A fitted probe in the units of its features: log-odds = features w + bias."""

    weight: np.ndarray
    """[feature]."""
    bias: float

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Log-odds of the first class: [case, feature] to [case]."""
        return features @ self.weight + self.bias


def problem_folds(
    problems: Sequence[str] | np.ndarray, labels: np.ndarray, folds: int, seed: int
) -> np.ndarray:
    """Fold of every case: a problem lies in one, every fold holds both classes.

    Problems are dealt round, those with the first class only first, then those with
    both, then the rest, in the order of a hash of seed and id within each: so each
    class's problems stand in a row and reach every fold, which scikit-learn's
    StratifiedGroupKFold does not promise, and no order of rows matters.

    Args:
        problems: [case], id of its problem.
        labels: [case], bool.
        folds: their number; at most the problems of either class.
        seed: of the order.

    Raises:
        ValueError: a class has fewer problems than there are folds.
    """
    names, place = np.unique(np.asarray(problems, dtype=str), return_inverse=True)
    has = np.zeros((2, len(names)), dtype=bool)
    has[np.asarray(labels, dtype=int), place] = True
    if has.sum(1).min() < folds:
        raise ValueError(f"{has.sum(1).tolist()} problems by class, {folds} folds")
    kind = np.where(has[1] & ~has[0], 0, np.where(has[1], 1, 2))
    place_of: dict[Name, int] = {(str(name),): k for k, name in enumerate(names)}
    ranked = [place_of[name] for name in ranked_by_digest(place_of, seed)]
    order = sorted(ranked, key=kind.__getitem__)
    fold = np.empty(len(names), dtype=int)
    fold[order] = np.arange(len(names)) % folds
    return fold[place]


@dataclass(frozen=True)
class _Space:
    """Where a fit takes place: features scaled, and turned into principal axes.

    With fewer rows than features the penalised solution lies in the span of the rows
    (representer theorem), so their coordinates in an orthonormal basis of that span
    give the same probe from `row` instead of `feature` numbers. Principal axes are the
    basis in which `probing.logistic` needs few steps; the penalty is the same in
    every orthonormal one.
    """

    mean: np.ndarray
    scale: np.ndarray
    basis: np.ndarray
    """[feature, coordinate], orthonormal columns."""

    @classmethod
    def of(cls, features: np.ndarray) -> "_Space":
        mean, scale = centre_and_scale(features)
        rows = (features - mean) / scale
        if len(rows) >= rows.shape[1]:
            return cls(mean, scale, _principal_axes(rows))
        span = np.linalg.qr(rows.T).Q
        return cls(mean, scale, span @ _principal_axes(rows @ span))

    def enter(self, features: np.ndarray) -> np.ndarray:
        """[case, feature] to the coordinates of a fit."""
        return ((features - self.mean) / self.scale) @ self.basis

    def leave(self, fit: Fit) -> Probe:
        """The probe in the units of the features."""
        return _in_units(self.basis @ fit.weight, fit.bias, self.mean, self.scale)


def centre_and_scale(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation by feature; infinite for one that never varies.

    So such a feature is 0 in the fit and has no weight. Its deviation in floating point
    is not always 0: divided by it, a case outside the fit could reach 1e16.
    """
    varies = np.ptp(features, axis=0) > 0
    return features.mean(0), np.where(varies, features.std(0), np.inf)


def _principal_axes(rows: np.ndarray) -> np.ndarray:
    """Orthonormal axes along which the rows are uncorrelated: [coordinate, axis]."""
    return np.linalg.eigh(rows.T @ rows).eigenvectors


def _in_units(
    weight: np.ndarray, bias: float, mean: np.ndarray, scale: np.ndarray
) -> Probe:
    """A probe of scaled features, in the units of the features."""
    raw = weight / scale
    return Probe(raw, float(bias - mean @ raw))


class _Fits:
    """Fits logistic regressions and counts them."""

    def __init__(self) -> None:
        self.fits = self.stopped = 0

    def path(
        self, rows: np.ndarray, labels: np.ndarray, strengths: Sequence[float]
    ) -> list[Fit]:
        """A fit at every C, each started from the one before."""
        found: list[Fit] = []
        for strength in strengths:
            start = found[-1] if found else None
            found.append(fit_balanced(rows, labels, strength, start))
            self.fits += 1
            self.stopped += int(not found[-1].converged)
        return found

    def choose(
        self, rows: np.ndarray, labels: np.ndarray, problems: np.ndarray, plan: Plan
    ) -> float:
        """The C of least log-loss on inner folds, by problem; of equals the smallest.

        Both classes weigh alike, in the fits and in the loss.
        """
        fewest = min(len(np.unique(problems[labels == flag])) for flag in (True, False))
        count = min(plan.inner_folds, fewest)
        inner = problem_folds(problems, labels, count, plan.seed + 1)
        loss = np.zeros(len(plan.strengths))
        for fold in range(count):
            out = inner == fold
            fitted = self.path(rows[~out], labels[~out], plan.strengths)
            for place, fit in enumerate(fitted):
                loss[place] += balanced_loss(fit.scores(rows[out]), labels[out])
        return plan.strengths[int(loss.argmin())]


def balanced_loss(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the classes of the mean log-loss (nats) of log-odds `scores`."""
    losses = np.logaddexp(0, np.where(labels, -scores, scores))
    return float(np.mean([losses[labels == flag].mean() for flag in (True, False)]))


def shuffled(labels: np.ndarray, folds: np.ndarray, plan: Plan) -> np.ndarray:
    """Labels permuted within each fold: [1 + shuffle, case], row 0 the true ones.

    Folds keep their numbers of either class, so that every fit has both.
    """
    rows = [labels]
    for number in range(1, plan.shuffles + 1):
        draw = array_generator(plan.seed, number)
        row = labels.copy()
        for fold in range(plan.folds):
            places = np.flatnonzero(folds == fold)
            row[places] = labels[draw.permutation(places)]
        rows.append(row)
    return np.stack(rows)


def cross_validate(
    features: np.ndarray, labels: np.ndarray, problems: np.ndarray, plan: Plan
) -> Judged:
    """Score every case by a probe fitted on the other folds' problems.

    Scaling, rotation and the choice of C see the training folds only. Shuffled labels
    are fitted with the C that the true ones chose.

    Args:
        features: [case, feature], float64.
        labels: [case], bool.
        problems: [case], id of its problem.
        plan: how.
    """
    folds = problem_folds(problems, labels, plan.folds, plan.seed)
    truths = shuffled(labels, folds, plan)
    scores = np.empty(truths.shape)
    strengths = np.empty(plan.folds)
    fits = _Fits()
    for fold in range(plan.folds):
        out = folds == fold
        space = _Space.of(features[~out])
        train, test = space.enter(features[~out]), space.enter(features[out])
        strength = fits.choose(train, labels[~out], problems[~out], plan)
        strengths[fold] = strength
        for row, truth in enumerate(truths):
            (fit,) = fits.path(train, truth[~out], [strength])
            scores[row, out] = fit.scores(test)
    return Judged(folds, strengths, truths, scores, fits.fits, fits.stopped)


def fit_probe(features: np.ndarray, labels: np.ndarray, strength: float) -> Probe:
    """A probe of all cases.

    Args:
        features: [case, feature], float64.
        labels: [case], bool.
        strength: inverse strength C of the penalty.
    """
    space = _Space.of(features)
    return space.leave(fit_balanced(space.enter(features), labels, strength))


def fit_plain_probe(features: np.ndarray, labels: np.ndarray, strength: float) -> Probe:
    """The same probe by other means: all features as they stand, Newton's method.

    Scikit-learn solves for all weights at once at every step, so that no correlation of
    features slows it down; the price grows with the square of the features' number.

    Args:
        features: [case, feature], float64.
        labels: [case], bool.
        strength: inverse strength C of the penalty.
    """
    mean, scale = centre_and_scale(features)
    if np.isinf(scale).all():
        return Probe(np.zeros(len(mean)), 0.0)  # Newton's method would not start
    model = LogisticRegression(
        C=strength,
        solver="newton-cholesky",
        class_weight="balanced",
        tol=PLAIN_TOLERANCE,
        max_iter=PLAIN_STEPS,
    ).fit((features - mean) / scale, labels)
    return _in_units(model.coef_[0], float(model.intercept_[0]), mean, scale)


def median_strength(strengths: np.ndarray) -> float:
    """The middle one of the folds' choices (of two middles the smaller)."""
    return float(np.sort(strengths)[(len(strengths) - 1) // 2])
