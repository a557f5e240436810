"""Ways to derive an answer: reordered, backwards, with a slip."""

import random

from pocket.derivations import backwards, reordered, slipped
from pocket.problems import sample_problem

RNG = random.Random(0)
PROBLEMS = [sample_problem(RNG) for _ in range(1000)]


def test_other_ways_lead_to_the_same_answer():
    found = 0
    for problem in PROBLEMS:
        swapped, undone = reordered(problem), backwards(problem)
        if swapped is not None:
            found += 1
            assert all(e.is_true for e in swapped)
            assert swapped[-1].result == problem.answer
            assert swapped != problem.equations
        if undone is not None:
            assert all(e.is_true for e in undone)
            assert undone[0].left == problem.answer
    assert found > 100


def test_a_slip_is_carried_on():
    for problem in PROBLEMS:
        for step, equation in enumerate(problem.equations):
            if equation.sign not in "+-":
                continue
            wrong = slipped(problem, step)
            if wrong is not None:
                assert [e.is_true for e in wrong].count(False) == 1
                assert not wrong[step].is_true
                assert wrong[-1].result != problem.answer
