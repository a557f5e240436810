"""Early exit outside Snakemake: what is computed, its proof and its cost."""

import dataclasses
import json
import math
import shutil
from types import SimpleNamespace

import polars as pl
import pytest
import torch
from tiny_traces import QUESTION, THOUGHT, arrivals_of, make_trace

from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from early_exit import measure as early_exit
from early_exit.branches import Branch, Continuation
from early_exit.checks import CutEffect, Differences
from early_exit.exits import AnswerPrompt, Exit
from early_exit.measure import Settings, main
from early_exit.plans import Planned, drawn_of, exit_row
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES

SETTINGS = Settings(
    answer_prompt="\n</think>\n\nThe answer is \\boxed{",
    answer_stop="}",
    max_answer_tokens=6,
    verification=Verification(share=0.01, minimum=3, seed=0),
)


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(model)


@pytest.fixture(scope="module")
def prompt(tokenizer):
    return AnswerPrompt(tokenizer, SETTINGS.answer_prompt, SETTINGS.answer_stop, set())


def test_an_exit_without_an_answer_token_has_no_confidence(tokenizer, prompt):
    said = Continuation()
    said.add(tokenizer.encode("}")[0], [3.0, -0.5, 0.2, 1.0])
    place = SimpleNamespace(number=0, tokens_before=0)
    row = exit_row("t", place, said, "19", prompt)
    assert row["correct"] is False
    for name in ("answer", "logit", "logprob", "margin", "entropy"):
        assert row[name] is None


def test_scores_are_of_the_answers_own_tokens(tokenizer, prompt):
    said = Continuation()
    tokens = [tokenizer.encode(text)[0] for text in ("1", "8", "}")]
    for index, token in enumerate(tokens):
        said.add(token, [10.0 + index, -0.25 * (index + 1), 2.0 + index, 0.5 + index])
    place = SimpleNamespace(number=3, tokens_before=40)
    assert exit_row("t", place, said, "18.0", prompt) == {
        "trace": "t",
        "exit": 3,
        "tokens_before": 40,
        "answer": "18",
        "correct": True,
        "logit": 10.5,
        "logprob": -0.75,
        "margin": 2.0,
        "entropy": 0.5,
    }


def planned(name: str, *cuts: int) -> Planned:
    exits = [Exit(n, cut, cut, (1,) * 10, cut) for n, cut in enumerate(cuts)]
    branches = [Branch(place.cut, place.suffix) for place in exits]
    others = {len(cuts) - 1: Branch(cuts[-1], (1,) * 9)}
    return Planned({"trace": name}, exits, branches, others)


def test_the_draw_of_verified_exits_keeps_to_its_share_and_minimum():
    parts = [planned(f"{k}/0", 20, 50 + k, 80 + k) for k in range(40)]
    costs = {
        (part.trace["trace"], place.number): place.cut + 10 + 4
        for part in parts
        for place in part.exits
    }
    work = sum(80 + k + 3 * 14 for k in range(40))
    drawn = drawn_of(parts, 5, Verification(0.2, 3, 1))
    assert 3 < len(drawn.replayed) < 10
    assert sum(costs[name] for name in drawn.replayed) <= 0.1 * work
    assert sum(costs[name] for name in drawn.replayed) > 0.1 * work - 133
    assert drawn == drawn_of(parts[::-1], 5, Verification(0.2, 3, 1))
    assert drawn != drawn_of(parts, 5, Verification(0.2, 3, 2))
    fewest = drawn_of(parts, 5, Verification(1e-9, 7, 1))
    assert (len(fewest.replayed), len(fewest.recut)) == (7, 7)
    assert {number for _, number in fewest.recut} == {2}
    fewest = drawn_of(parts[:1], 5, Verification(1e-9, 7, 1))
    assert (len(fewest.replayed), len(fewest.recut)) == (3, 1)


def test_what_the_rule_of_cuts_does_is_measured(folder, model, monkeypatch):
    # Tiny tokens never join marks with line breaks: nothing changes.
    run(folder, model)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet").tail(3)
    assert checks["value"].to_list() == [0.0, None, None]
    assert checks["n"].to_list() == [12, 0, 0]
    # Were every second exit cut at other tokens, its answer would be another exit's.
    monkeypatch.setattr(
        early_exit,
        "as_written",
        lambda ids, place, prompt: prompt.suffix("8") if place.number % 2 else None,
    )
    everything = Verification(share=1.0, minimum=10**6, seed=0)
    settings = dataclasses.replace(SETTINGS, verification=everything)
    run(folder, model, settings=settings)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet").tail(3)
    assert checks["n"].to_list()[:2] == [12, 7]
    assert checks["value"][0] == 7 / 12
    assert checks["value"][2] is None or checks["value"][2] > 0


def test_equal_answers_and_log_probs_are_counted():
    effect = CutEffect(exits=5, changed=3)
    for one, other in ((("8", -1.0), ("8", -1.5)), (("8", -1.0), (None, None))):
        effect.compare(*({"answer": a, "logprob": p} for a, p in (one, other)))
    values = [(item.value, item.n) for item in effect.figures()]
    assert values == [(0.6, 5), (0.5, 2), (0.5, 1)]
    assert [item.value for item in CutEffect().figures()] == [None, None, None]


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


def reference_answer(hf, ids, stop, stop_ids, tokenizer, count):
    """Greedy answer by plain forward passes of the whole sequence, in float64."""
    tokens, scores = [], []
    for _ in range(count):
        logits = hf(input_ids=torch.tensor([ids + tokens])).logits[0, -1].double()
        token = int(logits.argmax())
        tokens.append(token)
        logprobs = logits.log_softmax(-1)
        best = logits.sort(descending=True).values
        entropy = -(logprobs.exp() * logprobs).sum()
        scores.append((logits[token], logprobs[token], best[0] - best[1], entropy))
        data = b"".join(map(tokenizer.piece, tokens))
        if token in stop_ids or stop in data:
            break
    own, data = 0, b""
    for token in tokens:
        if token in stop_ids or stop in data:
            break
        if not tokenizer.piece(token).startswith(stop):
            own += 1
        data += tokenizer.piece(token)
    return scores[:own]


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
        scores = reference_answer(
            hf,
            ids[:cut] + suffix,
            stop.encode(),
            tokenizer.stop_ids,
            tokenizer,
            settings.max_answer_tokens,
        )
        names = ("logit", "logprob", "margin", "entropy")
        found = [row[name] for name in names]
        if not scores:
            assert found == [None] * 4
            continue
        logits, logprobs, margins, entropies = zip(*scores, strict=True)
        assert found == pytest.approx(
            [
                float(sum(logits) / len(logits)),
                float(sum(logprobs)),
                float(margins[0]),
                float(entropies[0]),
            ],
            abs=1e-4,
        )


def test_every_trace_has_exit_zero_and_one_exit_per_arrival(folder, model):
    table = run(folder, model)
    counts = dict(table.group_by("trace").len().iter_rows())
    assert [counts[f"{index:05d}/0"] for index in range(5)] == [5, 1, 4, 2, 5]
    assert table.filter(pl.col("exit") == 0)["tokens_before"].to_list() == [0] * 5


def test_three_shards_give_the_table_of_one(folder, model):
    whole = run(folder, model).sort("trace", "exit")
    parts = pl.concat([run(folder, model, f"{k}-of-3") for k in (1, 2, 3)])
    assert parts.sort("trace", "exit").equals(whole)


def test_a_shard_without_traces_writes_empty_tables(folder, model):
    assert run(folder, model, "7-of-9").height == 0
    checks = VERIFICATION.read(folder / "7-of-9.verification.parquet")
    assert checks["value"].null_count() == checks.height
    assert checks["n"].to_list() == [0] * 6


def test_a_difference_that_is_no_number_is_kept():
    found = Differences()
    one, other = Continuation(), Continuation()
    for number in (0.0, float("nan"), 0.5):
        one.add(1, [number, 0.0, 0.0, 0.0])
        other.add(1, [0.0, 0.0, 0.0, 0.0])
    found.add(one, other, [1, 1, 1])
    logit, logprob, equal = found.figures(torch.float32)
    assert math.isnan(logit.value)
    assert (logprob.value, equal.value) == (0.0, 1.0)


def test_the_shard_verifies_itself_and_counts_its_tokens(folder, model):
    table = run(folder, model)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet")
    assert checks["value"][0] < checks["bound"][0] == 1e-3
    assert checks["value"][1] < checks["bound"][1] == 1e-3
    assert checks["value"][2] == 1.0
    assert checks["n"][2] == 3  # the minimum, as the share pays for less
    everything = Verification(share=1.0, minimum=10**6, seed=0)
    run(folder, model, settings=dataclasses.replace(SETTINGS, verification=everything))
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet")
    assert checks["n"][2] == table.height
    assert (checks["value"][:2] < checks["bound"][:2]).all()
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
    assert checks["value"][2] == 1.0
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
    assert checks["n"][2] == table.height
