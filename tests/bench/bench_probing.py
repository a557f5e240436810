"""What principal axes save: fits in them against fits in all features.

One fit is a logistic regression with one strength of the penalty.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from comparison import Comparison, Other

from probing.cross_validation import ProbePlan, cross_validate
from probing.probes import fit_probe, fit_unrotated_probe

STRENGTH = 1e-3


def main(cases: int, width: int, rounds: int) -> None:
    """Compare both fits, and a cross-validation with as many unrotated fits."""
    rng = np.random.default_rng(0)
    labels, pairs = np.arange(cases) % 2 == 0, np.arange(cases) // 2
    features = rng.normal(size=(cases, width))
    features[:, : width // 8] += 0.3 * labels[:, None]
    problems = np.array([f"p{k}" for k in rng.integers(cases // 3, size=cases)])
    plan = ProbePlan(
        (1e-4, 1e-3, 1e-2, 1e-1), folds=5, inner_folds=3, shuffles=5, seed=0
    )
    fits = plan.folds * (plan.inner_folds * len(plan.strengths) + 1 + plan.shuffles)
    table = Comparison("probing")
    unrotated = partial(fit_unrotated_probe, features, labels, STRENGTH)
    table.add(
        f"one fit, {cases} cases of {width} features, on principal axes",
        partial(fit_probe, features, labels, STRENGTH),
        {"a fit in all features": Other(unrotated)},
        rounds,
    )
    table.add(
        f"one contrast at one boundary, {fits} fits",
        partial(cross_validate, features, labels, problems, pairs, plan),
        {"these fits in all features": Other(unrotated, share=1 / fits)},
        1,
        warm=False,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--width", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    main(**vars(parser.parse_args()))
