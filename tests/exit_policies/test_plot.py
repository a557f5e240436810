"""Figures of exit policies: what they show, also when there is nothing to draw."""

import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from tiny_exits import exits, random_thoughts
from tiny_policies import study_of

from decoding_actions.tables import SUMMARY
from doubletake.page.plots import new_figure
from exit_policies.examples import EXAMPLES, examples_of
from exit_policies.examples_figure import answer_kind, draw_examples
from exit_policies.frontier_figure import FrontierPoint, draw_frontier, frontier_note
from exit_policies.labels import place_labels
from exit_policies.leaderboard_figure import (
    HINDSIGHT,
    KEPT,
    LOST,
    block_of,
    draw_leaderboard,
    leaderboard_rows,
)
from exit_policies.plot import Settings, action_points, main
from exit_policies.tables import CURVES, POLICIES, STOPS
from trial_points.tables import TRIAL_POINTS

NAMES = ("policies", "curves", "stops")


def words_of(figure):
    figure.draw_without_rendering()
    return [
        text.get_text()
        for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))
        if text.get_visible()
    ]


def examples_in(tables, seed=0):
    policies, _, stops = (tables[f"exit_policies/{name}"] for name in NAMES)
    return examples_of(tables["trial_points"], stops, policies, seed)


def test_labels_cover_neither_each_other_nor_a_point():
    figure, axes = new_figure(columns=2, height=5)
    panel = axes[0, 0]
    points = [(0.5 + 0.02 * (k % 3), 0.9 + 0.004 * (k // 3)) for k in range(9)]
    panel.plot(*zip(*points, strict=True), "o")
    panel.set(xlim=(0, 1.1), ylim=(0.8, 1))
    figure.draw_without_rendering()
    place_labels(panel, points, [f"policy_{k}" for k in range(9)])
    FigureCanvasAgg(figure).draw()
    boxes = [Text.get_window_extent(label) for label in panel.texts]
    marks = panel.transData.transform(points)
    assert len(boxes) == 9
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])
        assert not any(box.contains(*mark) for mark in marks)
        assert panel.bbox.x0 <= box.x0 < box.x1 <= panel.bbox.x1


def test_every_policy_that_stops_is_named_once(study):
    policies = study["exit_policies/policies"]
    figure = draw_frontier(policies, study["exit_policies/curves"], 0.95)
    labels = [
        name
        for axes in figure.axes
        for text in axes.texts
        for name in text.get_text().split(", ")
    ]
    stopping = policies.filter(pl.col("stopped") > 0)["policy"].to_list()
    assert sorted(labels) == sorted([*stopping, "whole thought"])
    never = policies.filter(stopped=0).height
    assert f"Not drawn: {never} policies that never stop" in frontier_note(
        policies, 0.95
    )


def test_further_points_are_drawn_on_the_same_plot(study):
    extra = FrontierPoint("one_more_wait", (1.6, 1.5, 1.7), (0.8, 0.7, 0.9))
    tables = [study[f"exit_policies/{name}"] for name in ("policies", "curves")]
    figure = draw_frontier(*tables, 0.95, [extra])
    words = words_of(figure)
    assert words.count("one_more_wait") == 1
    assert "decodes another thought" in words
    assert all(axes.get_xlim()[1] > 1.6 for axes in figure.axes[:1])


def policy(name, change, low, high, rate, family="rule", p=None):
    return {
        "policy": name,
        "family": family,
        "stopped": 3,
        "change": change,
        "change_low": low,
        "change_high": high,
        "total_rate": rate,
        "harmless_holm": p,
    }


def test_losses_come_after_the_others_and_hindsight_last():
    rows = [
        policy("oracle", 0.0, None, None, 0.1, family="hindsight"),
        policy("lost", -0.1, -0.2, -0.01, 0.2),
        policy("dear", 0.0, -0.1, 0.1, 0.9),
        policy("cheap", -0.1, -0.2, 0.0, 0.5),
        policy("unchanged", 0.0, None, None, 0.7),
    ]
    assert [block_of(row) for row in rows] == [HINDSIGHT, LOST, KEPT, KEPT, KEPT]
    table = pl.DataFrame([*rows, policy("idle", 0.0, None, None, 1) | {"stopped": 0}])
    names = [row["policy"] for row in leaderboard_rows(table)]
    assert names == ["cheap", "unchanged", "dear", "lost", "oracle"]


def test_only_rules_that_are_shown_to_be_harmless_are_filled(study):
    policies = study["exit_policies/policies"]
    p = pl.when(pl.col("policy") == "cue_2").then(0.01).otherwise(0.2)
    policies = policies.with_columns(
        harmless_holm=p, change=pl.lit(0.0), change_low=None, change_high=None
    )
    figure = draw_leaderboard(policies, 0.02, 0.95)
    dots = [line for line in figure.axes[1].lines if line.get_marker() == "o"]
    assert sum(dot.get_markerfacecolor() != "white" for dot in dots) == 1


def test_examples_are_of_middle_length_and_have_a_backtrack(study):
    examples = examples_in(study)
    assert len(examples) == EXAMPLES
    full = study["exit_policies/stops"].unique("trace")["full"]
    for example in examples:
        assert full.min() < example.tokens < full.max()
        assert example.points["cues"].max() > 0
        tokens = [place.tokens for place in example.places]
        assert tokens == sorted(tokens)
        shown = [name for place in example.places for name in place.policies]
        assert len(shown) == len(set(shown))
        assert {"no_thought", "oracle"} <= set(shown)
        assert not {"to_the_end", "share_50"} & set(shown)
    assert [one.trace for one in examples_in(study, 1)] != [e.trace for e in examples]
    words = " ".join(words_of(draw_examples(examples)))
    assert all(example.trace in words for example in examples)
    assert "no_thought" in words


def test_a_study_without_cues_has_examples():
    thoughts = [exits(["7", "8", None], trace="a/0", problem="a")]
    tables = study_of(thoughts)
    (example,) = examples_in(tables)
    places = {place.tokens: place for place in example.places}
    assert places[20].policies[-2:] == ("budget_64", "oracle") or "oracle" in str(
        places
    )
    assert answer_kind(None, False) == "no answer"
    draw_examples([example])


@pytest.mark.parametrize("count", [0, 1])
def test_figures_of_no_or_one_thought(count, tmp_path):
    tables = study_of(random_thoughts(count, 8, seed=0))
    contracts = {"policies": POLICIES, "curves": CURVES, "stops": STOPS}
    for name, contract in contracts.items():
        contract.write(tables[f"exit_policies/{name}"], tmp_path / f"{name}.parquet")
    TRIAL_POINTS.write(tables["trial_points"], tmp_path / "points.parquet")
    SUMMARY.write(SUMMARY.frame([]), tmp_path / "actions.parquet")
    figures = ("frontier", "leaderboard", "examples")
    main(
        **{
            f"{n}_path": tmp_path / f"{n}.parquet"
            for n in (*NAMES, "points", "actions")
        },
        **{f"{name}_path": tmp_path / f"{name}.svg" for name in figures},
        settings=Settings(seed=0, tolerance=0.02, confidence=0.95),
    )
    for name in figures:
        assert (tmp_path / f"{name}.svg").read_text().startswith("<?xml")


def test_an_action_is_drawn_at_its_paired_change():
    tables = study_of(random_thoughts(20, 8, seed=0))
    policies = tables["exit_policies/policies"]
    end = policies["end_accuracy"][0]
    row = dict.fromkeys(SUMMARY.schema, 0) | {"action": "nowait", "accuracy": 1.0}
    row |= {"change": -0.25, "change_low": -0.5, "change_high": None}
    row |= {"total_rate": 0.5, "total_rate_low": 0.25, "total_rate_high": 0.75}
    (point,) = action_points(SUMMARY.frame([row]), policies)
    assert point.x == (0.5, 0.25, 0.75)
    assert point.y == (end - 0.25, end - 0.5, None)
    assert action_points(SUMMARY.frame([]), policies) == []
    assert action_points(SUMMARY.frame([row]), POLICIES.frame([])) == []
