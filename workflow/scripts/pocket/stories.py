"""Generated grade-school problems of the pocket language.

A problem is a short story whose sentences each add one operation to a running
amount, so that question, worked solution and thought come from one source of truth.
The arithmetic facts are few (`is_fact`), so that a model of a million parameters
can know all of them and still has to find the right ones in the story.
"""

import hashlib
import random
from dataclasses import dataclass

HE = ("Tom", "Ben", "Sam", "Leo", "Max", "Omar")
SHE = ("Anna", "Mia", "Lily", "Sara", "Emma", "Nina")
ITEMS = (
    *("apples", "pencils", "stickers", "marbles", "cookies", "books"),
    *("cards", "coins", "shells", "stamps", "pears", "buttons"),
)
CONTAINERS = ("boxes", "bags", "packs")
MAX_VALUE = 60
MAX_ADDEND = 12
MAX_FACTOR = 5


@dataclass(frozen=True)
class Operand:
    """A number of the story, or the result of an earlier step."""

    value: int | None = None
    """The number itself, null when it is a result."""
    step: int | None = None
    """Index of the step whose result it is, null when it is a number of the story."""


@dataclass(frozen=True)
class Operation:
    """One step of the solution, before its numbers are known."""

    left: Operand
    sign: str
    """One of `+ - * /`."""
    right: Operand
    clause: str
    """The clause of the story that asks for the step; empty when none does."""
    side: bool = False
    """True for a product that a later step adds or takes away."""


@dataclass(frozen=True)
class Equation:
    """One step of the solution with its numbers, as somebody wrote it down."""

    left: int
    sign: str
    right: int
    result: int

    @property
    def true_result(self) -> int:
        """What the left-hand side really is."""
        return calculate(self.left, self.sign, self.right)

    @property
    def is_true(self) -> bool:
        """Whether the equation holds."""
        return self.result == self.true_result

    @property
    def task(self) -> str:
        """The left-hand side as text."""
        return f"{self.left} {self.sign} {self.right}"

    def __str__(self) -> str:
        """The equation as text, `12 + 7 = 19`."""
        return f"{self.task} = {self.result}"


@dataclass(frozen=True)
class Problem:
    """A question and the operations that answer it."""

    question: str
    opening: str
    """The first clause of the story, without a full stop."""
    operations: tuple[Operation, ...]
    asked: str
    """The asked quantity: `how many apples Tom has now`."""
    conclusion: str
    """A sentence with a hole for the answer: `Tom has {} apples`."""

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The worked solution."""
        return work_out(self.operations)

    @property
    def answer(self) -> int:
        """The value that the question asks for."""
        return self.equations[-1].result


def calculate(left: int, sign: str, right: int) -> int:
    """The exact result of one operation.

    Raises:
        ValueError: if a division leaves a remainder or the sign is unknown.
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
    """Whether the operation is one of the few that the language uses."""
    if not (2 <= left <= MAX_VALUE and 2 <= right <= MAX_VALUE):
        return False
    if sign == "*":
        return min(left, right) <= MAX_FACTOR and max(left, right) <= MAX_ADDEND
    if sign == "/":
        return right <= MAX_FACTOR and left % right == 0 and 2 <= left // right <= 12
    return right <= MAX_ADDEND and 2 <= calculate(left, sign, right) <= MAX_VALUE


def work_out(
    operations: tuple[Operation, ...], written: dict[int, int] | None = None
) -> tuple[Equation, ...]:
    """Equations of the operations, each result carried on to the steps that use it.

    Args:
        operations: the steps in order.
        written: results that were written down instead of the true ones, by step.

    Raises:
        ValueError: if a division leaves a remainder.
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


class _Story:
    """A story being told: its sentences, its operations and the running amount."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        # The friend is of the other gender, so that a pronoun names one person.
        he, she = rng.choice(HE), rng.choice(SHE)
        self.pronoun = rng.choice(("He", "She"))
        self.name, self.friend = (he, she) if self.pronoun == "He" else (she, he)
        self.items = rng.choice(ITEMS)
        self.sentences: list[str] = []
        self.operations: list[Operation] = []
        self.amount = Operand()

    def tell(self, clause: str) -> None:
        self.sentences.append(f"{clause}.")

    def operate(
        self, left: Operand, sign: str, right: Operand, clause: str, side: bool = False
    ) -> Operand:
        self.operations.append(Operation(left, sign, right, clause, side))
        return Operand(step=len(self.operations) - 1)

    def change(self, sign: str, by: int, clause: str) -> None:
        self.tell(clause)
        self.amount = self.operate(self.amount, sign, Operand(by), clause)

    def change_by_product(self, sign: str, a: int, b: int, clause: str) -> None:
        self.tell(clause)
        product = self.operate(Operand(a), "*", Operand(b), clause, side=True)
        self.amount = self.operate(self.amount, sign, product, "")


def _open(story: _Story) -> None:
    """The first sentence: an amount, two amounts, or equal groups."""
    rng, name, items = story.rng, story.name, story.items
    kind = rng.choices(("amount", "groups", "colours", "times"), (5, 3, 2, 2))[0]
    if kind == "amount":
        amount = rng.randint(5, 48)
        story.tell(f"{name} has {amount} {items}")
        story.amount = Operand(amount)
    elif kind == "groups":
        a, b = rng.randint(2, 5), rng.randint(3, 12)
        clause = f"{name} has {a} {rng.choice(CONTAINERS)} with {b} {items} each"
        story.tell(clause)
        story.amount = story.operate(Operand(a), "*", Operand(b), clause)
    elif kind == "colours":
        a, b = rng.randint(5, 40), rng.randint(2, 12)
        clause = f"{name} has {a} red {items} and {b} blue {items}"
        story.tell(clause)
        story.amount = story.operate(Operand(a), "+", Operand(b), clause)
    else:
        a, k = rng.randint(3, 12), rng.randint(2, 4)
        clause = f"{story.friend} has {a} {items} and {name} has {k} times as many"
        story.tell(clause)
        story.amount = story.operate(Operand(a), "*", Operand(k), clause)


def _happen(story: _Story) -> None:
    """One event in the middle of the story: something is added or taken away."""
    rng, items, friend = story.rng, story.items, story.friend
    he, him = story.pronoun, "him" if story.pronoun == "He" else "her"
    b = rng.randint(2, MAX_ADDEND)
    kind = rng.choices(("more", "less", "more groups", "less groups"), (4, 5, 1, 1))[0]
    if kind == "more":
        clauses = (
            f"{he} buys {b} more",
            f"{he} finds {b} more",
            f"{friend} gives {him} {b} more",
        )
        story.change("+", b, rng.choice(clauses))
    elif kind == "less":
        clauses = (f"{he} gives {b} to {friend}", f"{he} loses {b}", f"{he} sells {b}")
        story.change("-", b, rng.choice(clauses))
    else:
        a, b = rng.randint(2, 4), rng.randint(2, 6)
        if kind == "more groups":
            clause = f"{he} buys {a} {rng.choice(CONTAINERS)} with {b} {items} each"
            story.change_by_product("+", a, b, clause)
        else:
            clause = f"{he} gives {a} friends {b} {items} each"
            story.change_by_product("-", a, b, clause)


def _ask(story: _Story, steps: int) -> tuple[str, str, str]:
    """The last sentence: question, asked quantity, conclusion."""
    rng, name, items, he = story.rng, story.name, story.items, story.pronoun
    if len(story.operations) < steps:
        k = rng.randint(2, MAX_FACTOR)
        kind = rng.choice(("share", "pack", "sell"))
        if kind == "share":
            story.change("/", k, f"{he} shares them equally among {k} friends")
            asked = f"how many {items} each friend gets"
            question = f"How many {items} does each friend get?"
            return question, asked, f"each friend gets {{}} {items}"
        if kind == "pack":
            story.change("/", k, f"{he} packs them into bags of {k}")
            asked = f"how many bags {name} needs"
            return f"How many bags does {name} need?", asked, f"{name} needs {{}} bags"
        story.change("*", k, f"{he} sells all of them for {k} dollars each")
        asked = f"how many dollars {name} gets"
        question = f"How many dollars does {name} get?"
        return question, asked, f"{name} gets {{}} dollars"
    asked = f"how many {items} {name} has now"
    return f"How many {items} does {name} have now?", asked, f"{name} has {{}} {items}"


def _is_sound(problem: Problem, steps: int) -> bool:
    """Whether all steps are facts and the answer occurs nowhere but at the end."""
    if len(problem.operations) != steps:
        return False
    try:
        equations = problem.equations
    except ValueError:
        return False
    answer = equations[-1].result
    before = [equation.result for equation in equations[:-1]]
    operands = [n for equation in equations for n in (equation.left, equation.right)]
    return (
        answer not in before + operands
        and 2 <= answer <= MAX_VALUE
        and all(is_fact(e.left, e.sign, e.right) for e in equations)
    )


def sample_problem(rng: random.Random) -> Problem:
    """A problem of 2 to 4 steps whose answer is none of its other numbers.

    Because the answer occurs nowhere else in question and solution, a place where
    it stands is a place where it was derived or stated as the answer.
    """
    steps = rng.choices((2, 3, 4), (5, 4, 2))[0]
    while True:
        story = _Story(rng)
        _open(story)
        first = len(story.sentences)
        ending = rng.random() < 0.5
        while len(story.operations) < steps - ending:
            _happen(story)
        opening = story.sentences[first - 1].removesuffix(".")
        question, asked, conclusion = _ask(story, steps)
        problem = Problem(
            question=" ".join([*story.sentences, question]),
            opening=opening,
            operations=tuple(story.operations),
            asked=asked,
            conclusion=conclusion,
        )
        if _is_sound(problem, steps):
            return problem


def gsm8k_row(problem: Problem) -> dict[str, str]:
    """The problem in GSM8K's format: worked lines with calculator marks, `#### n`."""
    lines = []
    for operation, e in zip(problem.operations, problem.equations, strict=True):
        task = f"{e.left}{e.sign}{e.right}"
        lead = f"{operation.clause}: " if operation.clause else "Then "
        lines.append(f"{lead}{e.task} = <<{task}={e.result}>>{e.result}.")
    return {
        "question": problem.question,
        "answer": "\n".join([*lines, f"#### {problem.answer}"]),
    }


def is_test_question(question: str) -> bool:
    """Whether the question belongs to the test split: one in twenty, by its text.

    The split depends on the text alone, so no question can be in both, whatever the
    seeds and however many problems are drawn.
    """
    return hashlib.sha256(question.encode()).digest()[0] % 20 == 0
