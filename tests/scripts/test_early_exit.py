"""Early exit outside Snakemake: where thoughts are cut, what is read, what it costs."""

import dataclasses
import json
import shutil
from types import SimpleNamespace

import polars as pl
import pytest
import torch
from early_exit import Settings, Task, exit_row, exits_of, main, verified_of

from doubletake.branches import Continuation
from doubletake.errors import InputError
from doubletake.models import load_decoder
from doubletake.schemas import (
    EARLY_EXIT,
    EVENTS,
    PROBLEMS,
    RUNS,
    TRACES,
    VERIFICATION,
)
from doubletake.studies import ModelSettings
from doubletake.tokens import load_tokenizer

QUESTION = "Tom has 12 pens and buys 7 more pens. How many pens does Tom have now?"
THOUGHT = (
    "First, 12 + 7 = 19. So the answer is 19. Wait, let me check that again.\n"
    "7 + 12 = 19, so it is 19 pens\n</think>\n\nThe answer is 19."
)
SETTINGS = Settings(
    answer_prompt="\n</think>\n\nThe answer is \\boxed{",
    answer_stop="}",
    max_answer_tokens=6,
    verified_traces=2,
    seed=0,
)


@pytest.fixture(scope="module")
def model(tiny_model):
    return ModelSettings(
        source=str(tiny_model),
        revision=None,
        dtype="float32",
        device="cpu",
        end_of_thought="</think>",
        template_arguments={},
    )


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(model)


@pytest.fixture(scope="module")
def task(tokenizer):
    return Task(tokenizer, SETTINGS, set())


def make_trace(tokenizer, text, name="00000/0", prompt=None, end=()):
    prompt_ids = tokenizer.prompt_ids(QUESTION) if prompt is None else prompt
    ids = [*tokenizer.encode(text), *end]
    decoded, offsets = tokenizer.decode(ids)
    closed = tokenizer.end_of_thought in ids
    place = len(prompt_ids) + ids.index(tokenizer.end_of_thought) if closed else None
    return {
        "trace": name,
        "problem": name.split("/")[0],
        "sample": 0,
        "prompt_ids": prompt_ids,
        "completion_ids": ids,
        "logprobs": None,
        "text": decoded,
        "offsets": offsets,
        "thought_end": place,
        "finish": "stop",
        "answer": "19",
        "correct": True,
    }


def arrivals_of(trace, value="19"):
    """Every mention of the value is an arrival."""
    rows, start = [], trace["text"].find(value)
    while start >= 0:
        end = start + len(value)
        last = max(i for i, offset in enumerate(trace["offsets"]) if offset < end)
        rows.append(
            {
                "trace": trace["trace"],
                "event": len(rows),
                "kind": "arrival",
                "ordinal": len(rows) + 1,
                "start": start,
                "end": end,
                "token": len(trace["prompt_ids"]) + last,
                "value": value,
                "is_gold": True,
                "is_final": True,
                "cue": None,
                "cue_kind": None,
            }
        )
        start = trace["text"].find(value, end)
    return rows


def kept(trace, tokenizer, place):
    return tokenizer.decode(
        trace["completion_ids"][: place.cut - len(trace["prompt_ids"])]
    )[0]


def test_cuts_come_after_the_sentence_of_each_arrival(tokenizer, task):
    trace = make_trace(tokenizer, THOUGHT)
    exits = exits_of(trace, arrivals_of(trace), task)
    assert [place.number for place in exits] == [0, 1, 2, 3, 4]
    assert [kept(trace, tokenizer, place) for place in exits] == [
        "",
        "First, 12 + 7 = 19.",
        "First, 12 + 7 = 19. So the answer is 19.",
        THOUGHT[: THOUGHT.index("\n</think>")],
        THOUGHT[: THOUGHT.index("\n</think>")],
    ]
    assert all(p.tokens_before == p.cut - exits[0].cut for p in exits)


def test_exit_zero_keeps_an_opening_marker_that_the_completion_wrote(tokenizer, task):
    prompt = tokenizer.prompt_ids(QUESTION)
    marker = tokenizer.encode("<think>")[0]
    bare = prompt[: prompt.index(marker)]
    opened = make_trace(tokenizer, THOUGHT)
    opening = make_trace(tokenizer, "<think>\n" + THOUGHT, prompt=bare)
    exits = exits_of(opening, arrivals_of(opening), task)
    assert kept(opening, tokenizer, exits[0]) == "<think>\n"
    sequences = [
        [
            (trace["prompt_ids"] + trace["completion_ids"])[: place.cut]
            for place in exits_of(trace, arrivals_of(trace), task)
        ]
        for trace in (opened, opening)
    ]
    assert sequences[0] == sequences[1]
    spent = [
        [place.tokens_before for place in exits_of(trace, arrivals_of(trace), task)]
        for trace in (opened, opening)
    ]
    assert spent[0] == spent[1]


def test_an_arrival_after_the_thought_is_no_exit(tokenizer, task):
    trace = make_trace(tokenizer, "I think.</think>19. The answer is 19.")
    assert [place.number for place in exits_of(trace, arrivals_of(trace), task)] == [0]


def test_an_empty_thought_has_exit_zero_before_its_marker(tokenizer, task):
    for text in ("</think>19", "<think>\n</think>19"):
        trace = make_trace(tokenizer, text)
        (place,) = exits_of(trace, arrivals_of(trace), task)
        assert place.cut <= trace["thought_end"]
        assert place.tokens_before == 0


def test_a_thought_that_never_closed_is_cut_before_its_end_token(tokenizer, task):
    end = sorted(tokenizer.stop_ids)
    trace = make_trace(tokenizer, "It is 19, I am", end=end)
    exits = exits_of(trace, arrivals_of(trace), task)
    assert kept(trace, tokenizer, exits[1]) == "It is 19, I am"


def hand_made(offsets, text):
    return {
        "prompt_ids": [1, 2],
        "completion_ids": list(range(len(offsets))),
        "text": text,
        "offsets": offsets,
        "thought_end": None,
    }


@pytest.mark.parametrize(
    ("offsets", "kept_tokens"),
    [
        ([0, 2, 5, 7, 9], 4),  # "It| is| 5|.\n|Wait": the full stop's token is kept
        ([0, 2, 5, 8, 9], 3),  # "It| is| 5.|\n|Wait"
        ([0, 2, 5, 7, 8, 9], 4),  # "It| is| 5|.|\n|Wait"
        ([0, 2, 5, 7, 7, 8], 5),  # a full stop in two tokens
        ([0, 2, 5], 3),  # the text's last token
    ],
)
def test_the_token_with_the_last_character_is_kept(offsets, kept_tokens):
    trace = hand_made(offsets, "It is 5.\nWait")
    task = SimpleNamespace(
        stop_ids=set(), tokenizer=SimpleNamespace(start_marker="<think>")
    )
    arrival = {"ordinal": 1, "start": 6, "end": 7, "token": 4}
    places = exits_of(trace, [arrival], task)
    assert [place.cut for place in places] == [2, 2 + kept_tokens]


@pytest.mark.parametrize(
    ("text", "answer", "own"),
    [
        ("19}", "19", 1),
        ("1,200}", "1200", None),
        ("\\$19 pens} is", "19", None),
        ("}", None, 0),
        ("pens}", None, None),
        ("19", "19", None),
        ("", None, 0),
        ("1 + 2}", None, None),
    ],
)
def test_reading_an_answer(tokenizer, task, text, answer, own):
    tokens = tokenizer.encode(text)
    if own is None:
        before = text.partition("}")[0]
        own = sum(start < len(before) for start in tokenizer.decode(tokens)[1])
    elif own == 1:
        own = len(tokenizer.encode("19"))
    assert task.read(tokens) == (answer, own)


def test_an_end_token_is_not_part_of_the_answer(tokenizer, task):
    end = sorted(tokenizer.stop_ids)[0]
    digits = tokenizer.encode("19")
    assert task.read([*digits, end]) == ("19", len(digits))
    assert task.ends([*digits, end])
    assert not task.ends(digits)
    assert task.read([end]) == (None, 0)


def test_unreadable_answers_are_no_answers(tokenizer, task):
    half = tokenizer.encode("é")[:1]
    assert task.read(half)[0] is None
    assert task.read([10**6]) == (None, 1)


def test_an_exit_without_an_answer_token_has_no_confidence(tokenizer, task):
    said = Continuation()
    said.add(tokenizer.encode("}")[0], [3.0, -0.5, 0.2, 1.0])
    place = SimpleNamespace(number=0, tokens_before=0)
    row = exit_row("t", place, said, "19", task)
    assert row["correct"] is False
    for name in ("answer", "logit", "logprob", "margin", "entropy"):
        assert row[name] is None


def test_scores_are_of_the_answers_own_tokens(tokenizer, task):
    said = Continuation()
    tokens = [tokenizer.encode(text)[0] for text in ("1", "8", "}")]
    for index, token in enumerate(tokens):
        said.add(token, [10.0 + index, -0.25 * (index + 1), 2.0 + index, 0.5 + index])
    place = SimpleNamespace(number=3, tokens_before=40)
    assert exit_row("t", place, said, "18.0", task) == {
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


def test_a_prompt_without_the_marker_is_refused(tokenizer):
    settings = dataclasses.replace(SETTINGS, answer_prompt="The answer is ")
    with pytest.raises(InputError, match=r"early_exit\.answer_prompt"):
        Task(tokenizer, settings, set())


def test_the_draw_of_verified_traces_needs_seed_and_ids_alone():
    names = [f"{index}/0" for index in range(20)]
    assert verified_of(names, 5, 1) == verified_of(reversed(names), 5, 1)
    assert verified_of(names, 5, 1) != verified_of(names, 5, 2)
    assert verified_of(names[:2], 5, 1) == set(names[:2])


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


def test_the_shard_verifies_itself_and_counts_its_tokens(folder, model):
    table = run(folder, model)
    checks = VERIFICATION.read(folder / "1-of-1.verification.parquet")
    assert checks["value"][0] < checks["bound"][0] == 1e-3
    assert checks["value"][1] < checks["bound"][1] == 1e-3
    assert checks["value"][2] == 1.0
    verified = verified_of([f"{i:05d}/0" for i in range(5)], 2, 0)
    assert checks["n"][2] == table.filter(pl.col("trace").is_in(verified)).height
    (cost,) = RUNS.read(folder / "1-of-1.runs.parquet").to_dicts()
    assert cost["traces"] == 5
    assert cost["tokens"] > table.height * len(SETTINGS.answer_prompt) / 4
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
