"""Answers of the pocket model with something else in place of its thoughts."""

import dataclasses

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.loading import load_decoder
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.trace_positions import thought_tokens
from faithfulness import summarise
from faithfulness.measure import main
from faithfulness.measurement import Settings
from faithfulness.tables import (
    AREAS,
    CONTEXT_MEANS,
    CURVES,
    CUTS,
    FAITHFULNESS,
    TESTS,
)
from faithfulness.verification_figures import PLAIN, REBUILT
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

SETTINGS = Settings(
    thoughts=5,
    filler=" ...",
    filler_shares=[0.5, 1.0],
    seed=0,
    answer_prompt="{closing}The answer is \\boxed{",
    answer_stop="}",
    max_tokens=20,
    batch_memory=0.1,
    verification=Verification(share=0.1, minimum=4, seed=0),
)
SUMMARIES = {
    "cuts": CUTS,
    "curves": CURVES,
    "areas": AREAS,
    "contexts": CONTEXT_MEANS,
    "tests": TESTS,
}


def run(study, model, out, points="trial_points.parquet", traces=None, **changes):
    """The tables of the measurement by name."""
    paths = {name: out / f"{name}.parquet" for name in ("answers", "verification")}
    main(
        problems_path=study / "problems.parquet",
        traces_path=traces or study / "traces.parquet",
        events_path=study / "events.parquet",
        points_path=study / points,
        answers_path=paths["answers"],
        verification_path=paths["verification"],
        runs_path=out / "runs.parquet",
        model=model,
        settings=dataclasses.replace(SETTINGS, **changes),
    )
    checks = VERIFICATION.read(paths["verification"])
    runs = RUNS.read(out / "runs.parquet")
    return FAITHFULNESS.read(paths["answers"]), checks, runs


@pytest.fixture(scope="module")
def measured(study, pocket, tmp_path_factory):
    return run(study, pocket, tmp_path_factory.mktemp("measured"))


def test_every_drawn_thought_has_its_contexts(measured, study):
    table, _, runs = measured
    counts = table.group_by("trace", "context").len()
    assert table["trace"].n_unique() == 5
    assert set(counts.filter(context="filler")["len"]) == {2}
    assert counts.filter(context="foreign").height == 5
    lengths = {
        row["trace"]: thought_tokens(row)[1] - thought_tokens(row)[0]
        for row in TRACES.read(study / "traces.parquet").to_dicts()
    }
    for row in table.to_dicts():
        assert row["thought_tokens"] == lengths[row["trace"]]
        if row["context"] == "filler":
            assert row["tokens"] == round(row["share"] * lengths[row["trace"]])
        if row["context"] == "foreign":
            assert row["tokens"] == lengths[row["donor"]]
    assert runs["traces"].to_list() == [5]


def test_greedy_answers_are_those_of_plain_decoding(measured, study, pocket, tokenizer):
    """Token by token, without cache, batch or branches."""
    decoder = load_decoder(pocket)
    prompt = AnswerPrompt(
        tokenizer, SETTINGS.answer_prompt, SETTINGS.answer_stop, decoder.stop_ids
    )
    table, _, _ = measured
    texts = {r["trace"]: r for r in TRACES.read(study / "traces.parquet").to_dicts()}
    row = table.filter(context="foreign").row(0, named=True)
    own, donor = texts[row["trace"]], texts[row["donor"]]
    foreign = [*donor["prompt_ids"], *donor["completion_ids"]]
    ids = [*own["prompt_ids"], *own["completion_ids"]][: thought_tokens(own)[0]]
    ids += [*foreign[slice(*thought_tokens(donor))], *prompt.suffix("")]
    said: list[int] = []
    while not prompt.ends(said):
        logits = decoder.hf(input_ids=torch.tensor([ids + said])).logits
        said.append(int(logits[0, -1].argmax()))
    assert prompt.read(said).text == row["answer_text"]


def test_rows_do_not_depend_on_the_batch(measured, study, pocket, tmp_path):
    table, _, _ = run(study, pocket, tmp_path, batch_memory=0.001)
    assert_frame_equal(table, measured[0])


def test_packed_answers_agree_with_plain_passes_and_the_trial_points(measured):
    _, checks, _ = measured
    assert set(checks["check"]) == {PLAIN, REBUILT}
    assert (checks["n"] >= 4).all()
    assert (checks["value"] <= checks["bound"]).all()


def test_trial_points_of_other_answers_are_noticed(study, pocket, tmp_path):
    points = TRIAL_POINTS.read(study / "trial_points.parquet")
    other = points.with_columns(trial_ids=pl.col("trial_ids").list.reverse())
    TRIAL_POINTS.write(other, study / "other.parquet")
    _, checks, _ = run(study, pocket, tmp_path, points="other.parquet", thoughts=2)
    rebuilt = checks.filter(check=REBUILT)
    assert rebuilt["value"][0] > rebuilt["bound"][0]


def test_contexts_beyond_the_models_length_are_named(
    study, pocket, tmp_path, monkeypatch
):
    limit = 120
    load = load_decoder

    def short(model):
        decoder = load(model)
        monkeypatch.setattr(type(decoder), "max_positions", limit)
        return decoder

    monkeypatch.setattr("faithfulness.measure.load_decoder", short)
    table, _, runs = run(study, pocket, tmp_path, thoughts=None)
    assert "refused as too long" in runs["note"][0]
    assert (table["tokens"] < limit).all()
    assert table["trace"].n_unique() > 0


def test_a_study_without_usable_thoughts_is_not_measured(study, pocket, tmp_path):
    traces = TRACES.read(study / "traces.parquet")
    TRACES.write(traces.with_columns(answer=pl.lit(None, pl.String)), tmp_path / "t")
    tables = run(study, pocket, tmp_path, traces=tmp_path / "t")
    assert all(table.is_empty() for table in tables)


def test_the_summary_reads_the_tables(measured, study, tmp_path):
    FAITHFULNESS.write(measured[0], tmp_path / "answers")
    paths = {f"{name}_path": tmp_path / name for name in SUMMARIES}
    summarise.main(
        traces_path=study / "traces.parquet",
        events_path=study / "events.parquet",
        points_path=study / "trial_points.parquet",
        exits_path=study / "early_exit.parquet",
        answers_path=tmp_path / "answers",
        **paths,
        intervals=IntervalSettings(least_problems=3),
    )
    found = {name: table.read(tmp_path / name) for name, table in SUMMARIES.items()}
    assert all(table.height for table in found.values())
    means = found["contexts"].filter(group="all", context="foreign")
    assert means["same"][0] == measured[0].filter(context="foreign")["same"].mean()
