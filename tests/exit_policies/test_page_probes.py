"""The sentence on the probes behind two rules."""

import pytest
from tiny_policies import page_of

from exit_policies.page_probes import probes
from exit_probes.tables import EXIT_PROBE_QUALITY


def sentence(**known):
    row = dict.fromkeys(EXIT_PROBE_QUALITY.schema) | {"rule": "lynx", "auroc": 0.75}
    for column in EXIT_PROBE_QUALITY.columns:
        if row[column.name] is None and not column.nullable:
            row[column.name] = 40
    table = EXIT_PROBE_QUALITY.frame([row | known])
    return probes(page_of({"exit_probes/quality": table}))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.6, 0.9, "at cues tells right from wrong answers: AUROC 0.75 (0.60 to 0.90;"),
        (0.5, 0.9, "is not shown to tell right from wrong answers"),
        (None, None, "is not checked for telling right from wrong answers"),
    ],
)
def test_a_probe_tells_right_from_wrong_only_above_one_half(low, high, expected):
    known = {"auroc_low": low, "auroc_high": high, "shuffled_auroc": 0.5}
    text = sentence(tested_problems=40 if low else 5, **known)
    assert expected in text
    assert "with shuffled labels 0.50" in text


def test_without_a_probe_nothing_is_said():
    assert sentence(auroc=None) == ""
    assert sentence(trained_on=1, auroc_low=0.6, auroc_high=0.9) == ""
