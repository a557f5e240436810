"""The script on made-up states: who trains and scores whom, and what is said of it."""

import dataclasses

import numpy as np
import polars as pl
import pytest
import torch

from doubletake.exit_rules.points import KINDS
from doubletake.exit_rules.splits import problem_groups
from doubletake.stats.intervals import IntervalSettings
from doubletake.tensors.row_files import open_row_writer
from exit_probes.reading import read_probes, reported_scores
from exit_probes.tables import EXIT_PROBE_QUALITY, EXIT_PROBE_SCORES
from exit_probes.train import Settings, main
from trial_points.reading import RESID, PointStates, model_origin, states_origin
from trial_points.tables import TRIAL_POINTS, TRIAL_STATES

SETTINGS = Settings([0.003, 0.05], 3, 2, seed=0, intervals=IntervalSettings())
D, LAYERS = 6, (1, 3)
PROBLEMS = 60


def point_row(trace, number, kind, correct):
    """A row of `TRIAL_POINTS`; only what probes read means something."""
    fills = {pl.String: "", pl.Boolean: False, pl.Int32: 0, pl.Float64: 0.0}
    row = {
        name: fills.get(type(dtype) if not isinstance(dtype, type) else dtype, [])
        for name, dtype in TRIAL_POINTS.schema.items()
    }
    kinds = {name: name == kind for name in KINDS}
    return (
        row
        | kinds
        | {
            "trace": trace,
            "problem": trace.split("/")[0],
            "point": number,
            "tokens_before": number,
            "correct": correct,
        }
    )


@pytest.fixture
def study(tmp_path, model):
    """Points of 60 problems: a start, two arrivals and two cues each."""
    rng = np.random.default_rng(0)
    rows, states, index = [], [], []
    for problem in range(PROBLEMS):
        for number, kind in enumerate(("end", "arrival", "cue", "arrival", "cue")):
            correct = bool(rng.random() < 0.7)
            rows.append(point_row(f"{problem:03d}/0", number, kind, correct))
            if kind == "end":
                continue
            state = rng.normal(size=(2, D))
            state[1, 0] += 2.5 * correct
            index.append((f"{problem:03d}/0", number, "1-of-1", len(states)))
            states.append(state)
    TRIAL_POINTS.write(TRIAL_POINTS.frame(rows), tmp_path / "points")
    (tmp_path / "traces").write_bytes(b"any")
    save(tmp_path, model, states, index)
    return tmp_path


def save(folder, model, states, index):
    resid = torch.tensor(np.reshape(states, (-1, 2, D)), dtype=torch.float32)
    metadata = states_origin(model, folder / "traces") | {
        "shard": "1-of-1",
        "boundaries": ",".join(map(str, LAYERS)),
        "d_model": str(D),
        "token_multiplications": "1200",
    }
    shapes = {RESID: (torch.float32, list(resid.shape))}
    with open_row_writer(folder / "states", shapes, {RESID}, metadata) as file:
        file.write_rows(RESID, 0, resid)
    table = pl.DataFrame(index, schema=TRIAL_STATES.schema, orient="row")
    TRIAL_STATES.write(table, folder / "index")


def run(folder, model, **changes):
    main(
        points_path=folder / "points",
        traces_path=folder / "traces",
        index_path=folder / "index",
        states_paths=[folder / "states"],
        scores_path=folder / "scores",
        quality_path=folder / "quality",
        probes_path=folder / "probes",
        model=model,
        settings=dataclasses.replace(SETTINGS, **changes),
    )
    scores = EXIT_PROBE_SCORES.read(folder / "scores")
    return scores, EXIT_PROBE_QUALITY.read(folder / "quality")


def test_no_problem_is_scored_by_a_probe_that_has_seen_it(study, model):
    scores, quality = run(study, model)
    groups = problem_groups([f"{k:03d}" for k in range(PROBLEMS)], 0)
    assert scores.height == 2 * 2 * 2 * PROBLEMS  # rules, points, probes
    for row in scores.iter_rows(named=True):
        assert row["group"] == groups[row["problem"]] != row["trained_on"]
    for rule, numbers in (("correctness_probe", {1, 3}), ("lynx", {2, 4})):
        own = reported_scores(scores, rule)
        assert len(own) == 2 * PROBLEMS
        assert {point for _, point in own} == numbers
    assert quality["why_not"].null_count() == 8
    assert quality["tested"].to_list() == [80, 80, 80, 120] * 2
    assert quality["points"].to_list() == [40, 40, 40, 120] * 2
    assert (quality["auroc_low"] > 0.5).all()
    assert quality["work"].to_list() == pytest.approx([6 / 1200] * 4 + [12 / 1200] * 4)


def test_a_probe_gives_the_scores_of_the_table(study, model):
    scores, _ = run(study, model)
    probes = read_probes(study / "probes", model_origin(model))
    origin = states_origin(model, study / "traces")
    states = PointStates.open(study / "index", [study / "states"], origin)
    assert len(probes) == 6
    for row in scores.iter_rows(named=True):
        probe = probes[row["rule"], row["trained_on"]]
        (seen,) = states.read([(row["trace"], row["point"])], probe.layers)
        assert probe.score(seen) == row["score"]
    assert probes["correctness_probe", 0].layers == (3,)
    assert probes["lynx", 0].layers == LAYERS


def test_other_labels_of_a_group_change_only_its_own_probe(study, model):
    before, _ = run(study, model)
    groups = problem_groups([f"{k:03d}" for k in range(PROBLEMS)], 0)
    inside = pl.col("problem").replace_strict(groups) == 0
    points = TRIAL_POINTS.read(study / "points").with_columns(
        correct=pl.col("correct") ^ inside
    )
    TRIAL_POINTS.write(points, study / "points")
    after, _ = run(study, model)
    changed = before.filter(before["score"] != after["score"])
    assert set(changed["trained_on"]) == {0}
    assert changed.height == before.filter(trained_on=0).height


def test_a_rule_without_wrong_points_has_no_probe_and_says_why(study, model):
    points = TRIAL_POINTS.read(study / "points").with_columns(
        correct=pl.col("correct") | pl.col("cue")
    )
    TRIAL_POINTS.write(points, study / "points")
    scores, quality = run(study, model)
    assert set(scores["rule"]) == {"correctness_probe"}
    lynx = quality.filter(rule="lynx")
    assert lynx["why_not"].to_list() == [
        *[
            "20 training problems have a right point and 0 a wrong one, and 3 of each "
            "are needed"
        ]
        * 3,
        "3 of 3 groups have no probe",
    ]
    assert lynx["auroc"].null_count() == 4
    assert {rule for rule, _ in read_probes(study / "probes")} == {"correctness_probe"}


def test_a_study_without_points_writes_empty_tables(study, model):
    TRIAL_POINTS.write(TRIAL_POINTS.frame([]), study / "points")
    save(study, model, [], [])
    scores, quality = run(study, model)
    assert scores.is_empty()
    assert quality["why_not"].null_count() == 0
    assert read_probes(study / "probes") == {}
