"""Splits of problems, and one thought of each."""

from tiny_exits import random_thoughts, thought_of

from doubletake.exit_rules.splits import (
    calibration_group,
    one_per_problem,
    problem_groups,
    training_group,
)


def test_groups_do_not_depend_on_order_or_duplicates():
    names = [f"p{k}" for k in range(40)]
    first = problem_groups(names, seed=0)
    assert first == problem_groups(names[::-1] * 2, seed=0)
    assert first != problem_groups(names, seed=1)
    assert sorted(first) == sorted(names)
    sizes = [list(first.values()).count(group) for group in range(3)]
    assert sizes == [14, 13, 13]
    assert problem_groups([], seed=0) == {}


def test_a_group_is_never_reported_with_what_it_chose_or_trained():
    for group in range(3):
        others = {calibration_group(group), training_group(group)}
        assert others == {0, 1, 2} - {group}


def test_one_thought_of_each_problem():
    thoughts = random_thoughts(60, 3, seed=0, per_problem=3)
    drawn = one_per_problem(thoughts, seed=0)
    assert [thought.problem for thought in drawn] == [f"{k}" for k in range(20)]
    assert drawn == sorted(one_per_problem(thoughts[::-1], 0), key=thoughts.index)
    samples = {int(thought.trace) % 3 for thought in drawn}
    assert samples == {0, 1, 2}
    assert one_per_problem([thought_of()], 0) == [thought_of()]
