"""Thresholds of one study in another: who chooses, what is compared and claimed."""

import math

import numpy as np
import pytest
from tiny_exits import history, random_thoughts, thought_of

from doubletake.exit_rules.deer import Deer
from doubletake.exit_rules.families import families
from doubletake.exit_rules.published import RULES, policies_for
from doubletake.exit_rules.replay import replay
from doubletake.exit_rules.splits import calibration_group
from doubletake.exit_rules.thresholds import chosen_threshold
from doubletake.stats.intervals import IntervalSettings
from exit_transfer.sign_test import sign_test_p
from exit_transfer.summarise import Settings, replayable
from exit_transfer.tables import TRANSFER
from exit_transfer.transfer_rows import Replayable, corrected, rows_of
from exit_transfer.transferred import Study

LEVEL = 0.05
INTERVALS = IntervalSettings()
RULE = Deer("deer")


def study(name, thoughts, prefix=""):
    """A study whose problems ask for their own number."""
    questions = {one.problem: f"{prefix}{one.problem}?" for one in thoughts}
    return Study.of(name, thoughts, questions.items(), seed=0)


def rows(*studies, why_not=None):
    places = [Replayable(RULE, one, why_not) for one in studies]
    found = corrected(rows_of("deer", places, INTERVALS))
    TRANSFER.frame(found)
    return {(row["chosen_on"], row["used_on"]): row for row in found}


def cue_thoughts(rng, problems, wrong_below):
    """One cue at 30 of 100 tokens; the exit is wrong up to a confidence."""
    thoughts = []
    for number in range(problems):
        c = rng.uniform(0.5, 0.99999)
        answer = "7" if c < wrong_below else "8"
        known = {"trial_logprobs": (math.log(c),), "answer": answer}
        points = history("cue", known, step=30)
        thoughts.append(thought_of(points, trace=f"{number}", problem=f"{number}"))
    return thoughts


def test_a_study_with_itself_is_the_cross_fitted_choice():
    thoughts = random_thoughts(90, 20, seed=0, per_problem=2)
    own = study("m/a", thoughts)
    row = rows(own)["m/a", "m/a"]
    right = spent = 0
    for group in range(3):
        calibration = [
            t for t in thoughts if own.groups[t.problem] == calibration_group(group)
        ]
        threshold = chosen_threshold(RULE, calibration).threshold
        assert row["thresholds"][group] == threshold
        reported = [t for t in thoughts if own.groups[t.problem] == group]
        if threshold is None:
            right += sum(t.right[0] for t in reported)
            spent += sum(t.tokens for t in reported)
            continue
        stops = replay(RULE.with_threshold(threshold), reported)
        right += stops.right.sum()
        spent += (stops.kept + stops.trial_tokens).sum()
    assert row["accuracy"] == pytest.approx(right / 90)
    assert row["total_rate"] == pytest.approx(spent / sum(t.tokens for t in thoughts))
    assert (row["over_own"], row["tokens_over_own"], row["p"]) == (0, 0, None)
    assert row["calibration_problems"] == 15


def test_two_models_on_one_dataset_use_the_same_groups():
    a, b = (study(f"{m}/d", random_thoughts(60, 10, seed=m)) for m in (0, 1))
    assert a.groups == b.groups
    for group in range(3):
        chosen = a.choice(RULE, group, b)
        assert chosen == a.choice(RULE, group, a)
        assert chosen.problems == 20


def test_a_shared_question_never_chooses_for_its_own_group():
    """The second dataset holds the questions of the first in another order."""
    thoughts = random_thoughts(60, 10, seed=0)
    first = study("m/first", thoughts)
    names = {one.problem: str((7 * int(one.problem) + 3) % 60) for one in thoughts}
    questions = [(problem, f"  {names[problem]}?\n") for problem in names]
    second = Study.of("m/second", thoughts, questions, seed=0)
    for group in range(3):
        second.choice(RULE, group, first)
    asked = {problem: question.strip() for problem, question in questions}
    group_of = {first.questions[name]: number for name, number in first.groups.items()}
    assert len(second.choices) == 3
    for group, (_, problems) in enumerate(second.choices):
        assert problems
        assert all(group_of[asked[problem]] != group for problem in problems)
        assert len(problems) < 20  # some were taken away


def test_a_bold_threshold_loses_where_the_score_means_less():
    """In one study confidence above 0.6 is right, in the other only above 0.95."""
    rng = np.random.default_rng(0)
    easy = study("m/easy", cue_thoughts(rng, 150, 0.6), "e")
    hard = study("m/hard", cue_thoughts(rng, 150, 0.95), "h")
    found = rows(easy, hard)
    bold, careful = found["m/easy", "m/hard"], found["m/hard", "m/easy"]
    assert bold["over_own"] < -0.3
    assert bold["p_holm"] < 0.001
    assert careful["over_own"] == pytest.approx(0, abs=0.05)
    assert careful["tokens_over_own"] > 0.2


def test_what_cannot_be_transferred_has_a_reason():
    thoughts = random_thoughts(30, 10, seed=0)
    one, other = study("m/a", thoughts), study("m/b", random_thoughts(2, 10, seed=1))
    found = rows(one, other)
    assert "no problem that chooses" in found["m/b", "m/a"]["why_not"]
    assert found["m/a", "m/b"]["thoughts"] == 2
    assert found["m/a", "m/b"]["over_own"] is None  # it has no choice of its own
    refused = rows(one, one, why_not="m/a: too sparse")["m/a", "m/a"]
    assert (refused["why_not"], refused["accuracy"]) == ("m/a: too sparse", None)


def test_a_rule_that_cannot_be_replayed_says_why():
    settings = Settings(["m/a"], ["\\boxed{"], ["cue"], 32, 0, INTERVALS)
    one = study("m/a", random_thoughts(30, 10, seed=0))
    probed = replayable(RULES["correctness_probe"], one, settings)
    assert probed.why_not == "m/a: it reads a probe, and probes are not transferred"
    kind = replayable(RULES["convergence_3"], one, settings).why_not
    assert kind.startswith("m/a: convergence_3 looks at points of the kind sentence")
    assert replayable(RULE, one, settings).why_not is None
    assert "no thought" in replayable(RULE, study("m/b", []), settings).why_not


def test_rules_that_differ_in_the_threshold_are_one():
    found = families(policies_for("{closing}\\boxed{"))
    names = list(found)
    assert names[:4] == ["cue", "first_arrival", "budget", "deer"]
    assert {"dynasor", "dynasor_crazy", "convergence"} <= set(names)
    assert {name for name in names if name not in RULES} <= {
        *("cue", "budget", "dynasor", "convergence")
    }
    assert {"budget_64", "budget_256"} <= {rule.name for rule in found["budget"]}


def test_the_sign_test_by_hand():
    # 5 problems lose, none gains: 2 / 2^5
    gains = np.array([-1.0] * 5 + [0.0] * 20)
    assert sign_test_p(gains, np.arange(25)) == pytest.approx(0.0625)
    assert sign_test_p(np.append(gains, -1), np.arange(26)) == pytest.approx(0.03125)
    # 3 against 1: 2 (1 + 4) / 16
    assert sign_test_p(np.array([1, 1, 1, -1.0]), np.arange(4)) == pytest.approx(0.625)
    assert sign_test_p(np.zeros(4), np.arange(4)) is None
    assert sign_test_p(np.array([1.0, -1.0]), np.array(["a", "a"])) is None
    six = np.array([-1.0] * 6)
    assert sign_test_p(six, np.repeat(["a", "b"], 3)) == 0.5  # two problems only


@pytest.mark.parametrize(("lose", "claimed"), [(0.5, False), (0.85, True)])
def test_false_claims_come_at_the_nominal_rate_and_a_loss_is_found(lose, claimed):
    """12 uses of 150 problems with 2 thoughts; a fifth of the problems change."""
    rng = np.random.default_rng(0)
    problems = np.repeat(np.arange(150), 2)
    claims = []
    for _ in range(250):
        change = rng.random((12, 150)) < 0.2
        sign = np.where(rng.random((12, 150)) < lose, -1.0, 1.0) * change
        gains = np.repeat(sign, 2, axis=1) * (rng.random((12, 300)) < 0.8)
        p = [{"p": sign_test_p(one, problems)} for one in gains]
        claims.append([row["p_holm"] <= LEVEL for row in corrected(p)])
    if claimed:
        assert np.mean(claims) > 0.9
        return
    false = np.mean(np.any(claims, axis=1))
    assert 0 < false < LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / 250)
