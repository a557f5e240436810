"""Published claims on steering and ablation: each can hold, fail, and be untested."""

import polars as pl
import pytest
from tiny_reproduction import settings

from doubletake.study.registry import tables
from reproduction import interventions
from reproduction.run import NotMeasured, Run

READ = {
    "injection/tests": (
        *("place", "n", "problems", "verdict", "share", "share_low", "share_high"),
        *("difference", "difference_low", "difference_high"),
    ),
    "steering/summary": (
        *("direction", "positions", "strength", "intact", "thoughts", "problems"),
        *("backtracks_change", "backtracks_change_low", "backtracks_change_high"),
    ),
    "wrong_samples/summary": (
        *("start", "place", "action", "draws", "problems"),
        *("over_resample", "over_resample_low", "over_resample_high"),
    ),
    "ablation/effects": (
        *("ablation", "target", "mode", "p_holm", "boundaries", "problems"),
        *("over_random", "over_random_low", "over_random_high"),
    ),
}
"""Columns that the claims read, by table."""


def run(name, rows, *, published=False):
    return Run({name: pl.DataFrame(rows)}, settings(), published)


@pytest.mark.parametrize("name", READ)
def test_the_columns_are_those_of_the_stage(name):
    """A stage that is not there yet has no contract to compare with."""
    contract = tables().get(name)
    assert contract is None or set(READ[name]) <= set(contract.schema)


@pytest.mark.parametrize("find", [interventions.injected_once, interventions.targeted])
def test_a_stage_that_is_not_there_is_named(find):
    with pytest.raises(NotMeasured, match="no stage of the workflow writes the table"):
        find(Run({}, settings(), published=False))


def injection(*shares, place="prompt_end", verdict="supported"):
    return [
        {
            **{"place": place, "n": 30, "problems": 30, "verdict": verdict},
            **{"share": share, "share_low": low, "share_high": 1.0},
            **{"difference": share, "difference_low": low, "difference_high": 1.0},
        }
        for share, low in shares
    ]


@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        ([(0.9, 0.8), (0.7, 0.6)], True),
        ([(0.9, 0.8), (0.6, 0.4)], False),
        ([(0.9, 0.8), (0.7, None)], None),
    ],
)
def test_one_injection_acts_once_if_every_direction_shows_it(rows, holds):
    other = injection((0.1, 0.05), place="arrival")
    found = interventions.injected_once(
        run("injection/tests", injection(*rows) + other)
    )
    assert found.value == min(share for share, _ in rows)
    assert (found.holds, found.cases) == (holds, 30)


@pytest.mark.parametrize(
    ("verdicts", "holds"),
    [
        (["supported", "supported"], True),
        (["supported", "not checked"], True),
        (["supported", "refuted"], False),
        (["no premise"], False),
        (["not told"], False),
        (["not checked"], None),
    ],
)
def test_attention_is_the_reason_if_the_experiment_supports_it(verdicts, holds):
    rows = [
        one
        for k, verdict in enumerate(verdicts)
        for one in injection((0.1 * k, None), verdict=verdict)
    ]
    found = interventions.injected_attention(run("injection/tests", rows))
    assert found.holds is holds
    assert found.value == pytest.approx(0.1 * (len(verdicts) - 1))
    assert verdicts[0] in found.note


def steering(changes, direction="ward", positions="every"):
    """Rows by strength: (change, low, intact)."""
    none = {"strength": 0.0, "intact": True, "backtracks_change": None}
    ends = {"backtracks_change_low": None, "backtracks_change_high": None}
    rows = [none | ends] + [
        {
            **{"strength": strength, "intact": intact, "backtracks_change": change},
            "backtracks_change_low": low,
            "backtracks_change_high": None if low is None else 2 * change - low,
        }
        for strength, (change, low, intact) in changes.items()
    ]
    common = {"direction": direction, "positions": positions}
    return [row | common | {"thoughts": 40, "problems": 38} for row in rows]


@pytest.mark.parametrize(
    ("changes", "value", "holds"),
    [
        ({1.0: (0.5, 0.2, True), 2.0: (0.9, 0.5, False)}, 0.5, False),
        ({1.0: (0.1, -0.1, True), 2.0: (0.9, 0.5, False)}, 0.1, True),
        ({1.0: (0.1, -0.1, True), 2.0: (0.1, -0.1, True)}, 0.1, False),
        ({1.0: (0.9, 0.5, False), 2.0: (0.9, 0.5, False)}, 0.9, True),
        ({1.0: (0.5, None, True), 2.0: (0.9, None, False)}, 0.5, None),
        # A wide interval shows nothing.
        ({1.0: (0.3, -0.5, True), 2.0: (0.9, 0.5, False)}, 0.3, None),
    ],
)
def test_steering_is_hard_to_control_if_only_broken_text_turns_more(
    changes, value, holds
):
    rows = steering(changes | {-1.0: (9.0, 8.0, True)})
    found = interventions.continuous(run("steering/summary", rows))
    assert (found.value, found.holds, found.cases) == (value, holds, 40)
    mirrored = steering({-k: one for k, one in changes.items()}, "wrap_up")
    found = interventions.continuous(run("steering/summary", mirrored))
    assert (found.value, found.holds) == (value, holds)


@pytest.mark.parametrize(
    ("fall", "holds"),
    [((-0.9, -1.0), True), ((-0.3, -0.4), False), ((-0.9, None), None)],
)
def test_wrapping_up_is_easier_if_turning_falls_by_more_than_it_rises(fall, holds):
    """The rise is 0.5, from 0.4 to 0.6."""
    rows = steering({1.0: (0.5, 0.4, True), -1.0: (*fall, True), -2.0: (-9, -9, False)})
    found = interventions.wrap_up(run("steering/summary", rows))
    assert (found.value, found.holds) == (-fall[0], holds)
    assert found.note == "ward at every token, strength -1"


def test_steering_at_some_tokens_is_not_the_published_steering():
    rows = steering({1.0: (0.5, 0.2, True)}, positions="sentence_ends")
    ours = interventions.continuous(run("steering/summary", rows))
    assert ours.note == "ward at ends of sentences, strength 1"
    with pytest.raises(NotMeasured, match="positions = every"):
        interventions.continuous(run("steering/summary", rows, published=True))
    rows = steering({1.0: (0.5, 0.2, True)})
    theirs = interventions.continuous(run("steering/summary", rows, published=True))
    assert theirs.value == ours.value == 0.5
    with pytest.raises(NotMeasured, match="no strength on this side"):
        interventions.wrap_up(run("steering/summary", rows))


@pytest.mark.parametrize(("high", "holds"), [(0.05, True), (0.3, False), (None, None)])
def test_wrong_samples_are_hard_to_mend_if_the_gain_is_shown_to_be_small(high, holds):
    given = {"start": "wrong", "place": "last", "draws": 60, "problems": 20}
    ends = {"over_resample_low": -0.1, "over_resample_high": high}
    rows = [
        given | ends | {"action": action, "over_resample": value}
        for action, value in (("wait", 0.9), ("steer", 0.01))
    ]
    found = interventions.wrong_samples(run("wrong_samples/summary", rows))
    assert (found.value, found.holds, found.cases) == (0.01, holds, 60)


@pytest.mark.parametrize(
    ("change", "p", "holds"),
    [(-0.1, 0.02, True), (-0.1, 0.2, False), (0.1, 0.02, False)],
)
def test_targeted_ablation_lowers_turning_by_its_rank_among_random_ones(
    change, p, holds
):
    given = {"mode": "zero", "boundaries": 50, "problems": 40}
    ends = {"over_random_low": change - 0.1, "over_random_high": change + 0.1}
    rows = [
        {"ablation": f"{target}/8/zero", "target": target, "p_holm": value}
        | given
        | ends
        | {"over_random": change}
        for target, value in (
            *(("writing_heads", 0.001), ("leading_units", p)),
            ("leading_units", 0.9),
        )
    ]
    found = interventions.targeted(run("ablation/effects", rows))
    assert (found.value, found.holds) == (change, holds)
    assert found.note.startswith("leading_units/8/zero, p 0.")
    for row in rows:
        row["p_holm"] = None
    frame = run("ablation/effects", rows)
    with pytest.raises(NotMeasured, match="compares units with random ones"):
        interventions.targeted(frame)
