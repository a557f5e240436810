"""The sentences on twins follow from the intervals; empty tables are said to be so."""

import pytest
from matplotlib.figure import Figure
from tiny_report import SETTINGS

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from doubletake.tables.verification import (
    VERIFICATION,
    VerificationRow,
    verification_of,
)
from truth.tables import TRUTH
from twins.page import SECTION
from twins.plot import draw_effects, draw_rates
from twins.summarise import summarise, turn_rates
from twins.tables import TWINS, TWINS_RATES, TWINS_SUMMARY

READ = VerificationRow(
    check="c", statistic="s", value=0.0, unit="share", n=9, bound=0.02, merge="mean"
)
INTERVALS = IntervalSettings(**SETTINGS["intervals"])
CAUSES = ("slip", "distractor", "open_word")


def study(effects, *, named=True):
    """A study in which each cause has pairs with these effects."""
    twins = [
        dict.fromkeys(TWINS.schema)
        | {"trace": f"{k}/0", "problem": f"{k}", "boundary": 1, "cause": cause}
        | {"aligned": True, "changed": 1, "planted_with": 0.6, "planted_without": 0.5}
        | {"turn_with": 0.5 + effect, "turn_without": 0.5}
        | {"raw_with": 0.5 + effect, "raw_without": 0.5}
        for cause, values in effects.items()
        for k, effect in enumerate(values)
    ]
    truth = [
        dict.fromkeys(TRUTH.schema)
        | {"trace": row["trace"], "problem": row["problem"], "boundary": 1}
        | {"start": 0, "end": 1, "choice": "turn", "word": "Wait", "causes": 1}
        | {"cause": row["cause"], "turns": 0, "probability": 0.6}
        for row in twins
    ]
    checks = verification_of("truth", [READ]) if named else VERIFICATION.frame([])
    tables = {
        "truth": TRUTH.frame(truth),
        "truth/verification": checks,
        "twins": TWINS.frame(twins),
    }
    tables["twins/summary"] = summarise(tables["twins"], INTERVALS)
    tables["twins/rates"] = turn_rates(tables["truth"], INTERVALS)
    return StudyData("tiny", "data", tables, SETTINGS)


def test_positive_for_all_only_if_every_interval_excludes_zero():
    clear = {cause: [0.2, 0.3, 0.25] for cause in CAUSES}
    text = SECTION.headline(study(clear))
    assert "positive for all three causes (9 pairs)" in text
    assert "same contexts without the cause" in text
    mixed = clear | {"distractor": [0.3, -0.3, 0.1], "open_word": [-0.2, -0.3, -0.25]}
    text = SECTION.headline(study(mixed))
    assert "positive for a slip; not told from 0 for a distractor; negative for" in text
    partial = SECTION.headline(study({"slip": [0.2, 0.3, 0.25]}))
    assert "positive for a slip (3 pairs)" in partial
    few = study(clear | {"open_word": [0.2, 0.3]})
    assert "not checked for an open word" in SECTION.headline(few)
    none = SECTION.headline(study({"slip": [0.2, 0.3]}))
    assert none == "Not checked: 2 pairs lie on too few problems for an interval."


def test_findings_give_effects_with_interval_and_cases():
    text = " ".join(SECTION.findings(study({"slip": [0.2, 0.21, 0.19]})))
    assert "+20.0 points (95% interval +17.5 to +22.5; planted +10.0; 3 pairs" in text
    few = " ".join(SECTION.findings(study({"slip": [0.2, 0.3]})))
    assert "The rates of turning are not checked: too few problems." in few
    assert "(95% interval not checked: 2 problems; planted" in few
    equal = " ".join(SECTION.findings(study({"slip": [0.2] * 3})))
    assert "(95% interval none: equal on all 3 problems; planted" in equal
    assert "40.0 points from the planted one (with a slip: 100.0%" in text


@pytest.mark.parametrize(
    ("named", "reason"),
    [(False, "card names no planted language"), (True, "no boundary")],
)
def test_nothing_measured_is_said_to_be_not_checked(named, reason):
    empty = study({}, named=named)
    assert SECTION.headline(empty).startswith("Not checked: ")
    assert reason in SECTION.headline(empty)
    assert SECTION.findings(empty) == SECTION.sheets(empty) == []
    for cases in SECTION.cases.values():
        assert cases(empty)


def test_sheets_have_a_row_per_cause_and_per_number_of_turns():
    effects, rates = SECTION.sheets(study({"slip": [0.2], "open_word": [0.1, 0.2]}))
    assert [row[0] for row in effects.rows] == ["slip", "open word"]
    assert {len(row) for row in effects.rows} == {len(effects.columns)}
    assert [row[:3] for row in rates.rows] == [
        ("slip", "all", "1"),
        ("open word", "all", "2"),
    ]
    assert {len(row) for row in rates.rows} == {len(rates.columns)}


def test_figures_are_drawn_with_and_without_data():
    data, few = (
        study({cause: effects for cause in CAUSES}).tables
        for effects in ([0.2, 0.1, 0.3], [0.2, 0.1])
    )
    for summary, rates in (
        (data["twins/summary"], data["twins/rates"]),
        (few["twins/summary"], few["twins/rates"]),
        (TWINS_SUMMARY.frame([]), TWINS_RATES.frame([])),
    ):
        assert isinstance(draw_effects(summary, 0.95), Figure)
        assert isinstance(draw_rates(rates, 0.95), Figure)
