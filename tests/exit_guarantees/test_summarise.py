"""The three tables of a study, edge cases included."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_exits import history, random_thoughts, thought_of
from tiny_guarantees import CONFIDENT, SETTINGS, UNSURE, cue_thought, study_of, turns_of

from doubletake.exit_rules.published import RULES
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.chosen import chosen_rows
from exit_guarantees.outcomes import Outcomes
from exit_guarantees.summarise import Study, summarise
from exit_guarantees.tables import CHOSEN_BY_ERROR, PUBLISHED


def clear(problems, samples=1):
    """Sure thoughts are right, unsure ones are wrong at their cue."""
    return [
        cue_thought(k, CONFIDENT if k % 2 else UNSURE, right=k % 2 == 1, sample=n)
        for k in range(problems)
        for n in range(samples)
    ]


@pytest.fixture(scope="module")
def tables():
    """300 problems, two thoughts of each."""
    return summarise(study_of(clear(300, 2)), SETTINGS)


def one(table, **known):
    (row,) = table.filter(**known).to_dicts()
    return row


def test_a_clear_score_is_chosen_and_certified_on_other_problems(tables):
    chosen, risks, _ = tables
    row = one(chosen, rule="deer", choice=CHOSEN_BY_ERROR)
    assert row["thresholds"] == [0.95] * 3  # the first of equals
    assert (row["thoughts"], row["problems"], row["stopped"]) == (600, 300, 300)
    assert (row["helped"], row["harmed"], row["change"]) == (0, 0, 0)
    assert row["total_rate"] == pytest.approx((31 + 101) / 200)
    assert row["saves"]
    assert row["loses"] is None  # equal on all problems
    published = one(chosen, rule="deer", choice=PUBLISHED)
    assert published["thresholds"] == [0.95] * 3
    for group in (0, 1, 2):
        row = one(risks, rule="deer", epsilon=0.05, group=group)
        assert (row["threshold"], row["problems"], row["losses"]) == (0.8, 100, 0)
        assert row["calibration_problems"] == 100
    rows = risks.filter(rule="deer", epsilon=0.05)
    whole = rows.filter(rows["group"].is_null()).to_dicts()[0]
    assert (whole["promised"], whole["certified"], whole["saves"]) == (300, 3, True)
    assert whole["p_above"] == 1


def test_too_few_problems_certify_nothing_and_think_to_the_end(tables):
    _, risks, _ = tables
    rows = risks.filter(rule="deer", epsilon=0.02)
    assert (rows["certified"] == 0).all()
    assert (rows["total_rate"] == 1).all()
    assert rows["p_above"].null_count() == rows.height
    assert rows["risk"].null_count() == rows.height
    reason = rows["why_not"].drop_nulls()[0]
    assert reason.endswith("and 114 are needed even if none loses its right answer.")


def test_a_rule_that_cannot_stop_is_certified_and_saves_nothing(tables):
    chosen, risks, _ = tables
    rows = risks.filter(rule="eat", epsilon=0.1)
    assert rows.filter(rows["group"].is_null())["certified"].to_list() == [3]
    assert (rows["stopped"] == 0).all()
    assert not rows["saves"].drop_nulls().any()
    assert (chosen.filter(rule="eat")["stopped"] == 0).all()


def test_without_scores_probe_rules_are_not_checked():
    thoughts = [
        thought_of(
            history("arrival", {"answer": "8", "probe_score": None}),
            trace=f"{k}",
            problem=f"{k}",
        )
        for k in range(30)
    ]
    turns = turns_of(thoughts)
    study = Study(turns, {"correctness_probe": turns, "lynx": turns})
    chosen, risks, conformal = summarise(study, SETTINGS)
    reason = "correctness_probe reads a probe, and its points have no score"
    row = one(chosen, rule="correctness_probe")
    assert (row["why_not"], row["thoughts"]) == (reason, None)
    rows = risks.filter(rule="correctness_probe")
    assert rows["why_not"].to_list() == [reason] * len(SETTINGS.epsilons)
    assert rows["certified"].null_count() == rows.height
    # No thought has a cue, so LYNX never looks: no case, nothing is certified.
    assert (conformal["certified"] == 0).all()


def test_kinds_that_are_left_out_are_named():
    few = replace(SETTINGS, kinds=["sentence"])
    chosen, _, _ = summarise(study_of(clear(6)), few)
    row = one(chosen, rule="deer")
    assert "points of the kind cue, which are left out" in row["why_not"]


@pytest.mark.parametrize("problems", [1, 2, 3, 7, 40])
def test_small_studies_give_tables(problems):
    thoughts = random_thoughts(problems * 2, 8, seed=problems, per_problem=2)
    chosen, risks, _ = summarise(study_of(thoughts), SETTINGS)
    rows = chosen.filter(choice=CHOSEN_BY_ERROR)
    assert (rows["problems"] == problems).all()
    assert (rows["thoughts"] == 2 * problems).all()
    # 10% needs 22 calibration problems, and a group has 14 at most
    assert (risks["certified"].drop_nulls() == 0).all()
    assert (risks["total_rate"].drop_nulls() == 1).all()


def test_no_thought_gives_empty_tables():
    assert [table.height for table in summarise(study_of([]), SETTINGS)] == [0, 0, 0]


def test_published_thresholds_stand_beside_the_chosen_ones():
    thoughts = clear(60)
    rules = {"cue": [RULES["cue_1"], RULES["cue_2"]]}
    pairs = {
        "cue": [
            (
                Outcomes.of(RULES["cue_1"], turn.calibration),
                Outcomes.of(RULES["cue_1"], turn.reported, [1, 2]),
            )
            for turn in turns_of(thoughts)
        ]
    }
    rows = chosen_rows(rules, pairs, IntervalSettings())
    assert [row["policy"] for row in rows] == [None, "cue_1", "cue_2"]
    assert rows[0]["thresholds"] != [1.0] * 3  # half lose at the first cue
    assert (rows[1]["harmed"], rows[1]["loses"]) == (30, True)
    assert rows[1]["saves"] is None  # all spend the same, so there is no interval
    assert np.isclose(rows[1]["change"], -0.5)
