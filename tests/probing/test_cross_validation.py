"""Cross-validation of probes: planted directions, noise, splits by problem."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_cases import noisy_cases, paired_cases, pairs_of

from doubletake.stats.auroc import auroc
from doubletake.stats.folds import problem_folds
from doubletake.stats.intervals import IntervalSettings, jackknife_interval
from doubletake.stats.jackknife import without_each_cluster
from probing.cross_validation import (
    CountedFits,
    ProbePlan,
    cross_validate,
    median_strength,
    shuffled_labels,
)
from probing.probes import fit_probe

PLAN = ProbePlan((0.001, 0.01, 0.1, 1.0), folds=4, inner_folds=3, shuffles=3, seed=0)


def auroc_of(judged, labels, problems, confidence):
    """AUROC of the probes on the true labels, with its interval."""
    values = without_each_cluster(
        lambda weights: auroc(judged.scores[0], labels, judged.folds, weights),
        problems,
    )
    return jackknife_interval(
        values, problems, IntervalSettings(confidence), is_share=True
    )


def test_a_planted_direction_is_recovered():
    features, labels, problems, direction = paired_cases(600, strength=5.0)
    judged = cross_validate(features, labels, problems, pairs_of(labels), PLAN)
    assert auroc_of(judged, labels, problems, 0.95)[0] > 0.99
    probe = fit_probe(features, labels, median_strength(judged.strengths))
    cosine = probe.weight @ direction / np.linalg.norm(probe.weight)
    assert cosine > 0.95
    for row in range(1, PLAN.shuffles + 1):
        ones = np.ones((1, len(labels)))
        null = auroc(judged.scores[row], judged.labels[row], judged.folds, ones)
        assert abs(null[0] - 0.5) < 0.1


def test_nothing_is_found_in_noise():
    """AUROC of noise is 0.5 on average, and most intervals hold 0.5."""
    plan = ProbePlan((0.001, 0.1), folds=4, inner_folds=2, shuffles=1, seed=0)
    intervals = []
    for seed in range(12):
        features, labels, problems, _ = paired_cases(150, width=12, seed=seed)
        judged = cross_validate(features, labels, problems, pairs_of(labels), plan)
        intervals.append(auroc_of(judged, labels, problems, 0.95))
    assert abs(np.mean([value for value, _, _ in intervals]) - 0.5) < 0.04
    assert sum(low < 0.5 < high for _, low, high in intervals) >= 9


def test_knowing_the_problem_does_not_help_on_other_problems():
    """Features name the problem, and it fixes the label: unseen problems are chance."""
    rng = np.random.default_rng(1)
    problems = np.repeat([f"p{k}" for k in range(60)], 6)
    by_problem = rng.random(60) < 0.5
    labels = np.repeat(by_problem, 6)
    features = np.repeat(rng.normal(size=(60, 40)), 6, axis=0)
    judged = cross_validate(features, labels, problems, pairs_of(labels), PLAN)
    _, low, high = auroc_of(judged, labels, problems, 0.99)
    assert low < 0.5 < high
    split_by_row = fit_probe(features[::2], labels[::2], 1.0).scores(features[1::2])
    one = np.ones((1, len(split_by_row)))
    same_fold = np.zeros(len(split_by_row))
    assert (
        auroc(split_by_row, labels[1::2], same_fold, one)[0] > 0.95
    )  # a split by row would leak


@pytest.mark.parametrize("seed", range(5))
def test_no_problem_lies_in_two_folds_and_every_fold_has_both_classes(seed):
    rng = np.random.default_rng(seed)
    problems = np.array([f"p{k}" for k in rng.integers(30, size=90)])
    labels = rng.random(90) < 0.12
    fewest = min(len(np.unique(problems[labels == flag])) for flag in (True, False))
    count = min(5, fewest)
    folds = problem_folds(problems, labels, count, seed)
    assert set(folds) == set(range(count))
    for name in np.unique(problems):
        assert len(set(folds[problems == name])) == 1
    for fold in range(count):
        assert len(set(labels[folds == fold])) == 2


def test_fits_never_see_a_problem_or_a_partner_that_they_score(monkeypatch):
    """Rows are tagged with problem and pair, and the rows of every fit are recorded."""
    features, labels, problems, _ = paired_cases(100, problems=25)
    numbers = np.array([float(name[1:]) for name in problems])
    pairs = pairs_of(labels)
    trained, path, loss = [], CountedFits.path, []

    class UnrotatedAxes:
        """Keeps the features as they are, with the tags in columns 0 and 1."""

        def coordinates(self, rows):
            return rows

    monkeypatch.setattr(
        "probing.cross_validation.PrincipalAxes.of", lambda *_: UnrotatedAxes()
    )

    def watch(self, rows, truth, strengths):
        trained.append((set(rows[:, 0]), set(rows[:, 1])))
        assert truth.mean() == 0.5  # whole pairs
        return path(self, rows, truth, strengths)

    def watch_loss(scores, truth):
        loss.append(len(truth))
        return 0.0

    monkeypatch.setattr(CountedFits, "path", watch)
    monkeypatch.setattr("probing.cross_validation.balanced_loss", watch_loss)
    features[:, 0], features[:, 1] = numbers, pairs
    judged = cross_validate(features, labels, problems, pairs, PLAN)
    per_fold = PLAN.inner_folds + 1 + PLAN.shuffles
    assert len(trained) == PLAN.folds * per_fold
    for fold in range(PLAN.folds):
        out = judged.folds == fold
        fits = trained[fold * per_fold : (fold + 1) * per_fold]
        for seen_problems, seen_pairs in fits:
            assert not seen_problems & set(numbers[out])
            assert not seen_pairs & set(pairs[out])
        outer = fits[-1][1]
        assert outer == set(pairs) - set(pairs[out])
        inner = fits[: PLAN.inner_folds]
        assert set.intersection(*(seen for seen, _ in inner)) == set()
        assert set.intersection(*(seen for _, seen in inner)) == set()
        assert all(seen < outer for _, seen in inner)
    assert len(loss) == PLAN.folds * PLAN.inner_folds * len(PLAN.strengths)


def test_too_few_problems_are_refused():
    labels = np.array([True, True, False, False, False])
    problems = np.array(["a", "a", "b", "c", "d"])
    with pytest.raises(ValueError, match="folds"):
        problem_folds(problems, labels, 2, 0)


def test_the_order_of_rows_does_not_change_folds():
    _, labels, problems, _ = noisy_cases(120)
    folds = problem_folds(problems, labels, 4, 0)
    order = np.random.default_rng(0).permutation(120)
    again = problem_folds(problems[order], labels[order], 4, 0)
    assert (again == folds[order]).all()


def test_constant_features_do_no_harm():
    features, labels, problems, _ = paired_cases(100, strength=4.0)
    features[:, 3] = 7.0
    judged = cross_validate(features, labels, problems, pairs_of(labels), PLAN)
    assert np.isfinite(judged.scores).all()
    assert fit_probe(features, labels, 0.1).weight[3] == 0


def test_shuffles_swap_whole_pairs_and_leave_both_classes_in_every_fold():
    labels = np.tile([True, False, False, True], 4)
    pairs = pairs_of(labels)
    folds = np.array([0, 1, 0, 1, 0, 1, 0, 1, 2, 2, 2, 2, 3, 3, 3, 3])
    plan = replace(PLAN, shuffles=300)
    rows = shuffled_labels(labels, pairs, folds, plan)
    assert (rows[0] == labels).all()
    assert (rows[:, ::2] != rows[:, 1::2]).all()
    for fold in range(4):
        classes = rows[:, folds == fold].mean(1)
        assert classes.min() > 0
        assert classes.max() < 1
    # 14 of 16 swaps of the four pairs between two folds leave both classes in both.
    assert len(np.unique(rows[:, :8], axis=0)) == 14
    assert (rows == shuffled_labels(labels, pairs, folds, plan)).all()


def null_and_shuffled(shared, simulations):
    """Mean AUROC of probes of noise, and of their shuffles."""
    plan = ProbePlan((0.1,), folds=4, inner_folds=2, shuffles=4, seed=0)
    found = []
    for seed in range(simulations):
        features, labels, problems, _ = paired_cases(
            60, width=8, seed=seed, shared=shared
        )
        judged = cross_validate(features, labels, problems, pairs_of(labels), plan)
        ones = np.ones((1, len(labels)))
        found.append(
            [
                auroc(scores, truth, judged.folds, ones)[0]
                for scores, truth in zip(judged.scores, judged.labels, strict=True)
            ]
        )
    return np.mean(found, axis=0)[0], np.mean(found, axis=0)[1:].mean()


@pytest.mark.parametrize("shared", [0.0, 3.0])
def test_pairs_without_an_effect_are_at_chance_however_alike_they_are(shared):
    """With true and with shuffled labels; most pairs are of two folds."""
    for value in null_and_shuffled(shared, 200):
        assert value == pytest.approx(0.5, abs=0.015)


def test_a_probe_that_knows_the_partners_would_be_below_chance(monkeypatch):
    """Why they are left out."""
    monkeypatch.setattr("probing.cross_validation.other_pairs", lambda pairs, out: ~out)
    assert max(null_and_shuffled(3.0, 60)) < 0.45


def test_a_fold_that_every_pair_touches_has_a_probe_that_knows_nothing():
    """Each of two problems holds one member of every pair."""
    features, labels, _, _ = paired_cases(24, strength=5.0)
    problems = np.tile(["a", "b", "b", "a"], 12)
    plan = replace(PLAN, folds=2, inner_folds=2)
    judged = cross_validate(features, labels, problems, pairs_of(labels), plan)
    assert judged.fits == 0
    assert (judged.scores == 0).all()
