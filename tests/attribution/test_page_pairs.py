"""What the page says on backtracks against their matched controls."""

import pytest

from attribution.page_pairs import number_of_pairs, pairs_sentence
from attribution.tables import ATTRIBUTION_CONTEXT_PARTS, ATTRIBUTION_LAYERS
from doubletake.page.study_data import StudyData

QUESTION, LAST = 0, 5


def mean_row(mean, low, high, positions=107, problems=60):
    return {
        "mean": mean,
        "low": low,
        "high": high,
        "positions": positions,
        "problems": problems,
    }


def data_of(rows: dict[int, dict], kinds=("backtrack", "control")) -> StudyData:
    """Differences by part of the context; other rows must not decide."""
    misleading = mean_row(9.0, 8.0, 10.0)
    parts = [
        {"context_part": part, "published": None} | row | also
        for part, row in rows.items()
        for also in (
            {"kind": "difference", "quantity": "token"},
            {"kind": "difference", "quantity": "peak"} | misleading,
            {"kind": "matched", "quantity": "token"} | misleading,
        )
    ]
    layers = [
        {"kind": kind, "component": "resid", "layer": 0, "quantity": "earlier"}
        | mean_row(1.0, 0.5, 1.5, positions)
        for kind, positions in (("backtrack", 179), ("difference", 107))
        if rows or kind == "backtrack"
    ]
    tables = {
        "attribution/context_parts": ATTRIBUTION_CONTEXT_PARTS.frame(parts),
        "attribution/layers": ATTRIBUTION_LAYERS.frame(layers),
    }
    settings = {
        "turns": {"predicted_only": True},
        "attribution": {"kinds": list(kinds)},
        "intervals": {"confidence": 0.95, "least_problems": 10},
    }
    return StudyData("tiny", "data", tables, settings)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.5, "is more important"),
        (-0.5, -0.1, "is less important"),
        (-0.1, 0.5, "is not shown to differ"),
        (0.0, 0.5, "is not shown to differ"),
    ],
)
def test_the_interval_decides_what_is_said(low, high, verdict):
    rows = {LAST: mean_row(0.2, low, high), QUESTION: mean_row(0.0, -0.25, 0.25)}
    text = pairs_sentence(data_of(rows))
    last, question, *_ = text.replace(". ", "; ").split("; ")
    assert "controls were not chosen so" in text
    ends = f"{low:.2f} to {high:.2f}".replace("-", "\u2212")
    assert f"{verdict} (difference 0.20, {ends}, 107 pairs of 60 problems)" in last
    assert "the last fifth of the thought so far" in last
    assert question.startswith("the question is not shown to differ (difference 0.00")
    assert number_of_pairs(data_of(rows)) == 107


def test_pairs_of_too_few_problems_are_not_compared():
    rows = {
        LAST: mean_row(0.2, None, None, 7, 6),
        QUESTION: mean_row(None, None, None, 0, 0),
    }
    text = pairs_sentence(data_of(rows))
    assert "was not compared (not checked: 6 problems; 7 pairs of 6 problems)" in text
    assert "the question was not checked (no pair)" in text
    assert "important (" not in text


def test_without_pairs_nothing_is_compared():
    text = pairs_sentence(data_of({}))
    assert text.endswith("with this part of the context.")
    assert "was not checked: no selected backtrack has a matched control" in text
    assert number_of_pairs(data_of({})) == 0
    alone = pairs_sentence(data_of({}, kinds=["backtrack"]))
    assert "was not checked: the config (attribution.kinds) scores no controls" in alone
