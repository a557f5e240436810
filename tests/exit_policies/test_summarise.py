"""The tables of exit policies, with numbers computed by hand."""

import numpy as np
import polars as pl
import pytest
from tiny_exits import history, random_thoughts, thought_of
from tiny_policies import SETTINGS, study_of

from doubletake.exit_rules.costs import matched_share
from doubletake.exit_rules.deer import Deer
from doubletake.exit_rules.published import POLICIES as ALL
from doubletake.exit_rules.replay import replay
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.paired_test import paired_p
from exit_policies.summarise import Settings
from exit_policies.tables import NOTHING, STOPS


def tables_of(thoughts, settings=SETTINGS):
    tables = study_of(thoughts, settings)
    return [tables[f"exit_policies/{name}"] for name in ("policies", "stops", "curves")]


def row_of(policies, name):
    return policies.row(by_predicate=pl.col("policy") == name, named=True)


def cued(answers, sure, end, name):
    """A thought of 100 tokens with cues at 20, 40, ..., and trials of two tokens."""
    points = history(
        "cue",
        *(
            {"answer": answer, "trial_logprobs": (0.0, np.log(p)), "cues": k}
            for k, (answer, p) in enumerate(zip(answers, sure, strict=True), 1)
        ),
        step=20,
    )
    return thought_of(points, end=end, trace=f"{name}/0", problem=name)


def test_a_study_by_hand():
    """`deer` stops where (1 + p) / 2 > 0.95, so at p = 0.96 and not at p = 0.8."""
    thoughts = [
        cued(["7", "8"], [0.8, 0.96], "8", "a"),  # at 40, right, 4 trial tokens
        cued(["7"], [0.96], "8", "b"),  # at 20, wrong, 2 trial tokens
        cued(["8"], [0.96], "7", "c"),  # at 20, right, 2 trial tokens
        cued([], [], "8", "d"),  # no cue: to the end, right
    ]
    policies, stops, _ = tables_of(thoughts)
    deer = row_of(policies, "deer")
    expected = {
        "thoughts": 4,
        "problems": 4,
        "stopped": 3,
        "able": 3,
        "helped": 1,
        "harmed": 1,
        "unchanged": 2,
        "trials": 4,
        "trial_tokens": 8,
        "fed_tokens": 40,
        "kept_rate": 180 / 400,
        "total_rate": 188 / 400,
        "accuracy": 0.75,
        "end_accuracy": 0.75,
        "change": 0.0,
        "asks_for": "trial",
        "change_p": None,  # four problems are too few
    }
    assert {name: deer[name] for name in expected} == pytest.approx(expected)
    first, second = row_of(policies, "cue_1"), row_of(policies, "cue_2")
    # the first cues: at 20, wrong in a and b, right in c
    assert (first["stopped"], first["able"], first["accuracy"]) == (3, 3, 0.5)
    assert (first["helped"], first["harmed"], first["asks_for"]) == (1, 2, NOTHING)
    # a alone has a second cue
    assert (second["stopped"], second["able"], second["harmed"]) == (1, 1, 0)
    oracle = row_of(policies, "oracle")
    # a at 40; b and d have no right point; c ends wrong
    assert oracle["total_rate"] == (40 + 300) / 400
    assert oracle["asks_for"] is None
    assert deer["tokens_over_oracle"] == pytest.approx((188 - 340) / 400)
    assert row_of(policies, "eat")["able"] == 0
    row = stops.row(
        by_predicate=(pl.col("policy") == "deer") & (pl.col("trace") == "b/0"),
        named=True,
    )
    assert (row["kept"], row["answer"], row["correct"], row["end_correct"]) == (
        20,
        "7",
        False,
        True,
    )


def test_rules_that_stop_are_tested_and_corrected_together():
    policies, stops, curves = tables_of(random_thoughts(60, 12, seed=0))
    STOPS.check(stops)
    tested = policies.drop_nulls("change_p")
    assert set(tested["policy"]) == set(
        policies.filter(pl.col("stopped") > 0, family="rule")["policy"]
    )
    smallest = tested.sort("over_share_p").row(0, named=True)
    corrected_p = min(1.0, smallest["over_share_p"] * tested.height)
    assert smallest["over_share_holm"] == pytest.approx(corrected_p)
    assert (tested["change_holm"] >= tested["change_p"]).all()
    assert curves.height


def test_a_rule_without_its_points_is_refused_with_the_reason():
    settings = Settings("", ["sentence"], 32, 0.1, 0, 0.02, IntervalSettings())
    policies, _, _ = tables_of(random_thoughts(3, 8, seed=0), settings)
    row = row_of(policies, "deer")
    assert "kind cue" in row["why_not"]
    assert row["thoughts"] is row["change_p"] is None


def test_without_thoughts_the_tables_are_empty():
    policies, stops, curves = tables_of([])
    assert policies.height == len(ALL)
    assert policies["thoughts"].null_count() == policies.height
    assert stops.is_empty()
    assert curves.is_empty()


def over_share_p(rng, *, knows):
    """P-value of a rule of which the confidence knows, or does not know, what is right.

    At each tenth of a thought the trial is right with the probability of the tenth.
    """
    thoughts = []
    for number in range(40):
        right = rng.random(9) < np.arange(1, 10) / 10
        sure = rng.random(9) < (np.where(right, 0.6, 0.02) if knows else 0.15)
        known = [
            {"answer": "8" if r else "7", "trial_logprobs": (-0.001 if s else -1,)}
            for r, s in zip(right, sure, strict=True)
        ]
        points = history("cue", *known, step=100)
        thoughts.append(thought_of(points, tokens=1000, problem=f"{number}"))
    stops = replay(Deer("deer"), thoughts)
    share = matched_share(stops)
    better = stops.right.mean() > share.right.mean()
    p = paired_p(stops.right, share.right, stops.problems, IntervalSettings())
    return p, better


def test_a_rule_that_knows_nothing_beats_the_fixed_share_at_the_nominal_rate():
    rng = np.random.default_rng(0)
    drawn = [over_share_p(rng, knows=False) for _ in range(150)]
    beats = np.mean([p <= 0.05 and better for p, better in drawn])
    assert beats <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 150)


def test_a_rule_that_knows_what_is_right_beats_the_fixed_share():
    rng = np.random.default_rng(1)
    drawn = [over_share_p(rng, knows=True) for _ in range(20)]
    assert np.mean([p <= 0.05 and better for p, better in drawn]) > 0.8
