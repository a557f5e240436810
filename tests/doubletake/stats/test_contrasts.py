"""Contrasts, and how many problems they need."""

import polars as pl

from doubletake.stats.contrasts import CONTRAST_BY_NAME, CONTRASTS, ClassCounts


def test_too_few_problems_are_named():
    cases = pl.DataFrame(
        {"problem": ["a", "b", "c", "c"], "label": [True, True, False, False]}
    )
    counts = ClassCounts.of(cases)
    assert (counts.positives, counts.negatives) == (2, 2)
    contrast = CONTRAST_BY_NAME["right_arrival"]
    reason = counts.why_too_few(contrast, folds=2, least_problems=1)
    assert reason is not None
    assert "2 matched pair(s) with a wrong arrival of 1 problem(s)" in reason
    assert reason.endswith("fewer than 2")
    assert counts.why_too_few(contrast, folds=1, least_problems=2) == reason
    assert counts.why_too_few(contrast, folds=1, least_problems=1) is None


def test_names_of_contrasts_differ():
    assert len(CONTRAST_BY_NAME) == len(CONTRASTS) == 4
