"""Problems of the pocket language: sound solutions, and a test split by the text."""

import json
import random
import re
from pathlib import Path

from pocket.arithmetic import calculate, is_fact
from pocket.problems import Problem, gsm8k_row, is_test_question, sample_problem

SHIPPED = Path(__file__).parents[2] / "resources/pocket/problems.jsonl"


def sample(seed: int, count: int) -> list[Problem]:
    rng = random.Random(seed)
    return [sample_problem(rng) for _ in range(count)]


PROBLEMS = sample(0, 1000)


def test_the_answer_stands_nowhere_in_the_question_or_among_the_steps():
    for problem in PROBLEMS:
        numbers = set(map(int, re.findall(r"\d+", problem.question)))
        before = {e.result for e in problem.equations[:-1]}
        assert problem.answer not in numbers | before
        assert 2 <= len(problem.equations) <= 4
        assert all(e.is_true for e in problem.equations)
        assert all(is_fact(e.left, e.sign, e.right) for e in problem.equations)


def test_every_number_of_the_solution_comes_from_the_question_or_a_step_before():
    for problem in PROBLEMS:
        given = set(map(int, re.findall(r"\d+", problem.question)))
        for equation in problem.equations:
            assert {equation.left, equation.right} <= given
            given.add(equation.result)


def test_rows_have_the_format_of_gsm8k():
    for problem in PROBLEMS:
        row = gsm8k_row(problem)
        assert set(row) == {"question", "answer"}
        *lines, last = row["answer"].split("\n")
        assert last == f"#### {problem.answer}"
        results = []
        for line in lines:
            (mark,) = re.findall(r"<<(\d+)([-+*/])(\d+)=(\d+)>>", line)
            left, sign, right, result = mark
            assert calculate(int(left), sign, int(right)) == int(result)
            assert line.endswith(f"<<{left}{sign}{right}={result}>>{result}.")
            results.append(int(result))
        assert results[-1] == problem.answer


def test_the_split_takes_one_question_in_twenty():
    questions = [problem.question for problem in sample(4, 4000)]
    share = sum(map(is_test_question, questions)) / len(questions)
    assert 0.03 < share < 0.07


def test_shipped_problems_are_of_the_test_split_and_different():
    rows = [json.loads(line) for line in SHIPPED.read_text().splitlines()]
    questions = [row["question"] for row in rows]
    assert len(set(questions)) == len(rows) >= 300
    assert all(map(is_test_question, questions))
