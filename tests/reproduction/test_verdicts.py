"""The verdict on a published claim: it can fail, and it can be refused."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_reproduction import REFERENCES, THEIRS, settings

from doubletake.stats.intervals import IntervalSettings, cluster_means
from reproduction.claims import all_claims
from reproduction.run import Finding
from reproduction.verdicts import verdict_of

CLAIMS = {claim.name: claim for claim in all_claims(REFERENCES)}
SAME = settings(**THEIRS)
POCKET = settings()
READER = {**THEIRS, "dataset": THEIRS["dataset"] | {"thoughts": True}}


def judged(name, found, sections=SAME, **entry):
    claim = CLAIMS[name]
    own = replace(REFERENCES.entry(claim.entry), **entry)
    return verdict_of(claim, own, found, sections)


def level(low, high, value=0.4):
    return Finding("t", "c", value, low, high, 100, 90)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.35, 0.5, "reproduced"),
        (0.4, 0.5, "reproduced"),
        (0.41, 0.5, "not reproduced"),
        (0.1, 0.39, "not reproduced"),
    ],
)
def test_a_number_is_reproduced_if_the_interval_contains_it(low, high, verdict):
    assert judged("filter_share", level(low, high)) == (verdict, "")


def test_a_true_number_is_refused_at_the_level_of_the_intervals():
    """And a number that is off by far more than the interval is refused always."""
    rng = np.random.default_rng(0)
    refused = {"filter_share": 0, "exit_accuracy_later": 0}
    for _ in range(300):
        values = rng.random((120, 1)) < 0.4
        mean = cluster_means(
            values.astype(float), np.arange(120), IntervalSettings(), shares=True
        )[0]
        for name in refused:
            found = level(mean.low, mean.high, mean.value)
            refused[name] += judged(name, found)[0] == "not reproduced"
    assert refused["filter_share"] / 300 <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5
    assert refused["exit_accuracy_later"] == 300


def test_a_number_of_another_model_or_of_other_problems_is_not_comparable():
    verdict, why = judged("filter_share", level(0.35, 0.5), POCKET)
    assert verdict == "not comparable"
    assert "other model (resources/pocket)" in why
    assert "other problems (resources/pocket/problems.jsonl)" in why
    one = settings(**THEIRS | {"model": {"source": "resources/pocket"}})
    assert judged("filter_share", level(0.35, 0.5), one)[1] == (
        "other model (resources/pocket)"
    )


@pytest.mark.parametrize(
    ("holds", "verdict"), [(True, "reproduced"), (False, "not reproduced")]
)
def test_a_statement_is_judged_by_its_test_on_any_model(holds, verdict):
    for sections in (SAME, POCKET):
        found = level(0.1, 0.2).judged(holds)
        assert judged("exit_jump", found, sections) == (verdict, "")


@pytest.mark.parametrize("name", ["filter_share", "exit_jump"])
def test_a_model_that_reads_thoughts_is_not_compared(name):
    found = level(0.35, 0.5).judged(True)
    verdict, why = judged(name, found, settings(**READER))
    assert verdict == "not comparable"
    assert "come from a file" in why


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("filter_share", level(None, None)),
        ("exit_jump", level(None, None).judged(None)),
    ],
)
def test_too_few_problems_are_not_checked(name, found):
    verdict, why = judged(name, found)
    assert verdict == "not measured"
    assert why == "not checked: no interval, fewer than 10 problems"


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (6, "reproduced"),
        (30, "reproduced"),
        (5, "not reproduced"),
        (31, "not reproduced"),
    ],
)
def test_a_layer_is_reproduced_inside_the_published_range(value, verdict):
    assert judged("probe_best", level(None, None, value))[0] == verdict


@pytest.mark.parametrize(
    ("value", "verdict"), [(1, "reproduced"), (0, "not reproduced")]
)
def test_a_unit_is_reproduced_if_it_is_listed(value, verdict):
    assert judged("vector_listed", level(None, None, value))[0] == verdict


def test_a_number_whose_scale_is_not_stated_is_never_comparable():
    found = level(0.5, 0.7, 0.6)
    assert judged("context_part_0", found) == (
        "not comparable",
        "not stated: how the values are normalised",
    )
    assert judged("context_part_0", found, not_stated="")[0] == "reproduced"
    assert judged("context_part_5", found, not_stated="")[0] == "not reproduced"
