"""Actions on thoughts of the pocket model, from tables to tables."""

import dataclasses

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from decoding_actions.forbidden_words import core
from decoding_actions.keywords import ENGLISH, NOWAIT
from decoding_actions.measure import FROM_A_FILE, Settings, main
from decoding_actions.summarise import summarise
from decoding_actions.tables import DECODING_ACTIONS, WORDS
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from shards.merge import merge
from traces.tables import TRACES

SETTINGS = Settings(
    thoughts=None,
    actions=["nowait", "control", "cgrs", "s1"],
    cgrs_threshold=0.9,
    cgrs_checkpoints="sentence",
    word="Wait",
    seed=0,
    temperature=0.6,
    top_p=0.95,
    max_new_tokens=200,
    batch_size=5,
    generation_seed=3,
    detector="rules",
    answer_prompt="{closing}The answer is \\boxed{",
    answer_stop="}",
    trial_tokens=6,
    verification=Verification(share=0.1, minimum=4, seed=0),
)


def run(folder, model, shard="1-of-1", traces="traces.parquet", **changes):
    """The tables of a shard: thoughts, words, verification, runs."""
    parts = {"thoughts": DECODING_ACTIONS, "words": WORDS}
    parts |= {"verification": VERIFICATION, "runs": RUNS}
    paths = {f"{name}_path": folder / f"{shard}.{name}.parquet" for name in parts}
    main(
        problems_path=folder / "problems.parquet",
        traces_path=folder / traces,
        **paths,
        model=model,
        settings=dataclasses.replace(SETTINGS, **changes),
        shard=shard,
    )
    return [table.read(paths[f"{name}_path"]) for name, table in parts.items()]


@pytest.fixture(scope="module")
def measured(study, pocket):
    return run(study, pocket)


@pytest.fixture(scope="module")
def traces(study):
    return {
        row["trace"]: row for row in TRACES.read(study / "traces.parquet").to_dicts()
    }


def test_decoding_without_an_action_repeats_the_study(measured):
    checks = measured[2].rows_by_key("statistic", named=True)
    (plain,) = checks["thoughts with another token"]
    assert (plain["value"], plain["bound"]) == (0, 0.1)
    assert plain["n"] >= 4
    for row in checks["violations"]:
        assert row["value"] == row["bound"] == 0
        assert row["n"] > 5


def test_rows_stand_beside_the_whole_thoughts(measured, traces):
    table = measured[0]
    assert table.height == 4 * len(traces)
    for row in table.to_dicts():
        whole = traces[row["trace"]]
        assert row["whole_correct"] == whole["correct"]
        assert row["total"] == row["tokens"] + row["trial_tokens"]
        assert row["same"] == (row["text"] == whole["text"])
        assert (
            row["text"][: whole["offsets"][min(row["shared"], 5)]]
            == (whole["text"][: whole["offsets"][min(row["shared"], 5)]])
        )


def test_nowait_writes_no_keyword_in_a_thought(measured, traces):
    table = measured[0].filter(action="nowait")
    assert table["whole_forbidden"].sum() > 10
    assert table["forbidden"].sum() == table["spelled"].sum() == 0
    for text in table["text"]:
        thought = text.partition("</think>")[0]
        assert not {core(word) for word in thought.split()} & {*ENGLISH[NOWAIT]}


def test_the_control_forbids_other_words_about_as_often(measured):
    table = measured[0]
    control = table.filter(action="control")
    nowait = table.filter(action="nowait")
    assert control["forbidden"].sum() == 0
    ratio = control["whole_forbidden"].sum() / nowait["whole_forbidden"].sum()
    assert 0.4 < ratio < 2.5
    assert control["spelled"].sum() > 0  # the keywords stay allowed


def test_s1_goes_on_where_the_thought_ended(measured, traces):
    table = measured[0].filter(action="s1")
    assert table["applied"].any()
    for row in table.to_dicts():
        whole = traces[row["trace"]]
        if not row["applied"]:
            assert row["text"] == whole["text"]
            continue
        before = whole["text"].partition("</think>")[0]
        assert row["text"].startswith(f"{before}Wait")
        assert row["tokens"] > row["whole_tokens"]
        assert row["shared"] == whole["thought_end"] - len(whole["prompt_ids"])


def test_cgrs_between_nothing_and_all(study, pocket, measured):
    table = measured[0].filter(action="cgrs")
    assert table["trials"].sum() > 12
    assert (table["trial_tokens"] >= table["trials"]).all()
    forbidden = table["forbidden"].sum()
    assert forbidden < table["whole_forbidden"].sum()
    never, *_ = run(study, pocket, actions=["cgrs"], cgrs_threshold=0.9999)
    assert never["forbidden"].sum() > forbidden
    paragraphs, *_ = run(study, pocket, actions=["cgrs"], cgrs_checkpoints="paragraph")
    assert paragraphs["trials"].sum() < table["trials"].sum()


def test_shards_and_batches_change_nothing_and_a_rerun_gives_the_same_bytes(
    study, pocket, measured
):
    path = study / "1-of-1.thoughts.parquet"
    parts = [run(study, pocket, f"{k}-of-2", batch_size=64) for k in (1, 2)]
    for index, table in enumerate((DECODING_ACTIONS, WORDS)):
        joined = merge(table, [part[index] for part in parts])
        assert_frame_equal(joined, merge(table, [measured[index]]))
    first = run(study, pocket, thoughts=3)[0]
    before = path.read_bytes()
    again = run(study, pocket, thoughts=3)[0]
    assert path.read_bytes() == before
    assert first["trace"].n_unique() == again["trace"].n_unique() == 3


def test_thoughts_from_a_file_are_not_decoded(study, pocket):
    traces = TRACES.read(study / "traces.parquet")
    none = pl.lit(None, dtype=traces.schema["logprobs"])
    TRACES.write(traces.with_columns(logprobs=none), study / "imported.parquet")
    thoughts, words, checks, runs = run(study, pocket, traces="imported.parquet")
    assert thoughts.is_empty()
    assert words.is_empty()
    assert checks["n"].sum() == 0
    assert checks["value"].null_count() == checks.height
    assert runs["note"].to_list() == [FROM_A_FILE]
    assert summarise(thoughts, IntervalSettings()).is_empty()
