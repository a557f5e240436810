"""Intervals that are corrected for the number of tests."""

from dataclasses import replace

from doubletake.stats.intervals import IntervalSettings, Mean


def corrected(intervals: IntervalSettings, tests: int) -> IntervalSettings:
    """Settings with which all of so many intervals cover at once (Bonferroni)."""
    missed = (1 - intervals.confidence) / max(tests, 1)
    return replace(intervals, confidence=1 - missed)


def lies_below(mean: Mean, bound: float) -> bool | None:
    """Whether a whole interval lies below a bound; None without an interval."""
    return None if mean.high is None else mean.high < bound
