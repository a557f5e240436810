"""Ways to derive an answer: reordered, backwards, with a slip."""

import random

import pytest

from pocket.arithmetic import Equation, is_fact
from pocket.derivations import SLIPS, backwards, is_error_prone, reordered, slipped
from pocket.problems import sample_problem

RNG = random.Random(0)
PROBLEMS = [sample_problem(RNG) for _ in range(1000)]
ERRORS = [error for error in SLIPS if error]


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
            for error in ERRORS:
                wrong = slipped(problem, step, error)
                if wrong is None:
                    continue
                found += 1
                assert wrong[:step] == sound[:step]
                assert wrong[step].task == equation.task
                assert wrong[step].result == equation.result + error
                assert [i for i, e in enumerate(wrong) if not e.is_true] == [step]
                # Neither answer stands among the numbers of the other derivation.
                assert wrong[-1].result not in numbers
                assert problem.answer not in {
                    n for e in wrong for n in (e.left, e.right, e.result)
                }
    assert found > 1000


@pytest.mark.parametrize(
    ("task", "prone"),
    [
        ((17, "+", 8), True),
        ((17, "+", 12), False),
        ((17, "+", 5), False),
        ((32, "-", 18), True),
        ((38, "-", 12), False),
        ((8, "*", 7), False),
        ((56, "/", 8), False),
    ],
)
def test_a_step_is_error_prone_if_it_carries_or_borrows_much(task, prone):
    left, sign, right = task
    assert is_error_prone(Equation(left, sign, right, 0)) is prone
