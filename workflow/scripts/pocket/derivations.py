"""Ways to derive the answer of a pocket problem: with a slip, reordered, backwards."""

from pocket.arithmetic import EASY_ADDEND, Equation, calculate, is_fact, work_out
from pocket.problems import Problem

SLIPS = 0.5
"""Share of wrong results, after sampling as in `causes`.

It is drawn at each hard step of a first derivation until a step is wrong. A slip takes
the wrong sign: 38 + 13 is taken for 25, and 38 - 13 for 51. Four in ten hard steps
cannot hold a slip, because the steps after it would not be of the language. A model
does not know in advance which ones these are, so it slips less often than planted.
"""


def is_hard(equation: Equation) -> bool:
    """Whether the step adds or subtracts a number above `EASY_ADDEND`."""
    # ASSUME: slips are planted only there.
    return equation.sign in "+-" and equation.right > EASY_ADDEND


def wrong_result(equation: Equation) -> int | None:
    """The result with the wrong sign; None for other signs and below 2."""
    sign = {"+": "-", "-": "+"}.get(equation.sign)
    result = calculate(equation.left, sign, equation.right) if sign else 0
    return result if result >= 2 else None


def slipped(problem: Problem, step: int) -> tuple[Equation, ...] | None:
    """The derivation in which the result of a hard step is wrong.

    Later steps use the wrong result and are true. None where the language has no such
    step. None also where a number of one derivation is the answer of the other, because
    its meaning would be unclear.
    """
    sound = problem.equations
    wrong = wrong_result(sound[step])
    if wrong is None:
        return None
    try:
        equations = work_out(problem.operations, {step: wrong})
    except ValueError:
        return None
    numbers = {n for e in equations for n in (e.left, e.right, e.result)}
    before = [n for e in equations for n in (e.left, e.right)]
    before += [e.result for e in equations[:-1]]
    facts = all(is_fact(e.left, e.sign, e.right) for e in equations)
    ambiguous = problem.answer in numbers or equations[-1].result in [
        *before,
        *(n for e in sound for n in (e.left, e.right, e.result)),
    ]
    return equations if facts and not ambiguous else None


def reordered(problem: Problem) -> tuple[Equation, ...] | None:
    """The derivation with its last two additive steps swapped; None if impossible."""
    if len(problem.operations) < 2:
        return None
    last, before = problem.operations[-1], problem.operations[-2]
    one, two = problem.equations[-1], problem.equations[-2]
    additive = {last.sign, before.sign} <= {"+", "-"}
    if not additive or last.right.step is not None or before.right.step is not None:
        return None
    if not is_fact(two.left, last.sign, one.right) or one.right == two.right:
        return None
    middle = two.left + (one.right if last.sign == "+" else -one.right)
    if middle == problem.answer:
        return None
    return (
        *problem.equations[:-2],
        Equation(two.left, last.sign, one.right, middle),
        Equation(middle, before.sign, two.right, problem.answer),
    )


def backwards(problem: Problem) -> tuple[Equation, ...] | None:
    """From the answer back through the last one or two steps; None if impossible."""
    inverse = {"+": "-", "-": "+", "*": "/", "/": "*"}
    chain = [
        (operation, equation)
        for operation, equation in zip(
            problem.operations, problem.equations, strict=True
        )
        if not operation.side
    ]
    undone = tuple(
        Equation(e.result, inverse[e.sign], e.right, e.left)
        for _, e in reversed(chain[-2:])
    )
    if not all(is_fact(e.left, e.sign, e.right) for e in undone):
        return None
    return undone
