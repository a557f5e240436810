"""Sentences of the page on exit policies: each follows from a test that can fail."""

import polars as pl
import pytest
from tiny_exits import exits, random_thoughts
from tiny_policies import page_of, study_of

from exit_policies.claims import direction, is_tested, rules_of, verdict
from exit_policies.page import SECTION, headline, tiles
from exit_policies.page_findings import (
    READER,
    costs,
    cues,
    findings,
    never,
    over_share,
    unable,
)
from exit_policies.page_sheets import sheets

POLICIES = "exit_policies/policies"


def with_rows(study, changes):
    """The study, with columns of some policies replaced."""
    table = study[POLICIES]
    for name, columns in changes.items():
        for column, value in columns.items():
            kept = pl.when(pl.col("policy") == name).then(
                pl.lit(value, dtype=table.schema[column])
            )
            table = table.with_columns(kept.otherwise(pl.col(column)).alias(column))
    return page_of(study | {POLICIES: table})


def open_to(study, changes):
    """The study without any claim, but for those of these policies."""
    table = study[POLICIES]
    holms = [name for name in table.columns if name.endswith(("_holm", "_p"))]
    given = [
        pl.when(pl.col(name).is_not_null()).then(1.0).alias(name) for name in holms
    ]
    return with_rows(study | {POLICIES: table.with_columns(given)}, changes)


GOOD = {
    "harmless_holm": 0.001,
    "harmless_p": 0.0001,
    "change": 0.01,
    "total_rate": 0.25,
    "total_rate_low": 0.2,
    "total_rate_high": 0.3,
}


def test_the_headline_says_yes_only_of_a_harmless_rule_that_saves(study):
    assert "Not shown: none of" in headline(open_to(study, {}))
    data = open_to(study, {"cue_2": GOOD})
    assert "Yes: cue_2 stops" in headline(data)
    assert "25.0% (20.0% to 30.0%)" in headline(data)
    assert "1 is shown to lose at most 2 points" in headline(data)
    assert tiles(data)[0].value == "75.0%"
    for column, value in (
        ("total_rate_high", 1.0),
        ("total_rate_high", None),
        ("change", -0.02),
        ("harmless_holm", 0.06),
    ):
        worse = open_to(study, {"cue_2": GOOD | {column: value}})
        assert "Not shown: none of" in headline(worse)


def test_of_harmless_rules_the_headline_names_the_cheapest(study):
    cheaper = GOOD | {"total_rate": 0.2}
    data = open_to(study, {"deer": GOOD, "cue_2": cheaper})
    assert "Yes: cue_2" in headline(data)
    assert "2 are shown to lose" in headline(data)


@pytest.mark.parametrize(
    ("p", "low", "high", "words"),
    [
        (0.01, 0.1, 0.3, "1 is right more often (cue_2 "),
        (0.01, -0.3, -0.1, "1 is right less often (cue_2 "),
        (0.06, 0.1, 0.3, "no difference is shown"),
        (0.01, -0.1, 0.3, "no difference is shown"),
        (0.01, None, None, "no difference is shown"),
    ],
)
def test_a_rule_beats_the_share_by_test_and_interval(study, p, low, high, words):
    ends = {"over_share_holm": p, "over_share_low": low, "over_share_high": high}
    sentence = over_share(open_to(study, {"cue_2": ends}))
    assert words in sentence
    claimed = "1 is right" in sentence
    assert claimed == ("1 is right" in words)
    assert ("cue_2" in sentence.partition("no difference is shown")[2]) != claimed


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"change_holm": 0.001, "change_low": -0.3, "change_high": -0.1}, ": a loss"),
        ({"change_holm": 0.001, "change_low": 0.1, "change_high": 0.3}, ": a gain"),
        ({"harmless_holm": 0.001, "change": 0.0}, ": shown to lose at most 2 points"),
        ({"harmless_holm": 0.001, "change": -0.1}, "not shown to be at most 2 points"),
        (
            {"change_holm": 0.06, "change_low": -0.3, "change_high": -0.1},
            "not shown to be",
        ),
    ],
)
def test_the_cue_sentence_is_that_of_the_table(study, columns, words):
    sentence = cues(open_to(study, {"cue_2": columns}))
    assert words in sentence.partition("at the second cue")[2].partition("third")[0]
    count = study[POLICIES].filter(policy="cue_2")["stopped"][0]
    assert f"which {count} of 60 thoughts have" in sentence


def test_rules_that_cannot_stop_and_rules_that_never_do(study):
    data = with_rows(
        study,
        {
            "eat": {"stopped": 0, "able": 0},
            "dynasor_mild": {"stopped": 0, "able": 0},
            "cue_3": {"stopped": 0, "able": 0},
            "puma": {"stopped": 0, "able": 5},
        },
    )
    assert "eat needs 20 paragraph points" in unable(data)
    assert "dynasor_mild needs 8 points every 64 tokens" in unable(data)
    assert "cue_3 needs 3 backtrack cues" in unable(data)
    assert "puma" not in unable(data)
    assert "puma (5 of 60 thoughts" in never(data)
    assert "to_the_end" not in unable(data) + never(data)


def test_what_lies_beside_the_rates_is_said(study):
    sentence = costs(page_of(study))
    assert "tokens of the answer prompt" in sentence
    assert "looks at an entropy" in sentence
    assert "scores of a probe" in sentence  # random thoughts have scores


def test_of_a_reader_nothing_is_claimed(study):
    data = page_of(study, reader=True)
    assert "as a reader" in headline(data)
    sentences = findings(data)
    assert sentences[0] == READER
    assert not tiles(data)
    for words in ("beats", "Is there a backtracking", "harms", "Regret"):
        assert not any(words in sentence for sentence in sentences[1:])
    assert "reader\u2019s" in SECTION.cases["frontier"](data)


def test_few_problems_are_not_checked():
    data = page_of(study_of(random_thoughts(6, 12, seed=0)))
    assert not is_tested(data)
    assert "Not checked: 6 thoughts of tiny on 6 problems" in headline(data)
    assert "not checked: 6 problems" in over_share(data)
    assert "Not checked: 6 problems" in cues(data)
    assert all(direction(data, row, "change") == 0 for row in rules_of(data))
    assert "not shown" in verdict(data, rules_of(data)[0])


def test_pages_without_thoughts_cues_or_stops():
    empty = page_of(study_of([]))
    assert headline(empty) == "Not checked: no thought has trial points."
    assert findings(empty) == []
    assert sheets(empty) == []
    assert tiles(empty) == []
    assert {case(empty) for case in SECTION.cases.values()} == {
        "No thought has trial points."
    }
    without = page_of(study_of([exits(["7", "8"]), exits(["8"], trace="b/0")]))
    assert cues(without) == ""
    assert "cue_1 needs 1 backtrack cue" in unable(without)
    assert len(sheets(without)) == 3
    bare = page_of(study_of([exits([])]))
    assert headline(bare).startswith("None of ")
    assert "Yes" not in headline(bare)
    assert findings(bare)


def test_the_sheets_hold_every_policy_and_each_example(study):
    policies, spent, examples = sheets(page_of(study))
    replayed = study[POLICIES].drop_nulls("thoughts").height
    assert len(policies.rows) == len(spent.rows) == replayed
    assert all(len(row) == len(policies.columns) for row in policies.rows)
    assert all(len(row) == len(spent.columns) for row in spent.rows)
    assert {row[4] for row in examples.rows} <= {"right", "wrong", "no answer"}
    assert len({row[0] for row in examples.rows}) == 4
