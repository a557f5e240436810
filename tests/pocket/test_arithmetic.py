"""Equations and exact results of the pocket language."""

import pytest

from pocket.arithmetic import Equation, calculate


@pytest.mark.parametrize(
    ("equation", "truth"),
    [
        (Equation(12, "+", 7, 19), True),
        (Equation(17, "+", 8, 15), False),
        (Equation(24, "/", 4, 6), True),
        (Equation(5, "*", 6, 25), False),
        (Equation(7, "/", 2, 3), False),
        (Equation(7, "/", 0, 0), False),
    ],
)
def test_equations_know_whether_they_hold(equation, truth):
    assert equation.is_true is truth


@pytest.mark.parametrize("task", [(7, "/", 2), (7, "/", 0), (7, "^", 2)])
def test_only_exact_results_of_known_signs(task):
    with pytest.raises(ValueError, match="no exact result"):
        calculate(*task)
