"""Arithmetic of the pocket language: equations, and the few facts that it uses.

The facts are few (`is_fact`), so that a model of a million parameters can know all of
them and still has to find the right ones in a story.
"""

from dataclasses import dataclass

MAX_VALUE = 60
MAX_ADDEND = 16
"""Largest number that is added or taken away; those above `EASY_ADDEND` are hard."""
EASY_ADDEND = 12
MAX_FACTOR = 5
MAX_GROUP = 12
"""Largest second factor, and largest quotient."""


@dataclass(frozen=True)
class Operand:
    """A number of the story, or the result of an earlier step."""

    value: int | None = None
    """The number itself; None for a result."""
    step: int | None = None
    """Index of the step whose result it is; None for a number of the story."""


@dataclass(frozen=True)
class Operation:
    """One step of the solution, before its numbers are known."""

    left: Operand
    sign: str
    """One of `+ - * /`."""
    right: Operand
    clause: str
    """The clause of the story that asks for the step; empty if there is none."""
    side: bool = False
    """Whether it is a product that a later step adds or takes away."""


@dataclass(frozen=True)
class Equation:
    """One step of the solution with its numbers; its result may be wrong."""

    left: int
    sign: str
    right: int
    result: int

    @property
    def true_result(self) -> int:
        """The right result of the left-hand side."""
        return calculate(self.left, self.sign, self.right)

    @property
    def is_true(self) -> bool:
        """Whether the equation holds; a division with a remainder does not."""
        try:
            return self.result == self.true_result
        except ValueError:
            return False

    @property
    def task(self) -> str:
        """The left-hand side as text."""
        return f"{self.left} {self.sign} {self.right}"

    def __str__(self) -> str:
        """The equation as text, `12 + 7 = 19`."""
        return f"{self.task} = {self.result}"


def calculate(left: int, sign: str, right: int) -> int:
    """The exact result of one operation.

    Raises:
        ValueError: a division leaves a remainder, or the sign is unknown.
    """
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    if sign == "/" and right and left % right == 0:
        return left // right
    raise ValueError(f"no exact result: {left} {sign} {right}")


def is_fact(left: int, sign: str, right: int) -> bool:
    """Whether the language uses the operation."""
    if not (2 <= left <= MAX_VALUE and 2 <= right <= MAX_VALUE):
        return False
    if sign == "*":
        return min(left, right) <= MAX_FACTOR and max(left, right) <= MAX_GROUP
    if sign == "/":
        whole = left % right == 0 and 2 <= left // right <= MAX_GROUP
        return right <= MAX_FACTOR and whole
    return right <= MAX_ADDEND and 2 <= calculate(left, sign, right) <= MAX_VALUE


def work_out(
    operations: tuple[Operation, ...], written: dict[int, int] | None = None
) -> tuple[Equation, ...]:
    """Equations of the operations; later steps use the results of earlier ones.

    Args:
        operations: the steps in order.
        written: results that replace the true ones, by step.

    Raises:
        ValueError: a division leaves a remainder.
    """
    equations: list[Equation] = []

    def number(operand: Operand) -> int:
        if operand.step is not None:
            return equations[operand.step].result
        assert operand.value is not None
        return operand.value

    for index, operation in enumerate(operations):
        left, right = number(operation.left), number(operation.right)
        result = (written or {}).get(index)
        if result is None:
            result = calculate(left, operation.sign, right)
        equations.append(Equation(left, operation.sign, right, result))
    return tuple(equations)
