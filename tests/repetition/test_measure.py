"""Scores against plain passes of whole texts; draws; studies without a thought."""

from dataclasses import replace

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_repetition import ONCE, QUESTION, RIGHT, WRONG, events_of, pocket_trace

from doubletake.model.forced_answers import AnswerPrompt
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from events.tables import EVENTS
from problems.tables import PROBLEMS
from repetition import measurement
from repetition.arms import arms_of
from repetition.measure import Settings, main
from repetition.tables import REPETITION
from repetition.verification_figures import DECODED, PLAIN, TEXTS
from traces.tables import TRACES

SETTINGS = Settings(
    answer_prompt="{closing}The answer is \\boxed{",
    answer_stop="}",
    max_answer_tokens=8,
    thoughts=2,
    most=3,
    filler=["The steps are not hard to do."],
    seed=0,
    batch_memory=0.1,
    verification=Verification(0.1, 5, 0),
)
TEXTS_OF = {"00000/0": RIGHT, "00001/0": WRONG, "00002/0": ONCE, "00003/0": RIGHT}


def write_study(folder, tokenizer, texts):
    traces = [pocket_trace(tokenizer, text, name) for name, text in texts.items()]
    events = [
        row
        for trace, text in zip(traces, texts.values(), strict=True)
        for row in events_of(trace, text)
    ]
    problems = [
        {
            "problem": trace["problem"],
            "question": QUESTION,
            "gold": "40",
            "solution": "40",
        }
        for trace in traces
    ]
    TRACES.write(TRACES.frame(traces), folder / "traces.parquet")
    EVENTS.write(EVENTS.frame(events), folder / "events.parquet")
    PROBLEMS.write(PROBLEMS.frame(problems), folder / "problems.parquet")
    return folder


def run(folder, pocket, settings=SETTINGS):
    main(
        problems_path=folder / "problems.parquet",
        traces_path=folder / "traces.parquet",
        events_path=folder / "events.parquet",
        repetition_path=folder / "repetition.parquet",
        verification_path=folder / "verification.parquet",
        runs_path=folder / "runs.parquet",
        model=pocket,
        settings=settings,
    )
    return REPETITION.read(folder / "repetition.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    return write_study(tmp_path_factory.mktemp("repetition"), tokenizer, TEXTS_OF)


@pytest.fixture(scope="module")
def rows(folder, pocket):
    return run(folder, pocket)


@torch.inference_mode()
def plain_logprob(decoder, prompt, text, answer):
    """Log-prob of an answer and its end after a text, token by token, in float64."""
    tokenizer = prompt.tokenizer
    ids = tokenizer.prompt_ids(QUESTION) + tokenizer.encode(text + prompt.text)
    own = tokenizer.encode(answer)
    total, logits_of = 0.0, []
    for k in range(len(own) + 1):
        read = torch.tensor([[*ids, *own[:k]]])
        logits = decoder.hf(input_ids=read).logits[0, -1].double()
        logprobs = logits.log_softmax(-1)
        if k < len(own):
            total += float(logprobs[own[k]])
            logits_of.append(float(logits[own[k]]))
            continue
        ends = [
            token
            for token in range(len(tokenizer.tokenizer))
            if tokenizer.piece(token).startswith(b"}") or token in prompt.stop_ids
        ]
        total += float(logprobs[ends].logsumexp(0))
    return total, sum(logits_of) / len(logits_of)


def test_scores_are_those_of_plain_passes_over_the_whole_text(rows, decoder, tokenizer):
    prompt = AnswerPrompt(tokenizer, SETTINGS.answer_prompt, "}", decoder.stop_ids)
    own = rows.filter(trace="00001/0")
    (wrong,) = own.filter(answer="other")["text"].unique()
    start = WRONG[: WRONG.index("She sells")]
    stated = "She sells 6, so 46 - 6 = 52."
    other = stated.replace("52", wrong)
    texts = {
        ("thought", 1): start + stated,
        ("thought", 2): WRONG[: WRONG.index("\nTherefore")],
        ("repeated", 3): start + "\n".join([stated] * 3),
        ("wrong_repeats", 2): f"{start}{stated}\n{other}",
        ("wrong_all", 2): f"{start}{other}\n{other}",
    }
    for (arm, number), text in texts.items():
        scored = own.filter(arm=arm, exit=number).to_dicts()
        assert len(scored) >= 2
        for row in scored:
            logprob, logit = plain_logprob(decoder, prompt, text, row["text"])
            assert row["logprob"] == pytest.approx(logprob, abs=1e-3)
            assert row["logit"] == pytest.approx(logit, abs=1e-3)


def test_one_answer_stays_fixed_and_exit_1_is_the_same_in_all_arms(rows):
    fixed = rows.filter(answer="fixed")
    assert fixed.group_by("trace").agg(pl.col("text").n_unique())["text"].max() == 1
    shared = rows.filter(pl.col("exit") == 1, pl.col("arm") != "wrong_all")
    for _, own in shared.group_by("trace", "answer"):
        assert own["logprob"].n_unique() == 1
    at_1 = fixed.filter(pl.col("exit") == 1, pl.col("arm") == "thought")
    assert at_1["said"].all()
    arms = {"thought", "repeated", "filler", "wrong_repeats", "wrong_all"}
    assert set(at_1["arm"]) < set(fixed.filter(exit=2)["arm"]) == arms
    stated = rows.filter(trace="00001/0", answer="stated")["text"].unique().to_list()
    assert stated == ["52"]


def test_only_thoughts_with_two_arrivals_are_drawn_some_of_each_outcome(
    rows, folder, pocket
):
    names = rows.select("trace", "outcome").unique().sort("trace").rows()
    assert names == [("00000/0", "right"), ("00001/0", "wrong"), ("00003/0", "right")]
    few = run(folder, pocket, replace(SETTINGS, thoughts=1, most=2))
    drawn = few.select("trace", "outcome").unique()
    assert sorted(drawn["outcome"]) == ["right", "wrong"]
    assert few["exit"].max() == 2
    assert few["arrivals"].max() == 4


def test_rows_do_not_depend_on_the_batches(rows, folder, pocket):
    small = run(folder, pocket, replace(SETTINGS, batch_memory=0.0001))
    assert_frame_equal(rows, small, abs_tol=1e-4, rel_tol=0)


def test_the_verification_is_within_its_bounds_and_can_fail(
    folder, pocket, monkeypatch
):
    run(folder, pocket)
    table = VERIFICATION.read(folder / "verification.parquet")
    checked = {row["check"]: row for row in table.to_dicts()}
    assert set(checked) == {PLAIN, DECODED, TEXTS}
    assert (table["value"] <= table["bound"]).all()
    assert checked[DECODED]["n"] == 3
    assert checked[TEXTS]["n"] > 20
    monkeypatch.setattr(
        measurement,
        "scored_branch",
        lambda point, answer: replace(
            branch := scored(point, answer), cut=branch.cut - 1
        ),
    )
    run(folder, pocket)
    table = VERIFICATION.read(folder / "verification.parquet")
    broken = table.filter(pl.col("value") > pl.col("bound"))["check"].to_list()
    assert broken == [DECODED]


scored = measurement.scored_branch
continue_branches = measurement.continue_branches


def test_wrong_scores_and_wrong_cuts_are_found(folder, pocket, monkeypatch):
    def perturbed(*arguments):
        for number, reads in continue_branches(*arguments):
            for read in reads:
                if read.last_logprobs is not None:
                    read.last_logprobs = read.last_logprobs + 0.01
            yield number, reads

    def cut_short(case, *arguments):
        arms = arms_of(case, *arguments)
        points = [replace(p, suffix=p.suffix[1:]) for p in arms[1].points]
        return [arms[0], replace(arms[1], points=points), *arms[2:]]

    monkeypatch.setattr(measurement, "continue_branches", perturbed)
    monkeypatch.setattr(measurement, "arms_of", cut_short)
    run(folder, pocket)
    table = VERIFICATION.read(folder / "verification.parquet")
    broken = table.filter(pl.col("value") > pl.col("bound"))["check"].to_list()
    assert broken == [PLAIN, TEXTS]


def test_a_study_without_two_arrivals_measures_nothing(tmp_path, tokenizer, pocket):
    folder = write_study(tmp_path, tokenizer, {"00000/0": ONCE})
    assert run(folder, pocket).is_empty()
    assert RUNS.read(folder / "runs.parquet").is_empty()
    table = VERIFICATION.read(folder / "verification.parquet")
    assert table["value"].null_count() == table.height


def test_a_thought_whose_answer_does_not_end_is_left_out_by_name(folder, pocket):
    assert run(folder, pocket, replace(SETTINGS, max_answer_tokens=1)).is_empty()
    (note,) = RUNS.read(folder / "runs.parquet")["note"]
    assert "00001/0: its answer at exit 1 has no end" in note
