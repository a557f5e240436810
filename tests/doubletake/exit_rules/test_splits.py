"""Splits of problems, and one thought of each."""

from tiny_exits import random_thoughts, thought_of

from doubletake.exit_rules.splits import calibration_problems, one_per_problem


def test_a_split_does_not_depend_on_order_or_duplicates():
    names = [f"p{k}" for k in range(40)]
    first = calibration_problems(names, 0.5, seed=0)
    assert len(first) == 20
    assert first == calibration_problems(names[::-1] * 2, 0.5, seed=0)
    assert first != calibration_problems(names, 0.5, seed=1)
    assert first < set(names)
    assert calibration_problems([], 0.5, seed=0) == frozenset()


def test_one_thought_of_each_problem():
    thoughts = random_thoughts(60, 3, seed=0, per_problem=3)
    drawn = one_per_problem(thoughts, seed=0)
    assert [thought.problem for thought in drawn] == [f"{k}" for k in range(20)]
    assert drawn == sorted(one_per_problem(thoughts[::-1], 0), key=thoughts.index)
    samples = {int(thought.trace) % 3 for thought in drawn}
    assert samples == {0, 1, 2}
    assert one_per_problem([thought_of()], 0) == [thought_of()]
