"""Exact attribution outside Snakemake: values, shards, batches, the budget, checks."""

import dataclasses

import polars as pl
import pytest
import torch
from checkouts import ROOT
from polars.testing import assert_frame_equal
from tiny_attribution import write_study

from activations.reading import ActivationCache, Origin
from attribution.context_tables import words_table
from attribution.decision_contexts import decision_contexts
from attribution.measure import main as attribute
from attribution.scoring import Settings as AttributionSettings
from attribution.tables import (
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.words import read_stop_words, words_around
from exact_attribution import event_rows
from exact_attribution.measure import STUDY_TABLES, TABLES, main
from exact_attribution.settings import Settings
from traces.tables import TRACES
from truth.tables import TRUTH
from turns.tables import TURN_WORDS, TURNS

CHECKS = Verification(share=1.0, minimum=10, seed=0)
SETTINGS = Settings(
    backtracks=None,
    minutes=1e6,
    least=1,
    top=3,
    random=2,
    depths=[0.0, 0.6],
    steps=[0.25],
    sampled_backtracks=3,
    sampled_words=3,
    path_points=2,
    seed=0,
    metric="log_odds",
    batch_memory=0.1,
    verification=CHECKS,
)


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """A study whose words are ranked by the estimate; one has a planted cause."""
    folder = tmp_path_factory.mktemp("exact")
    write_study(folder, model)
    settings = AttributionSettings(
        0.1, ["backtrack", "control"], "log_odds", "gradient", 2, False, CHECKS, 3
    )
    files = ("problems", "traces", "events", "turns", "words", "index")
    outputs = ("scores", "tokens", "prompts", "cells", "verification", "runs")
    attribute(
        **{f"{name}_path": folder / f"{name}.parquet" for name in files},
        **{f"{name}_path": folder / f"a.{name}.parquet" for name in outputs},
        cache_paths=[folder / "1-of-1.safetensors"],
        model=model,
        settings=settings,
        shard="1-of-1",
    )
    contexts = decision_contexts(
        ATTRIBUTION_TOKENS.read(folder / "a.tokens.parquet"),
        TRACES.read(folder / "traces.parquet"),
        ATTRIBUTION_PROMPTS.read(folder / "a.prompts.parquet"),
        read_stop_words(ROOT / "resources/stop_words/english.txt"),
        5,
    )
    ATTRIBUTION_WORDS.write(words_table(list(contexts)), folder / "a.words.parquet")
    turn = TURNS.read(folder / "turns.parquet").filter(kind="backtrack").to_dicts()[1]
    trace = TRACES.read(folder / "traces.parquet").filter(trace=turn["trace"])
    start = trace["text"].item().index("say 19")
    boundary = {
        "trace": turn["trace"],
        "problem": turn["problem"],
        "boundary": 1,
        "start": 0,
        "end": 1,
        "token": turn["position"] + 1,
        "choice": "turn",
        "word": "Wait",
        "cause": "slip",
        "causes": 1,
        "cause_in": "thought",
        "cause_start": start,
        "cause_end": start + 6,
        "turns": 0,
        "probability": 0.5,
    }
    TRUTH.write(TRUTH.frame([boundary]), folder / "truth.parquet")
    return folder


@pytest.fixture
def run(folder, model, tmp_path):
    def run_shard(shard: str = "1-of-1", **changes) -> dict[str, pl.DataFrame]:
        own = ("problems", "truth")
        outputs = {table.key: tmp_path / f"{shard}.{table.key}" for table in TABLES}
        paths = {
            name: tmp_path / f"{shard}.{name}" for name in ("verification", "runs")
        }
        main(
            traces_path=folder / "traces.parquet",
            events_path=folder / "events.parquet",
            turns_path=changes.pop("turns_path", folder / "turns.parquet"),
            turn_words_path=folder / "words.parquet",
            index_path=folder / "index.parquet",
            cache_paths=[folder / "1-of-1.safetensors"],
            table_paths={
                name: folder / f"{'' if name in own else 'a.'}{name}.parquet"
                for name in STUDY_TABLES
            },
            output_paths=outputs,
            **{f"{name}_path": path for name, path in paths.items()},
            model=model,
            settings=dataclasses.replace(SETTINGS, **changes),
            shard=shard,
        )
        tables = {table.key: table.read(outputs[table.key]) for table in TABLES}
        tables["verification"] = VERIFICATION.read(paths["verification"])
        return tables | {"runs": RUNS.read(paths["runs"])}

    return run_shard


def test_exact_values_equal_passes_hooked_by_hand(run, folder, model):
    """Every cell again: the tokens of the word by its characters, states by a hook."""
    found = run()
    decoder = load_decoder(model)
    cache = [folder / "1-of-1.safetensors"]
    origin = Origin.of(model, folder / "events.parquet")
    means = ActivationCache(folder / "index.parquet", cache, origin).means()["resid"]
    words = TURN_WORDS.read(folder / "words.parquet").filter(group="backtrack")
    traces = TRACES.read(folder / "traces.parquet").rows_by_key(
        "trace", named=True, unique=True
    )
    prompts = ATTRIBUTION_PROMPTS.read(folder / "a.prompts.parquet").rows_by_key(
        "trace", named=True, unique=True
    )
    position = {
        row["trace"]: row["position"] for row in found["events"].iter_rows(named=True)
    }

    def metric(name: str, layer: int, tokens: list[int], step: float) -> float:
        trace = traces[name]
        ids = (trace["prompt_ids"] + trace["completion_ids"])[: position[name] + 1]

        def move(_, inputs):
            states = inputs[0].clone()
            for token in tokens:
                states[0, token] += step * (means[layer] - states[0, token])
            return (states, *inputs[1:])

        handle = decoder.layers[layer].register_forward_pre_hook(move)
        with torch.no_grad():
            logits = decoder.hf(torch.tensor([ids]), use_cache=False).logits[0, -1]
        handle.remove()
        share = logits.double().softmax(-1)[words["token_id"].to_list()].sum()
        return float(share.log() - (1 - share).log())

    assert found["cells"].height > 30
    for row in found["cells"].iter_rows(named=True):
        name = row["trace"]
        before, _ = words_around(position[name], traces[name], prompts[name])
        (word,) = [
            word
            for word in before
            if (word.name, word.first_token) == (row["word"], row["token"])
        ]
        tokens = list(range(word.first_token, word.last_token + 1))
        clean = metric(name, row["layer"], [], 0)
        wanted = metric(name, row["layer"], tokens, row["step"]) - clean
        assert row["exact"] * row["step"] == pytest.approx(wanted, abs=2e-5)


def test_a_word_has_its_largest_value_and_ranks_of_all_measures(run):
    found = run()
    cells = found["cells"].filter(pl.col("step") == 1)
    assert set(cells["layer"]) == {0, 2}
    for row in found["words"].iter_rows(named=True):
        own = cells.filter(
            trace=row["trace"], event=row["event"], token=row["token"], word=row["word"]
        )
        assert own.height == 2
        assert abs(row["exact"]) == own["exact"].abs().max()
        assert abs(row["estimate"]) == own["estimate"].abs().max()
        at = own.filter(layer=row["layer"])
        assert at["exact"].item() == row["exact"]
        assert at["estimate"].item() == row["same_cell"]
    for _, event in found["words"].group_by("trace", "event"):
        for name in ("exact", "estimate", "published"):
            ranked = event.sort(f"{name}_rank")
            assert ranked[f"{name}_rank"].to_list() == list(range(1, event.height + 1))
            sizes = ranked[name].abs().to_list()
            assert sizes == sorted(sizes, reverse=True)
    caused = found["words"].filter("is_cause")
    assert set(caused["word"]) == {"say", "19"}


def test_the_sample_moves_by_steps_and_along_its_path(run):
    cells = run(path_points=60)["cells"]
    sampled = cells.drop_nulls("integrated")
    assert sampled.height == 9  # three words of three backtracks
    assert (sampled["step"] == 1).all()
    # The mean slope along the whole path is the exact change.
    error = (sampled["integrated"] - sampled["exact"]).abs().max()
    assert error < 0.05 * sampled["exact"].abs().max()
    small = cells.filter(pl.col("step") == 0.25)
    assert_frame_equal(
        small.select("trace", "token", "layer"),
        sampled.select("trace", "token", "layer"),
    )


@pytest.mark.parametrize("batch_memory", [1e-9, 1e-4])
def test_batches_of_another_size_give_the_same_rows(run, batch_memory):
    whole, small = run(), run(batch_memory=batch_memory)
    for table in TABLES:
        assert_frame_equal(whole[table.key], small[table.key], abs_tol=2e-5)


def test_shards_give_the_same_rows(run):
    whole, parts = run(), [run("1-of-2"), run("2-of-2")]
    for table in TABLES:
        joined = pl.concat(part[table.key] for part in parts)
        joined = joined.sort(table.sort, maintain_order=True)
        assert_frame_equal(whole[table.key], joined, abs_tol=1e-6)
    assert whole["verification"]["n"].to_list()[0] == sum(
        part["verification"]["n"][0] for part in parts
    )


def test_time_that_is_over_leaves_the_first_ones(run):
    events = run(minutes=0.0, least=2)["events"].sort("place")
    assert events["budget"].to_list() == ["least", "least", "late", "late"]
    assert events["words"].is_null().to_list() == [False, False, True, True]
    parts = [run(f"{k}-of-2", minutes=0.0, least=2)["events"] for k in (1, 2)]
    assert_frame_equal(pl.concat(parts).sort("place"), events)


def test_a_cap_takes_the_first_ones_of_the_order(run):
    events, capped = run()["events"], run(backtracks=2)["events"]
    assert_frame_equal(capped, events.filter(pl.col("place") <= 2))


def test_nothing_to_measure_gives_empty_tables(run, tmp_path):
    TURNS.write(TURNS.frame([]), tmp_path / "turns.parquet")
    found = run(turns_path=tmp_path / "turns.parquet")
    assert all(found[table.key].is_empty() for table in TABLES)
    assert found["runs"].is_empty()
    assert found["verification"]["n"].to_list() == [0, 0, 0]


def test_the_checks_hold(run):
    table = run()["verification"]
    assert (table["value"] < table["bound"]).all()
    assert table["n"].min() >= 4


def test_another_estimate_than_the_slope_is_noticed(run, monkeypatch):
    true = event_rows.estimate_of
    from exact_attribution import verification_figures

    monkeypatch.setattr(
        verification_figures,
        "estimate_of",
        lambda context, patch: true(context, patch) * 1.5,
    )
    row = run()["verification"].row(2, named=True)
    assert row["value"] > row["bound"]


def test_a_change_of_other_tokens_is_noticed(run, monkeypatch):
    """The fast passes move the word's tokens by a part of the way only."""
    from doubletake.model import patching

    values = patching._Patching._metric
    monkeypatch.setattr(
        patching._Patching,
        "_metric",
        lambda self, clean, batch, steps: values(self, clean, batch, steps * 0.7),
    )
    row = run()["verification"].row(0, named=True)
    assert row["value"] > row["bound"]
