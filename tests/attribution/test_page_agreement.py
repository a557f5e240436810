"""What the page says on the agreement of the estimate with exact patching."""

import pytest

from attribution.page import headline
from attribution.page_agreement import agreement_sentence
from attribution.tables import (
    ATTRIBUTION_CHECKS,
    ATTRIBUTION_CONTEXT_PARTS,
    ATTRIBUTION_TOKENS,
)
from doubletake.page.study_data import StudyData

AGREES = {"mean": 0.5, "low": 0.25, "high": 0.75, "positions": 10, "problems": 10}
FEW = {"mean": 0.99, "low": None, "high": None, "positions": 2, "problems": 2}


def data_of(layers: dict[int | None, dict]) -> StudyData:
    rows = [
        {"method": "gradient", "component": "resid", "layer": layer, "statistic": name}
        | row
        for layer, row in layers.items()
        for name in ("pearson", "spearman", "sign", "recall")
    ]
    settings = {
        "attribution": {"method": "gradient"},
        "intervals": {"confidence": 0.95, "least_problems": 10},
    }
    token = {"trace": "a/0", "event": 1, "problem": "a", "kind": "backtrack"}
    token |= {"position": 1, "metric_value": 0.0, "thought_start": 0}
    token |= {"question_start": None, "question_end": None}
    token |= {name: [0.5] for name in ("max_abs", "mean_abs", "signed_max")}
    token |= {"position_max_abs": 1.0, "position_mean_abs": 1.0}
    tables = {
        "attribution/checks": ATTRIBUTION_CHECKS.frame(rows),
        "attribution/tokens": ATTRIBUTION_TOKENS.frame([token]),
        "attribution/context_parts": ATTRIBUTION_CONTEXT_PARTS.frame([]),
    }
    return StudyData("tiny", "data", tables, settings)


def sentence(layers: dict[int | None, dict]) -> str:
    return agreement_sentence(data_of(layers))


def test_the_headline_gives_the_interval_or_says_not_checked():
    text = headline(data_of({None: AGREES}))
    assert "correlates 0.50 (0.25 to 0.75) with exact patching here" in text
    text = headline(data_of({None: FEW}))
    assert "on only 2 problems, so is not checked" in text
    assert "0.99" not in text


def test_layers_are_named_where_they_have_an_interval():
    assert "before layer" not in sentence({None: AGREES, 0: FEW, 1: FEW | {"mean": 0}})
    text = sentence({None: AGREES, 0: AGREES, 1: AGREES | {"mean": 0.3}, 2: FEW})
    assert "from 0.30 before layer 1 to 0.50 before layer 0" in text


@pytest.mark.parametrize(("low", "shown"), [(0.05, True), (0.0, False), (-0.2, False)])
def test_an_interval_that_holds_0_shows_no_agreement(low, shown):
    text = sentence({None: AGREES | {"low": low}})
    assert text.endswith("not shown to agree with exact patching.") != shown


def test_too_few_problems_are_not_checked():
    assert "0.99 (not checked: 2 problems)" in sentence({None: FEW})
