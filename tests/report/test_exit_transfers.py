"""What the page says of thresholds that one study has chosen and another one uses."""

import pytest

from exit_transfer.tables import TRANSFER
from report.exit_transfers import exit_transfers

A, B = "m/a", "n/b"
NUMBERS = {"thoughts": 60, "problems": 60, "stopped": 30, "changed": 9}
NUMBERS |= {"thresholds": [0.9, None, 0.8], "calibration_problems": 20}
NUMBERS |= {"total_rate": 0.5, "accuracy": 0.8, "change": -0.02, "over_own": -0.1}
NUMBERS |= {"tokens_over_own": 0.25, "over_own_low": -0.2, "over_own_high": -0.01}


SAME = {"changed": 0, "over_own": 0.0, "over_own_low": None, "over_own_high": None}


def table(change, other=SAME, rule="deer", **own):
    """Both studies with their own choice, the use of `a` in `b`, and that of `b`."""
    nothing = SAME | {"tokens_over_own": 0.0}
    rows = [
        {"rule": rule, "chosen_on": name, "used_on": name} | NUMBERS | nothing | own
        for name in (A, B)
    ]
    uses = [
        {"rule": rule, "chosen_on": one, "used_on": other} | NUMBERS | change
        for (one, other), change in zip(((A, B), (B, A)), (change, other), strict=True)
    ]
    schema = dict.fromkeys(TRANSFER.schema)
    return TRANSFER.frame([schema | row for row in (*rows, *uses)])


def said(transfer):
    return " ".join(exit_transfers(transfer, 0.95).sentences)


def test_one_study_or_none_is_not_checked():
    assert said(TRANSFER.frame([])) == "Not checked: the config has one study."
    one = table({}).filter(used_on=A)
    assert said(one) == "Not checked: the config has one study."
    assert exit_transfers(one, 0.95).sheets == []


def test_a_loss_is_claimed_by_its_corrected_test_alone():
    lost = table({"p": 0.01, "p_holm": 0.02}, {"p": 0.04, "p_holm": 0.2})
    text = said(lost)
    assert "Of 2 uses of thresholds" in text
    assert "1 has lower and 0 have higher accuracy" in text
    assert "corrected for the 2 uses that change an answer" in text
    assert "does not show" not in text


def test_no_claim_is_no_proof():
    text = said(table({"p": 0.04, "p_holm": 0.2}, {"p": 0.04, "p_holm": 0.2}))
    assert "0 have lower and 0 have higher" in text
    assert "allows a loss of 20.0 points" in text
    assert "deer from m on a in n on b" in text


def test_a_gain_is_a_gain():
    gain = {"over_own": 0.1, "over_own_low": 0.01, "over_own_high": 0.2}
    text = said(table(gain | {"p": 0.001, "p_holm": 0.002}))
    assert "0 have lower and 1 has higher" in text
    assert "does not show" not in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"changed": 0, "over_own": 0.0}, "no answer is right with one choice only"),
        ({"p": None}, "Not checked: in 1 of 2 uses"),
        ({"over_own": None, "why_not": "a: no"}, "Not checked: deer, 1 use (a: no)."),
        ({"over_own": None}, "Not checked: deer, 1 use (no own choice)."),
    ],
)
def test_what_was_not_tested_is_said(change, words):
    text = said(table(change))
    assert words in text
    assert "lower" not in text


def test_the_matrix_has_a_row_per_choice_and_a_column_per_study():
    changes = [{"p": 0.01, "p_holm": 0.02}, {"over_own": None, "change": None}]
    matrix, against = exit_transfers(table(*changes), 0.9).sheets
    assert matrix.columns == ("rule", "chosen in", "used in m on a", "used in n on b")
    assert [row[:2] for row in matrix.rows] == [("deer", "m on a"), ("", "n on b")]
    assert matrix.rows[0][2] == "\u22122.0; 50%"
    assert matrix.rows[1][2] == "\u2013"
    assert against.rows == (
        (
            *("deer", "m on a", "n on b", "0.9, end, 0.8", "9"),
            *("\u221210.0 (\u221220.0 to \u22121.0)", "+25.0", "0.020"),
        ),
    )
    assert "90%" in matrix.note
    assert exit_transfers(table({}, {}, stopped=0), 0.9).sheets[0].rows
