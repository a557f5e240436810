"""Ways to derive an answer: reordered, backwards, with a slip."""

import random

import pytest

from pocket.arithmetic import Equation, calculate, is_fact
from pocket.derivations import backwards, is_hard, reordered, slipped
from pocket.problems import sample_problem

RNG = random.Random(0)
PROBLEMS = [sample_problem(RNG) for _ in range(1000)]


def test_other_ways_lead_to_the_same_answer():
    swaps = backs = 0
    for problem in PROBLEMS:
        swapped, undone = reordered(problem), backwards(problem)
        if swapped is not None:
            swaps += 1
            assert all(e.is_true and is_fact(e.left, e.sign, e.right) for e in swapped)
            assert swapped[-1].result == problem.answer
            assert swapped != problem.equations
        if undone is not None:
            backs += 1
            assert all(e.is_true and is_fact(e.left, e.sign, e.right) for e in undone)
            assert undone[0].left == problem.answer
    assert min(swaps, backs) > 100


def test_a_slip_is_one_false_equation_that_is_carried_on():
    found = 0
    for problem in PROBLEMS:
        sound = problem.equations
        numbers = {n for e in sound for n in (e.left, e.right, e.result)}
        for step, equation in enumerate(sound):
            wrong = slipped(problem, step)
            if wrong is None:
                continue
            found += 1
            assert wrong[:step] == sound[:step]
            assert wrong[step].task == equation.task
            other = {"+": "-", "-": "+"}[equation.sign]
            result = calculate(equation.left, other, equation.right)
            assert wrong[step].result == result >= 2
            assert [i for i, e in enumerate(wrong) if not e.is_true] == [step]
            # Neither answer stands among the numbers of the other derivation.
            assert wrong[-1].result not in numbers
            assert problem.answer not in {
                n for e in wrong for n in (e.left, e.right, e.result)
            }
    assert found > 1000


@pytest.mark.parametrize(
    ("task", "hard"),
    [
        ((17, "+", 13), True),
        ((17, "+", 12), False),
        ((32, "-", 16), True),
        ((38, "-", 12), False),
        ((4, "*", 13), False),
        ((56, "/", 14), False),
    ],
)
def test_a_step_is_hard_if_it_adds_or_takes_a_large_number(task, hard):
    left, sign, right = task
    assert is_hard(Equation(left, sign, right, 0)) is hard
