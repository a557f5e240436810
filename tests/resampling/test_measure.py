"""Boundaries and rollouts of thoughts of the pocket model, from tables to tables."""

import dataclasses

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from doubletake.model.decoder import Decoder
from doubletake.stats.intervals import IntervalSettings, wilson_interval
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.sentences import sentences
from events.tables import EVENTS
from matches.reading import control_pairs
from matches.tables import MATCHES
from pocket.reading import TURN, read_thought
from problems.tables import PROBLEMS
from resampling.importance import ImportanceSettings
from resampling.measure import FROM_A_FILE, main
from resampling.names import KINDS
from resampling.prediction import prediction_table
from resampling.shard import Settings
from resampling.stability import stability_table, summary_table
from resampling.summarise import sentence_table
from resampling.tables import RESAMPLING, RESAMPLING_DRAWS, RESAMPLING_ROLLOUTS
from shards.merge import merge
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS
from truth.tables import TRUTH
from turns.reading import drawn_backtracks
from turns.tables import TURNS

SETTINGS = Settings(
    boundaries=16,
    samples=6,
    turn_tokens=24,
    anchor_thoughts=2,
    anchor_sentences=3,
    anchor_samples=2,
    seed=0,
    temperature=0.6,
    top_p=0.95,
    max_new_tokens=320,
    batch_size=16,
    generation_seed=3,
    detector="rules",
    batch_memory=0.1,
    confidence=0.95,
    verification=Verification(share=0.1, minimum=3, seed=0),
)
INPUTS = ("problems", "traces", "events", "truth", "turns", "words", "matches")
INPUTS = (*INPUTS, "probing", "scores", "index")
TABLES = {
    "resampling": RESAMPLING,
    "draws": RESAMPLING_DRAWS,
    "rollouts": RESAMPLING_ROLLOUTS,
    "verification": VERIFICATION,
    "runs": RUNS,
}
MEASURED = ("resampling", "draws", "rollouts")


def run(folder, model, out, shard="1-of-1", files=(), **changes):
    """The tables of a shard by name."""
    inputs = {name: folder / f"{name}.parquet" for name in INPUTS} | dict(files)
    outputs = {name: out / f"{shard}.{name}.parquet" for name in TABLES}
    main(
        inputs=inputs,
        cache_paths=[folder / "1-of-1.safetensors"],
        outputs=outputs,
        model=model,
        settings=dataclasses.replace(SETTINGS, **changes),
        shard=shard,
    )
    return {name: table.read(outputs[name]) for name, table in TABLES.items()}


@pytest.fixture(scope="module")
def measured(study, pocket, tmp_path_factory):
    return run(study, pocket, tmp_path_factory.mktemp("measured"))


@pytest.fixture(scope="module")
def traces(study):
    rows = TRACES.read(study / "traces.parquet").to_dicts()
    return {row["trace"]: row for row in rows}


def test_half_are_drawn_backtracks_then_their_controls_then_arrivals(measured, study):
    table, turns = measured["resampling"], TURNS.read(study / "turns.parquet")
    drawn = drawn_backtracks(turns, 8, 0)
    backtracks = table.filter(kind="backtrack")
    keys = ["trace", "event", "position"]
    assert_frame_equal(
        backtracks.select(keys), drawn.select(keys), check_row_order=False
    )
    assert backtracks["turned"].all()
    pairs = control_pairs(
        MATCHES.read(study / "matches.parquet"), turns.filter("selected")
    )
    own = pairs.filter("label").join(drawn, on=["trace", "event"])["pair"].to_list()
    partners = pairs.filter(~pl.col("label"), pl.col("pair").is_in(own))
    controls = table.filter(kind="control")
    assert 1 <= controls.height <= 4
    joined = controls.join(partners, on=["trace", "event"], how="semi")
    assert joined.height == controls.height
    arrivals = table.filter(kind="arrival")
    assert arrivals.height == 4 == arrivals["problem"].n_unique()
    assert not arrivals["turned"].any()
    assert arrivals["event"].null_count() == arrivals.height


def test_every_boundary_lies_right_before_a_sentence(measured, traces):
    for row in measured["resampling"].to_dicts():
        trace = traces[row["trace"]]
        kept = row["position"] + 1 - len(trace["prompt_ids"])
        cut = trace["offsets"][kept] - trace["thought_start"]
        thought = trace["text"][trace["thought_start"] : trace["thought_stop"]]
        start = cut + len(thought[cut:]) - len(thought[cut:].lstrip())
        assert start in [span.start for span in sentences(thought)]


def test_rates_are_those_of_the_draws_and_the_language_agrees(measured, traces, study):
    draws, seen = measured["draws"], set()
    questions = dict(
        PROBLEMS.read(study / "problems.parquet")
        .select("problem", "question")
        .iter_rows()
    )
    agree = []
    for row in measured["resampling"].to_dicts():
        own = draws.filter(trace=row["trace"], position=row["position"])
        assert own["draw"].to_list() == list(range(6))
        assert (row["draws"], row["turns"]) == (6, own["turns"].sum())
        assert (row["low"], row["high"]) == wilson_interval(row["turns"], 6)
        seen |= set(own["text"])
        trace = traces[row["trace"]]
        kept = row["position"] + 1 - len(trace["prompt_ids"])
        before = trace["text"][trace["thought_start"] : trace["offsets"][kept]]
        for item in own.to_dicts():
            thought = f"{before.rstrip()} {item['text']}"
            read = read_thought(questions[row["problem"]], thought).boundaries
            start = len(before.rstrip()) + 1
            planted = any(one.start == start and one.choice == TURN for one in read)
            agree.append(planted == item["turns"])
    assert len(seen) > 20
    assert sum(agree) / len(agree) > 0.95


def test_the_study_s_own_sentence_gets_the_study_s_verdict_and_scores_agree(measured):
    checks = measured["verification"].to_dicts()
    own, whole, mass, probe = checks
    assert own["n"] == measured["resampling"].height
    assert own["value"] == own["bound"] == 0
    assert whole["n"] > 10
    assert whole["value"] <= whole["bound"]
    assert mass["n"] >= 3
    assert mass["value"] <= mass["bound"]
    assert probe["n"] >= 6
    assert probe["value"] < 1e-4  # the same probes, states of another pass


def test_batches_change_nothing(study, pocket, measured, tmp_path):
    found = run(study, pocket, tmp_path, batch_size=7, batch_memory=0.01)
    assert_frame_equal(found["draws"], measured["draws"])
    assert_frame_equal(found["rollouts"], measured["rollouts"])
    exact = pl.exclude("mass", "sampled_mass", "probe")
    assert_frame_equal(
        found["resampling"].select(exact), measured["resampling"].select(exact)
    )
    assert_frame_equal(
        found["resampling"], measured["resampling"], rel_tol=1e-4, abs_tol=1e-4
    )


def test_the_number_of_shards_changes_nothing(study, pocket, measured, tmp_path):
    parts = [run(study, pocket, tmp_path, shard=f"{k}-of-2") for k in (1, 2)]
    for name in MEASURED:
        assert all(part[name].height for part in parts)
        merged = merge(TABLES[name], [part[name] for part in parts])
        assert_frame_equal(
            merged, merge(TABLES[name], [measured[name]]), rel_tol=1e-4, abs_tol=1e-4
        )


def test_a_tight_limit_leaves_sentences_unfinished_and_changes_no_token(
    study, pocket, measured, tmp_path
):
    short = run(study, pocket, tmp_path, turn_tokens=4, anchor_thoughts=0)
    assert short["rollouts"].is_empty()
    unfinished = short["draws"].filter(~pl.col("ended"))
    assert short["resampling"]["unfinished"].sum() == unfinished.height > 20
    assert measured["resampling"]["unfinished"].sum() == 0
    both = short["draws"].join(
        measured["draws"], on=["trace", "position", "draw"], suffix="_whole"
    )
    assert both.height == short["draws"].height
    for row in both.to_dicts():
        assert row["text_whole"].startswith(row["text"])


def test_rollouts_start_at_sentences_and_end_with_answers(measured, traces):
    table = measured["rollouts"]
    assert table["problem"].n_unique() == table["trace"].n_unique() == 2
    correct = [traces[name]["correct"] for name in table["trace"].unique()]
    assert sorted(correct) == [False, True]
    counts = table.group_by("trace", "before").len()
    assert counts["len"].unique().to_list() == [2]
    assert table["closed"].mean() > 0.6
    for (trace, before), own in table.group_by("trace", "before"):
        thought = traces[trace]["text"]
        known = sentences(thought[: traces[trace]["thought_stop"]])
        assert 0 <= before <= len(known)
        assert own["draw"].sort().to_list() == [0, 1]


def test_the_importance_follows_from_the_rollouts(measured, study, traces):
    table = sentence_table(
        measured["rollouts"],
        TRACES.read(study / "traces.parquet"),
        EVENTS.read(study / "events.parquet"),
        TRUTH.read(study / "truth.parquet"),
        TRIAL_POINTS.frame([]),
        ImportanceSettings(0.8, 0, 0.95),
    )
    assert table.height >= 2 * 3
    assert set(table["kind"]) == {"arrival", "backtrack", "other"}
    assert table["cause"].null_count() == 0
    assert table["forced"].null_count() == table.height
    for row in table.to_dicts():
        own = measured["rollouts"].filter(trace=row["trace"])
        before, after = (
            own.filter(before=row["sentence"] + step)["correct"].mean()
            for step in (0, 1)
        )
        assert row["resampled"] == pytest.approx(after - before)
        text = traces[row["trace"]]["text"][row["start"] : row["end"]]
        assert text == text.strip()


def test_thoughts_from_a_file_are_read_but_not_written_again(
    study, pocket, measured, tmp_path
):
    imported = TRACES.read(study / "traces.parquet").with_columns(
        logprobs=pl.lit(None, dtype=pl.List(pl.Float32))
    )
    TRACES.write(imported, tmp_path / "imported.parquet")
    files = {"traces": tmp_path / "imported.parquet"}
    found = run(study, pocket, tmp_path, files=files)
    assert found["draws"].is_empty()
    assert found["rollouts"].is_empty()
    assert FROM_A_FILE in found["runs"]["note"][0]
    table = found["resampling"]
    assert table["draws"].sum() == 0
    assert table["rate"].null_count() == table.height
    columns = ["trace", "position", "mass", "probe"]
    assert_frame_equal(table.select(columns), measured["resampling"].select(columns))
    assert summary_table(table, 0.8, IntervalSettings()).is_empty()
    assert stability_table(table).is_empty()
    detected = prediction_table(table, IntervalSettings(), 0).filter(part="all")
    assert detected["auroc"].null_count() < detected.height
    assert detected["spearman"].null_count() == detected.height


def test_a_thought_longer_than_the_model_is_refused_by_name(
    study, pocket, measured, tmp_path, monkeypatch
):
    lengths = TRACES.read(study / "traces.parquet").select(
        "trace", n=pl.col("prompt_ids").list.len() + pl.col("completion_ids").list.len()
    )
    known = measured["resampling"].join(lengths, on="trace").sort("n")
    # Some backtracks, controls and arrivals lie in longer thoughts, before the limit.
    longest = known["n"][known.height // 2]
    assert set(known.filter(pl.col("n") > longest)["kind"]) == set(KINDS)
    monkeypatch.setattr(Decoder, "max_positions", longest)
    found = run(study, pocket, tmp_path, anchor_thoughts=0)
    refused = lengths.filter(pl.col("n") > longest)["trace"].to_list()
    assert found["resampling"].height > 8
    assert not set(found["resampling"]["trace"]) & set(refused)
    note = f"refused, longer than {longest} tokens: {', '.join(refused)}"
    assert note in found["runs"]["note"][0]
    parts = [
        run(study, pocket, tmp_path, shard=f"{k}-of-2", anchor_thoughts=0)["runs"]
        for k in (1, 2)
    ]
    noted = [part["note"][0].split(": ")[1].split(", ") for part in parts]
    assert sorted(noted[0] + noted[1]) == sorted(refused)


def test_without_selected_backtracks_only_arrivals_are_left(study, pocket, tmp_path):
    turns = TURNS.read(study / "turns.parquet").filter(kind="wrap_up")
    TURNS.write(turns, tmp_path / "turns.parquet")
    files = {"turns": tmp_path / "turns.parquet"}
    found = run(study, pocket, tmp_path, files=files, boundaries=4, anchor_thoughts=0)
    assert found["resampling"]["kind"].to_list() == ["arrival"]
    assert found["draws"].height == 6
