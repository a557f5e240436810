"""Steering of the pocket model, from tables to tables."""

import dataclasses

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_steering import GRID, SETTINGS

from directions.reading import read_directions
from doubletake.stats.intervals import IntervalSettings
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from events.tables import EVENTS
from problems.tables import PROBLEMS
from shards.merge import merge
from steering import choose, measure, screen, summarise
from steering.contexts import draw
from steering.tables import CELLS, LADDER, SCREENING, SHORT, STEERING, SUMMARY
from traces.tables import TRACES
from turns.tables import TURN_WORDS

GRID = dataclasses.replace(GRID, layers=[0.5], positions=["sentence_ends", "every"])
INTERVALS = IntervalSettings(least_problems=3)
TOLERANCE = 0.1


def run(study, model, folder, shards=("1-of-1",), **changes):
    """Screen, choose and measure; tables by name, shards joined."""
    settings = dataclasses.replace(SETTINGS, **changes)
    units = study.parts.with_name("units.parquet")
    for shard in shards:
        screen.main(
            study=study,
            units_path=units,
            screening_path=folder / f"{shard}.screening",
            checks_path=folder / f"{shard}.checks",
            runs_path=folder / f"{shard}.screening_runs",
            model=model,
            grid=GRID,
            settings=settings,
            shard=shard,
        )
    choose.main(
        screening_paths=[folder / f"{shard}.screening" for shard in shards],
        cells_path=folder / "cells",
        tolerance=TOLERANCE,
        intervals=INTERVALS,
    )
    for shard in shards:
        measure.main(
            study=study,
            cells_path=folder / "cells",
            checks_path=folder / f"{shard}.checks",
            screening_runs_path=folder / f"{shard}.screening_runs",
            thoughts_path=folder / f"{shard}.steering",
            short_path=folder / f"{shard}.short",
            verification_path=folder / f"{shard}.verification",
            runs_path=folder / f"{shard}.runs",
            model=model,
            settings=settings,
            shard=shard,
        )
    tables = (SCREENING, SHORT, STEERING, VERIFICATION, RUNS)
    joined = {
        table.key: merge(
            table, [table.read(folder / f"{shard}.{table.key}") for shard in shards]
        )
        for table in tables
    }
    return joined | {"cells": CELLS.read(folder / "cells")}


@pytest.fixture(scope="module")
def measured(study, pocket, tmp_path_factory):
    return run(study, pocket, tmp_path_factory.mktemp("measured"))


def test_every_cell_has_every_context(measured):
    table = measured["screening"]
    per_cell = table.group_by(
        "setting", "source", "direction", "boundary", "strength", "positions"
    )
    counts = per_cell.agg(
        n=pl.len(), traces=pl.col("trace").n_unique(), draws=pl.col("draw").n_unique()
    )
    assert set(counts["traces"]) == {SETTINGS.contexts}
    full = counts["source"] == "random"
    draws = [SETTINGS.controls if one else 1 for one in full]
    assert counts["n"].to_list() == [SETTINGS.contexts * count for count in draws]
    none = table.filter(source="none")
    assert none["trace"].n_unique() == none.height
    control = table.filter(source="within", strength=0.5, positions="every", boundary=4)
    assert sorted(control["draw"]) == [0, 0, 1]  # two draws take turns


def test_checks_hold(measured):
    checks = measured["verification"]
    assert checks.height == 6
    for row in checks.to_dicts():
        assert row["n"] > 0, row["check"]
        assert row["value"] <= row["bound"], row["check"]


def test_problems_of_the_screening_are_not_tested_again(study, measured):
    screened = set(measured["screening"]["problem"])
    tested = study.tested()
    for name in ("short", "steering"):
        used = set(measured[name]["problem"])
        assert used
        assert used <= tested - screened
    assert screened <= tested


def test_contexts_end_with_the_sentence_of_an_arrival(study):
    traces = study.traces_table()
    drawn = study.drawn(traces, SETTINGS)
    for one in (*drawn.screening, *drawn.ladder):
        row = one.thought.trace
        text = row["text"][: one.character]
        assert text.endswith(".")
        assert row["offsets"][one.kept] >= one.character
        # White space is kept, so that the next token is the first of a sentence.
        between = row["text"][one.character : row["offsets"][one.kept]]
        assert not between.strip()
        rest = row["text"][row["offsets"][one.kept] : row["offsets"][one.kept + 1]]
        assert rest.strip()


def test_the_screening_takes_at_most_half_of_the_problems(study):
    traces = study.traces_table()
    many = dataclasses.replace(SETTINGS, contexts=100, ladder_contexts=100)
    drawn = study.drawn(traces, many)
    assert 0 <= len(drawn.screening) - len(drawn.ladder) <= 1
    alone = study.drawn(traces, dataclasses.replace(many, thoughts=0))
    assert (alone.ladder, alone.thoughts) == ([], [])


def test_turns_are_backtracks_that_begin_after_the_cut(measured):
    rows = measured["screening"]
    assert 0 < rows["turned"].sum() < rows.height
    for row in rows.filter(source="none").to_dicts():
        says = any(word in row["text"] for word in ("Wait", "But", "Let me", "Hmm"))
        assert row["turned"] <= says


def test_strengths_and_controls_of_the_test(measured):
    short, chosen = measured["short"], measured["cells"].filter(chosen=True)
    assert chosen.height == 2
    place = chosen.select("direction", "boundary", "positions").unique()
    assert place.height == 1
    size = float(chosen["strength"].abs().to_numpy().max())
    steered = short.filter(source="direction")
    assert sorted(set(steered["strength"])) == [-size, -size / 2, size / 2, size]
    random = short.filter(source="random")
    assert random["draw"].n_unique() == SETTINGS.random
    # Draws beyond the number of controls only give their turns.
    assert random.filter(pl.col("logprob").is_null())[
        "draw"
    ].unique().sort().to_list() == [2, 3]
    whole = measured["steering"]
    assert whole.filter(strength=0.0).height == SETTINGS.thoughts
    assert whole.height == SETTINGS.thoughts * 5
    assert (whole["limited"] | whole["closed"]).all()


def test_none_repeats_the_study_up_to_its_limit(study, measured):
    texts = {row["trace"]: row["text"] for row in TRACES.read(study.traces).to_dicts()}
    for row in measured["steering"].filter(strength=0.0).to_dicts():
        assert texts[row["trace"]].startswith(row["text"])


def test_shards_give_the_same_and_summaries_are_made(study, pocket, measured, tmp_path):
    both = run(study, pocket, tmp_path, shards=("1-of-2", "2-of-2"))
    for name in ("screening", "short", "steering"):
        assert_frame_equal(both[name], measured[name], abs_tol=1e-3, rel_tol=1e-3)
    # Slopes of tiny changes keep two digits.
    assert_frame_equal(both["cells"], measured["cells"], abs_tol=1e-3, rel_tol=1e-2)
    paths = {
        name: tmp_path / name for name in ("ladder", "summary", "trends", "slopes")
    }
    SHORT.write(both["short"], tmp_path / "short")
    STEERING.write(both["steering"], tmp_path / "steering")
    summarise.main(
        short_path=tmp_path / "short",
        thoughts_path=tmp_path / "steering",
        **{f"{name}_path": path for name, path in paths.items()},
        tolerance=TOLERANCE,
        intervals=INTERVALS,
    )
    assert LADDER.read(paths["ladder"]).filter(source="direction").height == 4
    assert SUMMARY.read(paths["summary"]).height == 5


def test_screening_only(study, pocket, tmp_path):
    found = run(study, pocket, tmp_path, thoughts=0)
    assert found["short"].is_empty()
    assert found["steering"].is_empty()
    assert found["cells"]["chosen"].sum() == 2
    assert found["runs"].height == 1


def test_thoughts_from_a_file_are_continued(study, pocket, tmp_path):
    traces = TRACES.read(study.traces)
    none = pl.lit(None, dtype=traces.schema["logprobs"])
    TRACES.write(traces.with_columns(logprobs=none), tmp_path / "imported")
    imported = dataclasses.replace(study, traces=tmp_path / "imported")
    found = run(imported, pocket, tmp_path)
    assert found["short"].height
    checks = found["verification"].filter(statistic="thoughts with another token")
    assert checks["n"].to_list() == [0]


def test_no_arrival_gives_empty_tables(study, pocket, tmp_path):
    EVENTS.write(EVENTS.frame([]), tmp_path / "events")
    found = run(
        dataclasses.replace(study, events=tmp_path / "events"), pocket, tmp_path
    )
    assert found["screening"].is_empty()
    assert found["cells"].is_empty()
    assert found["steering"].is_empty()
    assert screen.NOTHING in found["runs"]["note"].to_list()


def test_directions_of_another_model_are_refused(study, pocket, tmp_path):
    other = dataclasses.replace(pocket, revision="a" * 40)
    with pytest.raises(Exception, match="another model"):
        study.decoding(other, SETTINGS)


def test_one_context_for_each_problem(study):
    traces = study.traces_table()
    events, problems = EVENTS.read(study.events), PROBLEMS.read(study.problems)
    drawn = draw(traces, problems, events, study.tested(), SETTINGS)
    names = [one.thought.trace["problem"] for one in (*drawn.screening, *drawn.ladder)]
    assert len(set(names)) == len(names)


def test_the_turn_probability_equals_that_of_a_plain_pass(study, measured, decoder):
    words = TURN_WORDS.read(study.words).filter(group="backtrack")["token_id"].to_list()
    traces = {row["trace"]: row for row in TRACES.read(study.traces).to_dicts()}
    directions = read_directions(study.directions)
    rows = measured["screening"].filter(source="none")
    steered = measured["screening"].filter(
        direction="venhoff", positions="every", strength=0.5, setting="grid"
    )
    steered = steered.filter(source="direction")
    assert rows.height == steered.height == SETTINGS.contexts
    for row in (*rows.to_dicts(), *steered.to_dicts()):
        trace = traces[row["trace"]]
        ids = [*trace["prompt_ids"], *trace["completion_ids"][: row["kept"]]]
        added = torch.zeros(decoder.d_model)
        boundary = row["boundary"] or 0
        if row["source"] == "direction":
            length = row["strength"] * directions.residual_norms[boundary]
            added = length * directions.vectors["venhoff"][boundary]

        def add(_, args, kwargs, vector=added):
            states = args[0].clone()
            states[:, -1] += vector
            return (states, *args[1:]), kwargs

        hook = decoder.layers[boundary].register_forward_pre_hook(add, with_kwargs=True)
        with torch.inference_mode():
            logits = decoder.hf(torch.tensor([ids])).logits[0, -1]
        hook.remove()
        expected = float(logits.softmax(-1)[words].sum())
        assert row["probability"] == pytest.approx(expected, abs=1e-5)
