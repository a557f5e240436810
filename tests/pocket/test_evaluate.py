"""The metrics of the pocket model: on planted and on sampled thoughts."""

import json
import random

import pytest

from pocket.evaluate import (
    Settings,
    boxed,
    main,
    measure,
    read_thought,
    sample_test_problems,
)
from pocket.problems import is_test_question, sample_problem
from pocket.thoughts import Habits, sample_thought
from pocket.tokenizer import completion_text


def test_the_parser_reads_planted_events():
    rng = random.Random(11)
    for _ in range(1500):
        problem = sample_problem(rng)
        thought = sample_thought(problem, rng, Habits(slip=0.6))
        reading = read_thought(thought.text)
        assert reading.values == tuple(a.value for a in thought.arrivals)
        assert reading.backtracks == len(thought.backtracks)


def test_a_turn_that_states_nothing_is_no_arrival():
    reading = read_thought("2 + 3 = 5.\n\nLet me double-check.")
    assert reading.values == (5,)
    assert reading.backtracks == 1


def test_metrics_of_known_texts():
    problems = sample_test_problems(4, seed=1)
    gold = [problem.answer for problem in problems]
    texts = [
        completion_text(f"1 + 1 = {gold[0]}.\n\nLet me double-check. 1 + 1 = {gold[0]}."
                        , gold[0]),
        completion_text(f"1 + 1 = 99.\n\nLet me double-check. 1 + 1 = {gold[1]}."
                        , gold[1]),
        completion_text("1 + 1 = 99.", 99),
        f"1 + 1 = {gold[3]}.",
    ]  # fmt: skip
    metrics = measure(problems, texts, [10, 20, 30, 40], [gold[0], None, 1, 1])
    assert metrics["accuracy"] == 0.5
    assert metrics["closed"] == 0.75
    assert metrics["two_or_more_arrivals"] == 0.5
    assert metrics["four_or_more_arrivals"] == 0
    assert metrics["first_derivation_wrong"] == 0.5
    assert metrics["mended_of_wrong"] == 0.5
    assert metrics["forced_accuracy"] == 0.25
    assert metrics["backtracks"] == {"0": 2, "1": 2}
    assert metrics["mean_tokens"] == 25


@pytest.mark.parametrize(
    ("text", "value"),
    [("\\boxed{14}.", 14), ("\\boxed{1} \\boxed{2}", 2), ("14", None), ("", None)],
)
def test_the_boxed_answer(text, value):
    assert boxed(text) == value


def test_test_problems_are_different_and_of_the_test_split():
    problems = sample_test_problems(50, seed=0)
    questions = {problem.question for problem in problems}
    assert len(questions) == 50
    assert all(map(is_test_question, questions))
    assert problems == sample_test_problems(60, seed=0)[:50]


def test_sampling_is_repeatable_and_written(tiny_model, tmp_path):
    settings = Settings(
        problems=5, seed=0, temperature=0.6, top_p=0.95, max_new_tokens=8, batch=3
    )
    traces = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        main(
            model_path=tiny_model,
            problems_path=folder / "problems.jsonl",
            metrics_path=folder / "metrics.json",
            traces_path=folder / "traces.jsonl",
            settings=settings,
        )
        traces.append((folder / "traces.jsonl").read_text())
        rows = (folder / "problems.jsonl").read_text().splitlines()
        metrics = json.loads((folder / "metrics.json").read_text())
        assert len(rows) == metrics["problems"] == 5
    assert traces[0] == traces[1]
