"""Every rule decodes a small study: equal to its replay, and planted differences."""

from dataclasses import replace

import polars as pl
import pytest
from tiny_online import SETTINGS

from doubletake.exit_rules.published import RULES
from doubletake.exit_rules.rule import MARKER, NEEDS
from online_exit import running_branches
from online_exit.tables import (
    ALONE,
    GREEDY,
    MODES,
    OTHER_POINTS,
    SAMPLED,
    SHARED,
    TOKEN,
    TRIAL_ANSWER,
    UNEXPLAINED,
)
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

RUN = {name for name, rule in RULES.items() if MARKER not in rule.needs}
"""In the study's format white space stands before every end marker."""


@pytest.fixture(scope="module")
def decoded(study):
    return study.decode()


def test_every_rule_equals_its_replay(decoded):
    online = decoded.online
    assert online["equal"].all()
    assert online["reason"].null_count() == online.height
    ran = decoded.rules.filter(pl.col("why_not").is_null())
    assert set(ran["rule"]) == RUN
    refused = decoded.rules.filter(pl.col("why_not").is_not_null())
    assert refused["why_not"].str.contains("white space stands between").all()
    assert (ran["thoughts"] == 4).all()
    assert (ran["equal"] == 4).all()
    assert (online["kept"] == online["replay_kept"]).all()


def test_rules_stop_and_look(decoded):
    """Otherwise equality would show nothing."""
    online = decoded.online
    for mode in MODES:
        own = online.filter(mode=mode)
        assert own.filter("stopped").height > 20
        assert own.filter(pl.col("stopped") & (pl.col("kept") > 0)).height > 10
        for column in ("trials", "entropies", "looks"):
            assert own[column].sum() > 0, column
    assert (online["read"] >= online["kept"]).filter(online["stopped"]).all()


def test_sampled_thoughts_are_those_of_the_study(study, decoded):
    traces = TRACES.read(study.path("traces"))
    whole = decoded.online.filter(mode=SAMPLED, rule="to_the_end")
    assert whole.height == 4
    assert set(whole["trace"]) < set(traces["trace"])
    greedy = decoded.online.filter(mode=GREEDY, rule="to_the_end")
    assert whole["full"].to_list() != greedy["full"].to_list()
    assert greedy["full"].max() <= 80


def test_the_draw_has_a_seed(study, decoded):
    again = study.decode(thoughts=2, timed_thoughts=0)
    assert set(again.online["trace"]) < set(decoded.online["trace"])
    assert again.latency.is_empty()
    assert again.latency_rules.is_empty()


def test_times_of_all_steps(decoded):
    steps = {(row["what"], row["prefix"]): row for row in decoded.latency.to_dicts()}
    for need in NEEDS[:3]:
        for prefix in (SHARED, ALONE):
            assert steps[need, prefix]["n"] > 0
            assert 0 < steps[need, prefix]["median"] <= steps[need, prefix]["high"]
    rules = {row["rule"]: row for row in decoded.latency_rules.to_dicts()}
    assert set(rules) == RUN
    end = rules["to_the_end"]
    assert end["thinking"] == end["to_the_end"]
    assert end["looking_shared"] == end["looking_alone"] == 0
    assert rules["no_thought"]["thinking"] < end["thinking"]
    assert rules["convergence_3"]["looking_shared"] > 0


def test_another_token_of_the_trace_is_found(study, decoded, tmp_path):
    """The study's traces differ from what the model would say."""
    changed = replace(study, folder=tmp_path)
    for path in study.folder.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    traces = TRACES.read(study.path("traces")).to_dicts()
    for row in traces:
        first = row["completion_ids"][20]
        row["completion_ids"][20] = first + 1
    TRACES.write(TRACES.frame(traces), tmp_path / "traces.parquet")
    online = changed.decode(timed_thoughts=0).online
    greedy, sampled = (online.filter(mode=mode) for mode in MODES)
    assert greedy["equal"].all()
    wrong = sampled.filter(~pl.col("equal"))
    assert wrong.height > 20
    assert set(wrong["reason"]) == {TOKEN}
    assert (wrong["first"] == 20).all()
    assert wrong["gap"].null_count() == 0
    right = sampled.filter("equal")
    assert (right["read"] <= 20).all()


def test_other_points_are_found(study, tmp_path):
    """The replay has points of its own: the study's table lacks some."""
    other = replace(study, folder=tmp_path)
    for path in study.folder.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    points = TRIAL_POINTS.read(study.path("points"))
    fewer = points.filter((pl.col("point") == 0) | (pl.col("point") % 5 > 0))
    TRIAL_POINTS.write(fewer, tmp_path / "points.parquet")
    online = other.decode(timed_thoughts=0).online
    wrong = online.filter(~pl.col("equal"))
    assert set(wrong["mode"]) == {SAMPLED}
    assert OTHER_POINTS in set(wrong["reason"])


def test_a_branch_at_another_cut_is_found(study, monkeypatch):
    """Trials that read a wrong token differ, and say so."""
    real = running_branches.Look.own.fget
    monkeypatch.setattr(
        running_branches.Look, "own", property(lambda self: [7, *real(self)[1:]])
    )
    online = study.decode(timed_thoughts=0).online
    wrong = online.filter(~pl.col("equal"))
    assert TRIAL_ANSWER in set(wrong["reason"])
    trial = wrong.filter(reason=TRIAL_ANSWER)
    assert trial["trials"].min() > 0
    assert online.filter(rule="budget_64")["equal"].all()


def test_a_decision_that_nothing_explains_is_called_so(study, monkeypatch):
    """A rule that decides otherwise while decoding."""
    from doubletake.exit_rules.rule import Watch

    real = Watch.stops_at
    monkeypatch.setattr(
        Watch,
        "stops_at",
        lambda self, point: (
            real(self, point)
            and self.rule.name != "cue_1"
            and self.rule.name != "budget_64"
        ),
    )
    online = study.decode(timed_thoughts=0).online
    own = online.filter(rule="budget_64")
    assert (own.filter(~pl.col("equal"))["reason"] == UNEXPLAINED).all()
    assert not own["equal"].all()
    assert online.filter(rule="dynasor_high")["equal"].all()


def test_a_study_of_imported_thoughts_is_not_checked(study):
    found = study.decode(generation=None)
    assert found.online.is_empty()
    assert found.latency.is_empty()
    assert set(found.rules["mode"]) == set(MODES)
    (reason,) = found.rules["why_not"].unique()
    assert "come from files" in reason


def test_a_greedy_study_is_compared_with_its_own_thoughts(study):
    """These here were sampled, so all differ."""
    greedy = SETTINGS.generation | {"temperature": 0}
    found = study.decode(generation=greedy, timed_thoughts=0)
    assert set(found.online["mode"]) == {GREEDY}
    assert set(found.online.filter(~pl.col("equal"))["reason"]) == {TOKEN}
    (reason,) = found.rules.filter(mode=SAMPLED)["why_not"].unique()
    assert "greedy" in reason


def test_rules_without_their_points_are_not_checked(study):
    found = study.decode(kinds=["every"], timed_thoughts=0)
    reasons = found.rules.filter(mode=GREEDY, rule="cue_1")["why_not"]
    assert "left out" in reasons[0]
    assert found.online.filter(rule="cue_1").is_empty()


def test_nothing_drawn(study):
    found = study.decode(thoughts=0)
    assert found.online.is_empty()
    assert found.rules["why_not"].null_count() == 0
