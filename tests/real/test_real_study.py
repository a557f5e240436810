"""A real model end to end: the results exist and agree with each other."""

import polars as pl
import pytest
import torch
from real_study import COUNT, MODEL, QUESTIONS, TURNS, spread

from doubletake.study.registry import experiments, stage_named
from doubletake.tables.verification import VERIFICATION

pytestmark = pytest.mark.real
OPENING = "<think>\n"
PLANTED = {"twins"}
"""Experiments on the causes of a planted language, which this model does not speak."""
DECODED = {"decoding_actions", "mistakes", "online_exit", "wrong_samples"}
"""Experiments that decode the study's thoughts again; these come from a file."""
EXPERIMENTS = [one for one in experiments() if one.name not in PLANTED | DECODED]
VERIFIED = [
    stage.name
    for stage in (*EXPERIMENTS, *map(stage_named, ("activations", "trial_points")))
    if VERIFICATION in stage.all_tables
]


def test_every_experiment_has_results(study):
    for one in EXPERIMENTS:
        for table in one.tables:
            name = table.file(one.name).removesuffix(".parquet")
            if study.table(name).height:
                break
        else:
            pytest.fail(f"{one.name} has no results")
    page = (study.checkout.folder / "results/report.html").read_text()
    assert f"{MODEL} <span" in page
    assert page.count("<img ") >= 15


def test_thoughts_of_a_file_are_not_decoded_again(study):
    for name in DECODED:
        assert study.table(name).is_empty(), name
    page = (study.checkout.folder / "results/report.html").read_text()
    assert "the thoughts come from a file" in page


def test_no_planted_cause_is_found(study):
    for name in ("truth", "truth/verification", "twins", "twins/verification"):
        assert study.table(name).is_empty(), name
    page = (study.checkout.folder / "results/report.html").read_text()
    assert "card names no planted language" in page


def test_every_thought_is_read_as_it_stands(study, thoughts):
    traces = study.table("traces").sort("trace")
    assert traces.height == len(thoughts)
    wanted = sorted(row["thought"] for row in thoughts)
    texts = traces["text"].to_list()
    assert all(any(thought in text for text in texts) for thought in wanted)
    for row in traces.iter_rows(named=True):
        assert study.tokenizer.decode(row["completion_ids"]) == row["text"]


def test_the_thoughts_turn_back(study):
    counts = (
        study.table("events")
        .group_by("trace")
        .agg(pl.col("kind").eq("backtrack").sum())
    )["kind"]
    assert counts.len() == COUNT
    assert counts.min() >= TURNS


@pytest.mark.parametrize("name", VERIFIED)
def test_every_check_that_a_stage_makes_is_within_its_bound(study, name):
    checks = study.table(f"{name}/verification").drop_nulls(["value", "bound"])
    assert checks.height
    outside = checks.filter(pl.col("value") > pl.col("bound"))
    assert outside.is_empty(), outside.to_dicts()


def test_its_own_tokens_are_the_likeliest_and_scored_as_a_plain_pass_does(study):
    traces = study.table("traces", QUESTIONS)
    assert traces.height == 2
    for row in traces.iter_rows(named=True):
        prompt, written = row["prompt_ids"], row["completion_ids"]
        assert 0 < len(written) <= 40
        with torch.no_grad():
            logits = study.model(torch.tensor([prompt + written])).logits[0]
        steps = logits[len(prompt) - 1 : -1]
        chosen = torch.tensor(written)[:, None]
        behind = steps.max(1).values - steps.gather(1, chosen)[:, 0]
        assert behind.max() < 1e-3  # temperature 0; of equal logits either may win
        expected = steps.log_softmax(1).gather(1, chosen)[:, 0]
        found = torch.tensor(row["logprobs"])
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


def plain_answer(study, kept, prompt):
    """Mean logit of a greedy answer's tokens, and the log-prob of the whole answer.

    The answer ends where a token closes its box. Every token that begins with the
    closing counts as its end, and every token that ends a text.
    """
    config = study.config["early_exit"]
    asked = kept + study.tokenizer.encode(prompt, add_special_tokens=False)
    with torch.no_grad():
        written = study.model.generate(
            torch.tensor([asked]),
            max_new_tokens=config["max_answer_tokens"],
            do_sample=False,
            pad_token_id=0,
        )
        logits = study.model(written).logits[0, len(asked) - 1 : -1]
    tokens = written[0, len(asked) :]
    vocabulary = [study.tokenizer.decode([k]) for k in range(len(study.tokenizer))]
    closing = [text.startswith("}") for text in vocabulary]
    closing[study.tokenizer.eos_token_id] = True
    ends = [index for index, token in enumerate(tokens) if closing[token]]
    own = ends[0] if ends else len(tokens)
    assert not any("}" in vocabulary[token] for token in tokens[:own])
    logprobs = logits.log_softmax(1)
    chosen = tokens[:own, None]
    whole = logprobs[:own].gather(1, chosen).sum()
    if ends:
        whole += logprobs[own, : len(closing)][torch.tensor(closing)].logsumexp(0)
    return {
        "logit": logits[:own].gather(1, chosen).mean().item(),
        "whole_logprob": whole.item() if ends else None,
    }


def test_answers_at_exits_are_those_of_a_plain_pass(study):
    prompt = study.config["early_exit"]["answer_prompt"]
    prompt = prompt.replace("{closing}", "\n</think>\n\n")
    traces = study.table("traces").rows_by_key("trace", named=True, unique=True)
    arrivals = study.table("events").filter(kind="arrival")
    exits = study.table("early_exit").filter(pl.col("exit") > 0).drop_nulls("logit")
    for row in spread(exits.sort("trace", "exit"), 5):
        trace = traces[row["trace"]]
        assert trace["text"].startswith(OPENING)
        opening = sum(start < len(OPENING) for start in trace["offsets"])
        cut = opening + row["tokens_before"]
        named = {"trace": row["trace"], "ordinal": row["exit"]}
        (arrival,) = arrivals.filter(**named).to_dicts()
        assert trace["offsets"][cut] >= arrival["end"]
        kept = trace["prompt_ids"] + trace["completion_ids"][:cut]
        expected = plain_answer(study, kept, prompt)
        assert row["logit"] == pytest.approx(expected["logit"], abs=2e-3)
        whole = expected["whole_logprob"]
        assert row["whole_logprob"] == pytest.approx(whole, abs=2e-3)
