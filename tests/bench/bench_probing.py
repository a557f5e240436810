"""What principal axes save: fits in them against fits in all features.

Prints ratios of times of one run on one thread, because seconds of a shared machine
mean little.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from probing.cross_validation import ProbePlan, cross_validate
from probing.probes import fit_probe, fit_unrotated_probe

STRENGTH = 1e-3


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main(cases: int, width: int, repeats: int) -> None:
    """Time both fits and one cross-validation, and print the ratios."""
    rng = np.random.default_rng(0)
    labels, pairs = np.arange(cases) % 2 == 0, np.arange(cases) // 2
    features = rng.normal(size=(cases, width))
    features[:, : width // 8] += 0.3 * labels[:, None]
    problems = np.array([f"p{k}" for k in rng.integers(cases // 3, size=cases)])
    rotated, unrotated = (
        min(
            seconds(lambda fit=fit: fit(features, labels, STRENGTH))
            for _ in range(repeats)
        )
        for fit in (fit_probe, fit_unrotated_probe)
    )
    print(
        f"{cases} cases of {width} features: a rotated fit takes "
        f"{rotated / unrotated:.2f} of an unrotated one ({unrotated:.2f} s)"
    )
    plan = ProbePlan(
        (1e-4, 1e-3, 1e-2, 1e-1), folds=5, inner_folds=3, shuffles=5, seed=0
    )
    total = seconds(lambda: cross_validate(features, labels, problems, pairs, plan))
    fits = plan.folds * (plan.inner_folds * len(plan.strengths) + 1 + plan.shuffles)
    print(
        f"one contrast at one boundary: {fits} fits in {total:.1f} s, "
        f"{total / fits / unrotated:.2f} of an unrotated fit each"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--width", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=3)
    main(**vars(parser.parse_args()))
