"""Early exits of hand-made traces against plain forward passes; checks and cost."""

import dataclasses
import json
import math
import shutil

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_traces import QUESTION, THOUGHT, arrivals_of, make_trace

from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from early_exit import exit_measurement
from early_exit.measure import Settings, main
from early_exit.tables import EARLY_EXIT
from early_exit.verification_figures import FLOAT32, OTHER_ANSWER, REPLAY
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES

SETTINGS = Settings(
    answer_prompt="\n</think>\n\nThe answer is \\boxed{",
    answer_stop="}",
    max_answer_tokens=6,
    batch_memory=0.01,
    verification=Verification(share=0.01, minimum=3, seed=0),
)


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(model)


TEXTS = [
    THOUGHT,
    "I cannot say.\n</think>\n\nThe answer is 19.",
    "So 19. Wait, 19. Or 19? I add 12 and 7 again",
    "It is 19.</think>",
    "19. 19. 19. 19.\n</think>\n19",
]


@pytest.fixture(scope="module")
def folder(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("early-exit")
    traces = [
        make_trace(tokenizer, text, name=f"{index:05d}/0")
        for index, text in enumerate(TEXTS)
    ]
    events = [row for trace in traces for row in arrivals_of(trace)]
    problems = [
        {
            "problem": trace["problem"],
            "question": QUESTION,
            "gold": "19",
            "solution": "12 + 7 = 19 #### 19",
        }
        for trace in traces
    ]
    TRACES.write(TRACES.frame(traces), folder / "traces.parquet")
    EVENTS.write(EVENTS.frame(events), folder / "events.parquet")
    PROBLEMS.write(PROBLEMS.frame(problems), folder / "problems.parquet")
    return folder


def run(folder, model, shard="1-of-1", settings=SETTINGS):
    main(
        problems_path=folder / "problems.parquet",
        traces_path=folder / "traces.parquet",
        events_path=folder / "events.parquet",
        exits_path=folder / f"{shard}.parquet",
        verification_path=folder / f"{shard}.verification.parquet",
        runs_path=folder / f"{shard}.runs.parquet",
        model=model,
        settings=settings,
        shard=shard,
    )
    return EARLY_EXIT.read(folder / f"{shard}.parquet")


def assert_same(one, other):
    """Equal answers; scores differ by rounding, as batches differ."""
    assert_frame_equal(one, other, abs_tol=1e-4, rel_tol=0)


def reference_answer(hf, ids, stop, stop_ids, tokenizer, count):
    """Greedy answer by plain forward passes of the whole sequence, in float64.

    Returns the scores of the answer's tokens, and the log-prob of the whole answer:
    None if it has not ended. Its end is found by trying every token of the vocabulary.
    """
    tokens, scores = [], []
    for _ in range(count):
        logits = hf(input_ids=torch.tensor([ids + tokens])).logits[0, -1].double()
        token = int(logits.argmax())
        logprobs = logits.log_softmax(-1)
        best = logits.sort(descending=True).values
        entropy = -(logprobs.exp() * logprobs).sum()
        scores.append((logits[token], logprobs[token], best[0] - best[1], entropy))
        before = b"".join(map(tokenizer.piece, tokens))
        answer = text_of_ended(before, token, stop, stop_ids, tokenizer)
        if answer is not None:
            ends = [
                float(logprobs[other].exp())
                for other in range(len(tokenizer.tokenizer))
                if text_of_ended(before, other, stop, stop_ids, tokenizer) == answer
            ]
            whole = float(sum(score[1] for score in scores[:-1])) + math.log(sum(ends))
            only_ends = token in stop_ids or before == answer
            own = scores[:-1] if only_ends else scores
            return own, whole if own else None
        tokens.append(token)
    return scores, None


def text_of_ended(before, token, stop, stop_ids, tokenizer):
    """Text of an answer that this token ends; None if it does not end."""
    if token in stop_ids:
        return before
    text, found, _ = (before + tokenizer.piece(token)).partition(stop)
    return text if found else None


@pytest.mark.parametrize("stop", ["}", "e", "\n"])
def test_exits_equal_plain_forward_passes(folder, model, tokenizer, stop):
    settings = dataclasses.replace(SETTINGS, answer_stop=stop, max_answer_tokens=10)
    table = run(folder, model, settings=settings)
    hf = load_decoder(model).hf
    traces = TRACES.read(folder / "traces.parquet").rows_by_key("trace", named=True)
    suffix = tokenizer.encode(settings.answer_prompt)
    assert table.height > 10
    for row in table.iter_rows(named=True):
        (trace,) = traces[row["trace"]]
        ids = trace["prompt_ids"] + trace["completion_ids"]
        cut = len(trace["prompt_ids"]) + row["tokens_before"]
        scores, whole = reference_answer(
            hf,
            ids[:cut] + suffix,
            stop.encode(),
            tokenizer.stop_ids,
            tokenizer,
            settings.max_answer_tokens,
        )
        names = ("logit", "margin", "entropy", "whole_logprob")
        measured = [row[name] for name in names]
        if not scores:
            assert measured == [None] * 4
            continue
        logits, _, margins, entropies = zip(*scores, strict=True)
        assert measured[:3] == pytest.approx(
            [float(sum(logits) / len(logits)), float(margins[0]), float(entropies[0])],
            abs=1e-4,
        )
        assert row["ended"] == (whole is not None)
        assert row["whole_logprob"] == pytest.approx(whole, abs=1e-4)


def test_every_trace_has_exit_zero_and_one_exit_per_arrival(folder, model):
    table = run(folder, model)
    counts = dict(table.group_by("trace").len().iter_rows())
    assert [counts[f"{index:05d}/0"] for index in range(5)] == [5, 1, 4, 2, 5]
    assert table.filter(pl.col("exit") == 0)["tokens_before"].to_list() == [0] * 5


def test_three_shards_give_the_table_of_one(folder, model):
    whole = run(folder, model).sort("trace", "exit")
    parts = pl.concat([run(folder, model, f"{k}-of-3") for k in (1, 2, 3)])
    assert_same(parts.sort("trace", "exit"), whole)


def test_batches_change_nothing(folder, model):
    one_by_one = dataclasses.replace(SETTINGS, batch_memory=1e-9)
    together = run(folder, model).sort("trace", "exit")
    assert_same(run(folder, model, settings=one_by_one).sort("trace", "exit"), together)


def test_a_shard_without_traces_writes_empty_tables(folder, model):
    assert run(folder, model, "7-of-9").height == 0
    checks = VERIFICATION.read(folder / "7-of-9.verification.parquet")
    assert checks["value"].null_count() == checks.height
    assert checks["n"].to_list() == [0] * 8


def test_the_shard_verifies_itself_and_counts_its_tokens(folder, model):
    table = run(folder, model)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet")
    assert checks["value"][0] < checks["bound"][0] == 1e-3
    assert checks["value"][1] < checks["bound"][1] == 1e-3
    assert checks["value"][3] == 1.0
    assert checks["n"][3] == 3  # the minimum, as the share allows less
    everything = Verification(share=1.0, minimum=10**6, seed=0)
    settings = dataclasses.replace(
        SETTINGS, verification=everything, answer_stop="e", max_answer_tokens=10
    )
    table = run(folder, model, settings=settings)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet")
    assert checks["n"][3] == table.height
    assert checks["n"][2] == table["ended"].sum() > 0
    assert (checks["value"][:3] < checks["bound"][:3]).all()
    (cost,) = RUNS.read(folder / "1-of-1.runs.parquet").to_dicts()
    assert cost["traces"] == 5
    assert cost["tokens"] > table.height * len(SETTINGS.answer_prompt) / 4
    assert cost["note"] == ""


def test_a_trace_beyond_the_window_of_the_layers_is_computed(folder, model, tmp_path):
    """The same weights as a Mistral, whose layers see 16 tokens."""
    source = tmp_path / "windowed-model"
    shutil.copytree(model.source, source)
    config = json.loads((source / "config.json").read_text())
    config |= {"model_type": "mistral", "sliding_window": 16}
    config["architectures"] = ["MistralForCausalLM"]
    (source / "config.json").write_text(json.dumps(config))
    wide = run(folder, model)
    table = run(folder, dataclasses.replace(model, source=str(source)))
    assert table["trace"].n_unique() == 5
    assert (table["entropy"] - wide["entropy"]).abs().max() > 1e-3
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet")
    assert checks["value"][0] < 1e-3
    assert checks["value"][3] == 1.0
    (cost,) = RUNS.read(folder / "1-of-1.runs.parquet").to_dicts()
    assert cost["note"] == ""


def test_a_trace_beyond_the_models_reach_is_refused_by_id(
    folder, model, tokenizer, tmp_path
):
    short = tmp_path / "short-model"
    shutil.copytree(model.source, short)
    config = json.loads((short / "config.json").read_text())
    trace = TRACES.read(folder / "traces.parquet").row(0, named=True)
    needed = trace["thought_end"] - 1 + len(tokenizer.encode(SETTINGS.answer_prompt))
    config["max_position_embeddings"] = needed + SETTINGS.max_answer_tokens - 1
    (short / "config.json").write_text(json.dumps(config))
    table = run(folder, dataclasses.replace(model, source=str(short)))
    (cost,) = RUNS.read(folder / "1-of-1.runs.parquet").to_dicts()
    assert cost["note"].startswith("1 trace(s) beyond")
    assert cost["note"].endswith("00000/0")
    assert cost["traces"] == table["trace"].n_unique() == 4
    # Cases are drawn from what was not refused: all of them, where that is the minimum.
    everything = Verification(share=0.1, minimum=table.height, seed=0)
    settings = dataclasses.replace(SETTINGS, verification=everything)
    run(folder, dataclasses.replace(model, source=str(short)), settings=settings)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet")
    assert checks["n"][3] == table.height


def test_the_effect_of_retokenization_is_measured(folder, model, monkeypatch):
    # Tiny tokens never join marks with line breaks: nothing changes.
    run(folder, model)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet").tail(3)
    assert checks["value"].to_list() == [0.0, None, None]
    assert checks["n"].to_list() == [12, 0, 0]
    # Every second exit seems to keep other tokens, so its answer may differ.
    monkeypatch.setattr(
        exit_measurement,
        "suffix_as_written",
        lambda ids, point, prompt: prompt.suffix("8") if point.number % 2 else None,
    )
    everything = Verification(share=1.0, minimum=10**6, seed=0)
    settings = dataclasses.replace(
        SETTINGS, verification=everything, answer_stop="e", max_answer_tokens=10
    )
    run(folder, model, settings=settings)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet").tail(3)
    assert checks["n"].to_list()[:2] == [12, 7]
    assert checks["value"][0] == 7 / 12
    assert checks["value"][2] > 0


def test_a_16_bit_model_is_compared_with_itself_in_float32(folder, model):
    everything = Verification(share=9.0, minimum=7, seed=0)
    settings = dataclasses.replace(SETTINGS, verification=everything)
    coarse = dataclasses.replace(model, dtype="bfloat16")
    table = run(folder, coarse, settings=settings)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet")
    replay = checks.filter(check=REPLAY).rows_by_key("statistic", named=True)
    (bounded,) = replay[OTHER_ANSWER]
    assert (bounded["bound"], bounded["n"]) == (0.01, table.height)
    packed, plain, other = checks.filter(check=FLOAT32).to_dicts()
    assert 1e-4 < packed["value"] < 3 * plain["value"]
    assert packed["n"] == plain["n"] > other["n"] == 7  # tokens; exits
    assert [row["bound"] for row in (packed, plain, other)] == [None] * 3
