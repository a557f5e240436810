"""Slips that the language would plant in a finished thought: where, and which result.

The language plants a slip at a hard step of the first derivation, and the steps after
it use the wrong result. A step whose slip would lead out of the language has none.
"""

import re

from pocket.arithmetic import Equation, calculate, is_fact
from pocket.derivations import is_hard, wrong_result
from pocket.thought_reader import EQUATION, read_thought


def possible_slips(question: str, thought: str) -> dict[int, int]:
    """Wrong results that the language would plant, by the character of the right one.

    Args:
        question: of the language.
        thought: any thought; its first derivation is looked at, if it holds no slip.
    """
    boundaries = read_thought(question, thought).boundaries
    derivation = thought[: boundaries[0].start] if boundaries else thought
    matches = list(EQUATION.finditer(derivation))
    equations = [_equation(match) for match in matches]
    if not all(equation.is_true for equation in equations):
        return {}
    given = {int(number) for number in re.findall(r"\d+", question)}
    found = {}
    for index, (match, equation) in enumerate(zip(matches, equations, strict=True)):
        wrong = wrong_result(equation) if is_hard(equation) else None
        if wrong is not None and _stays(equations, index, wrong, given):
            found[match.start(4)] = wrong
    return found


def _equation(match: re.Match[str]) -> Equation:
    left, sign, right, result = match.groups()
    return Equation(int(left), sign, int(right), int(result))


def _stays(equations: list[Equation], index: int, wrong: int, given: set[int]) -> bool:
    """Whether the steps after a slip are of the language, and its answer is another.

    Args:
        equations: of the derivation, all true.
        index: of the slip.
        wrong: its result.
        given: numbers of the question; a result among them has two meanings.
    """
    changed = {equations[index].result: wrong}
    value = wrong
    for later in equations[index + 1 :]:
        left, right = (changed.get(n, n) for n in (later.left, later.right))
        if not is_fact(left, later.sign, right):
            return False
        value = calculate(left, later.sign, right)
        if value != later.result:
            changed[later.result] = value
    return not given & changed.keys() and value != equations[-1].result
