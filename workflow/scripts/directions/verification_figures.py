"""Rows of the verification table: class means of thoughts that are read alone."""

from collections.abc import Sequence

import torch

from directions.class_sums import ThoughtInput
from directions.matched_probe import MatchedProbe
from doubletake.stats.verification import Case, Largest, Verification, drawn
from doubletake.tables.verification import VerificationRow

# ASSUME: in float32, sums in another order move a mean by less than this; chosen by
# hand. 16-bit models have no bound.
MEAN_BOUND = 1e-4  # residual norms
STOPPED_BOUND = 0.01  # share of fits, as in probing


def thoughts_to_verify(
    inputs: Sequence[ThoughtInput], settings: Verification
) -> set[str]:
    """The thoughts that are read again alone."""
    cases = [Case((item.trace,), len(item.ids)) for item in inputs]
    work = sum(case.cost for case in cases)
    return {str(case.name[0]) for case in drawn(cases, work, settings)}


def mean_error(
    batched: torch.Tensor,
    plain: torch.Tensor,
    counts: torch.Tensor,
    norms: torch.Tensor,
) -> float:
    """Largest distance of a class mean of a thought, in residual norms.

    Args:
        batched: [boundary, class, d_model], sums.
        plain: the same from a thought that was read alone.
        counts: [class], positions in this thought.
        norms: [boundary], mean residual norm of the thought.
    """
    distance = (batched - plain).norm(dim=-1) / counts.clamp_min(1)
    return float((distance / norms[:, None]).max())


def figures(
    error: Largest, probe: MatchedProbe | None, dtype: str
) -> list[VerificationRow]:
    """The rows of `VERIFICATION`; only float32 has a bound on the means."""
    fits = probe.fits if probe else 0
    return [
        VerificationRow(
            check="class means of a thought, batched against a plain forward pass",
            statistic="largest distance",
            value=error.value,
            unit="residual norms",
            n=error.n,
            bound=MEAN_BOUND if dtype == "float32" else None,
            merge="max",
        ),
        VerificationRow(
            check="convergence of the fits of the refit probe",
            statistic="share of fits stopped early",
            value=probe.stopped / fits if probe and fits else None,
            unit="share",
            n=fits,
            bound=STOPPED_BOUND,
            merge="mean",
        ),
    ]
