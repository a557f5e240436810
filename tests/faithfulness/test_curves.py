"""Cuts of thoughts, curves along them, and areas over the curves."""

import numpy as np
import polars as pl
import pytest
from tiny_faithfulness import cut, thought

from doubletake.stats.intervals import IntervalSettings
from doubletake.text.trace_positions import thought_tokens
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from faithfulness.curves import areas, curves, paths_of
from faithfulness.cuts import cuts_of
from faithfulness.groups import groups_of, lengths_of
from faithfulness.tables import CUTS
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

S = IntervalSettings()


def events(*rows):
    """Rows of `EVENTS`: trace, kind, ordinal, is_gold."""
    return pl.DataFrame(
        rows, schema=["trace", "kind", "ordinal", "is_gold"], orient="row"
    )


def table_of(*thoughts):
    return CUTS.frame([row for one in thoughts for row in one])


def area(table, part, group="all"):
    found = areas(paths_of(table), groups_of(table, events()), S)
    return found.filter(part=part, group=group).row(0, named=True)


def test_areas_by_hand():
    table = table_of(thought("a", [0, 0, 1, 1, 1], ahead=2))
    whole = area(table, "thought")
    assert whole["aoc"] == pytest.approx(1 - (0 + 0.5 + 1 + 1) / 4)
    assert whole["aoc_tokens"] == pytest.approx(0.5)
    assert (whole["fewest"], whole["most"]) == (4, 4)
    assert (whole["start"], whole["ceiling"]) == (0, 1)
    assert area(table, "ahead")["aoc"] == 1
    assert area(table, "behind")["aoc"] == 0


def test_intervals_of_areas_stay_between_0_and_1():
    flags = [[0, 0, 0, 1]] * 19 + [[0, 1, 1, 1]]
    table = table_of(*(thought(f"t{k:02}", one, 3) for k, one in enumerate(flags)))
    for part in ("thought", "ahead"):
        row = area(table, part)
        assert 0 <= row["aoc_low"] < row["aoc"] < row["aoc_high"] <= 1


def test_areas_by_tokens_weigh_long_sentences_more():
    rows = [cut("a", 0, 0, False), cut("a", 1, 90, True), cut("a", 2, 100, True)]
    whole = area(table_of(rows), "thought")
    assert whole["aoc"] == pytest.approx(0.25)
    assert whole["aoc_tokens"] == pytest.approx(0.9)


def test_weighing_lengths_by_their_thoughts_is_the_mean_over_thoughts():
    """The area of the paper, made as the paper says: a curve for each length."""
    rng = np.random.default_rng(0)
    flags = [rng.integers(0, 2, rng.integers(3, 7)) for _ in range(60)]
    table = table_of(*(thought(f"t{k:02}", one, 9) for k, one in enumerate(flags)))
    total = 0.0
    for length in {len(one) for one in flags}:
        curve = np.mean([one for one in flags if len(one) == length], axis=0)
        weight = sum(len(one) == length for one in flags) / len(flags)
        total += weight * (1 - np.trapezoid(curve, np.linspace(0, 1, length)))
    assert area(table, "thought")["aoc"] == pytest.approx(total)


def test_a_curve_takes_the_last_cut_up_to_a_share():
    rows = [cut("a", 0, 0, False), cut("a", 1, 60, True), cut("a", 2, 100, False)]
    table = table_of(rows)
    found = curves(paths_of(table), groups_of(table, events()), S)
    whole = found.filter(group="all", part="thought")
    assert whole["share"].to_list() == pytest.approx([k / 10 for k in range(11)])
    assert whole["same"].to_list() == [0.0] * 6 + [1.0] * 4 + [0.0]


def test_parts_split_at_the_first_arrival():
    rows = thought("a", [0, 1, 0, 1, 0, 1], ahead=3)
    paths = paths_of(
        table_of(rows, [cut("a", k, 7 * k, k == 2, k, "arrival") for k in range(3)])
    )
    (ahead,), (behind,) = paths["ahead"], paths["behind"]
    assert ahead.x.tolist() == [0, 0.5, 1]
    assert ahead.same.tolist() == [False, True, False]
    assert behind.x.tolist() == [0, 0.5, 1]
    assert behind.same.tolist() == [True, False, True]
    (exits,) = paths["arrivals"]
    assert exits.x.tolist() == [0, 0.5, 1]


def test_a_thought_without_an_arrival_has_no_part_before_it():
    paths = paths_of(table_of(thought("a", [0, 1, 1], ahead=9)))
    assert len(paths["thought"]) == 1
    assert not paths["ahead"]
    assert not paths["behind"]


def test_groups():
    table = table_of(*(thought(name, [0, 1, 1], 1) for name in "abc"))
    found = groups_of(
        table,
        events(
            ("a/0", "arrival", 1, True),
            ("b/0", "arrival", 1, False),
            ("b/0", "arrival", 2, True),
            ("b/0", "backtrack", 1, None),
        ),
    )
    assert found["turns back"] == {"b/0"}
    assert found["never turns back"] == {"a/0", "c/0"}
    assert found["first arrival right"] == {"a/0"}
    assert found["first arrival wrong"] == {"b/0"}


def test_lengths_are_thirds_and_equal_ones_share_a_group():
    table = table_of(
        *(thought(f"t{k}", [0] * (2 + k), 9) for k in range(9)),
        thought("u", [0] * 2, 9),
    )
    found = lengths_of(table)
    assert set().union(*found.values()) == set(table["trace"])
    assert found["short"] >= {"t0/0", "u/0", "t1/0"}
    assert found["long"] == {"t6/0", "t7/0", "t8/0"}


def test_cuts_are_the_answers_of_the_tables(study):
    traces = TRACES.read(study / "traces.parquet")
    found = EVENTS.read(study / "events.parquet")
    points = TRIAL_POINTS.read(study / "trial_points.parquet")
    exits = EARLY_EXIT.read(study / "early_exit.parquet")
    cuts = cuts_of(traces, found, points, exits)
    texts = {row["trace"]: row for row in traces.to_dicts()}
    arrivals = found.filter(kind="arrival")
    for (trace,), own in cuts.filter(source="sentence").group_by("trace"):
        row = texts[trace]
        first = thought_tokens(row)[0] - len(row["prompt_ids"])
        places = [*row["offsets"], len(row["text"])]
        for one in own.to_dicts():
            before = places[first + one["tokens_before"]]
            stated = arrivals.filter(pl.col("trace") == trace, pl.col("end") <= before)
            assert one["arrivals"] == stated.height
            assert one["same"] == (one["answer"] == row["answer"])
        last = own.sort("cut").row(-1, named=True)
        end = points.filter(pl.col("trace") == trace, pl.col("end")).row(0, named=True)
        assert last["answer"] == end["answer"]
        assert last["tokens_before"] == end["tokens_before"]
    at_exits = cuts.filter(source="arrival")
    used = pl.col("trace").is_in(cuts["trace"].to_list())
    assert at_exits.height == exits.filter(used).height
    assert (at_exits["arrivals"] >= at_exits["cut"]).all()
