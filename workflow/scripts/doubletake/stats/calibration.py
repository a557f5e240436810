"""Calibration: how far stated probabilities lie from the shares that come true."""

import numpy as np


def equal_count_bins(cases: int, bins: int) -> np.ndarray:
    """Bin of each case, in order of confidence, if all bins hold equally many.

    Returns:
        `[case]`, from 0 to `bins` - 1. The sizes of two bins differ by one at most.
        Fewer cases than bins have a bin each, so that no bin is empty.
    """
    return np.arange(cases, dtype=np.int64) * min(bins, cases) // max(cases, 1)


def calibration_error(
    confidence: np.ndarray, accuracy: np.ndarray, cases: np.ndarray
) -> float:
    """Expected calibration error: mean |accuracy - confidence|, weighted by cases.

    Naeini et al. 2015, with bins of equal counts.

    Args:
        confidence: mean of each bin, `[bin]`.
        accuracy: share of right answers of each bin, `[bin]`.
        cases: number of cases of each bin, `[bin]`.
    """
    return float(np.average(np.abs(accuracy - confidence), weights=cases))
