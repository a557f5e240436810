"""The whole measurement on a tiny model, against plain passes; and without cases."""

import dataclasses

import polars as pl
import pytest
import torch
from tiny_twins import CASES, measured_twins, problem_of, trace_of, truth_of

from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from pocket.reading import NONE, turn_rate
from twins import measure as measure_twins
from twins.measure import Settings
from twins.pairs import pair_of
from twins.turn_probability import first_words

SETTINGS = Settings(
    pairs=10, seed=0, batch_memory=0.001, verification=Verification(0.1, 3, 0)
)


def run(folder, traces, truth, model, settings=SETTINGS, gold="22"):
    problems = [problem_of(name) | {"gold": gold} for name in CASES]
    return measured_twins(folder, problems, traces, truth, model, settings)


@pytest.fixture(scope="module")
def traces(tokenizer):
    return [trace_of(tokenizer, name) for name in CASES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("twins")


@pytest.fixture(scope="module")
def plain_logits(planted_model):
    decoder = load_decoder(planted_model)

    def logits(ids):
        with torch.inference_mode():
            return decoder.hf(torch.tensor([ids])).logits[0, -1].double()

    return logits


@pytest.fixture(scope="module")
def twins(folder, traces, planted_model, plain_logits):
    # The generation's log-probs, so that the context can be checked against them.
    made = []
    for trace in traces:
        ids = [*trace["prompt_ids"], *trace["completion_ids"]]
        start = len(trace["prompt_ids"])
        logprobs = [
            plain_logits(ids[:k]).log_softmax(-1)[ids[k]].item()
            for k in range(start, len(ids))
        ]
        made.append(trace | {"logprobs": logprobs})
    truth = [row for trace in traces for row in truth_of(trace)]
    return run(folder, made, truth, planted_model)


def test_every_cause_has_its_pair(twins):
    assert twins["cause"].to_list() == ["slip", "distractor", "distractor", "open_word"]
    assert twins["aligned"].to_list() == [True] * 4
    with_cause = [turn_rate(cause, 0) for cause in twins["cause"]]
    assert twins["planted_with"].to_list() == with_cause
    assert twins["planted_without"].to_list() == [turn_rate(NONE, 0)] * 4


def test_the_probabilities_are_those_of_plain_passes(
    twins, traces, tokenizer, plain_logits
):
    words = first_words(tokenizer)
    for trace, row in zip(traces, twins.to_dicts(), strict=True):
        name = trace["trace"]
        pair = pair_of(truth_of(trace)[0], trace, problem_of(name), tokenizer)
        for ids, side in (
            (pair.with_cause, "with"),
            (pair.without_cause, "without"),
        ):
            mass = plain_logits(ids).softmax(-1)
            share = mass[words.turn].sum() / mass[words.every].sum()
            assert row[f"raw_{side}"] == pytest.approx(share.item(), abs=1e-5)


def test_the_run_verifies_itself(folder, twins):
    checks = VERIFICATION.read(folder / "verification")
    assert checks["n"].to_list() == [3, 3]
    assert (checks["value"] < checks["bound"]).all()
    assert RUNS.read(folder / "runs")["traces"].to_list() == [4]


def test_a_wrong_position_exceeds_the_bound(
    tmp_path, traces, planted_model, plain_logits
):
    trace = traces[0]
    wrong = [-1.0] * len(trace["completion_ids"])
    run(tmp_path, [trace | {"logprobs": wrong}], truth_of(trace), planted_model)
    row = VERIFICATION.read(tmp_path / "verification").row(1, named=True)
    assert row["value"] > row["bound"]


def test_what_cannot_be_built_is_counted_by_name(tmp_path, traces, planted_model):
    rows = truth_of(traces[0])
    twins = run(tmp_path, traces[:1], rows, planted_model, gold="21")
    row = twins.row(0, named=True)
    assert row["refused"] == "the mended value is not the answer"
    assert row["turn_with"] is row["aligned"] is None


def test_without_truth_no_model_is_loaded(tmp_path, traces, planted_model, monkeypatch):
    def fail(_):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(measure_twins, "load_decoder", fail)
    twins = run(tmp_path, traces, [], planted_model)
    assert twins.is_empty()
    assert RUNS.read(tmp_path / "runs").is_empty()
    assert VERIFICATION.read(tmp_path / "verification").is_empty()


def test_batches_do_not_matter(tmp_path, folder, traces, planted_model, twins):
    truth = [row for trace in traces for row in truth_of(trace)]
    one = dataclasses.replace(SETTINGS, batch_memory=1e-9)
    other = run(tmp_path, traces, truth, planted_model, one)
    for name in ("raw_with", "raw_without", "turn_with", "turn_without"):
        both = pl.DataFrame({"one": twins[name], "other": other[name]}).drop_nulls()
        assert (both["one"] - both["other"]).abs().fill_null(0).le(1e-5).all()
