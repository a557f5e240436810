"""Problems of the pocket language: short stories with a question and its solution.

Each sentence of a story adds one operation to a running amount. Question, worked
solution and thought all come from these operations.
"""

import hashlib
import random
from dataclasses import dataclass

from pocket.arithmetic import (
    MAX_ADDEND,
    MAX_FACTOR,
    MAX_VALUE,
    Equation,
    Operand,
    Operation,
    is_fact,
    work_out,
)

HE = ("Tom", "Ben", "Sam", "Leo", "Max", "Omar")
SHE = ("Anna", "Mia", "Lily", "Sara", "Emma", "Nina")
ITEMS = (
    *("apples", "pencils", "stickers", "marbles", "cookies", "books"),
    *("cards", "coins", "shells", "stamps", "pears", "buttons"),
)
CONTAINERS = ("boxes", "bags", "packs")


@dataclass(frozen=True)
class Problem:
    """A question and the operations that answer it."""

    question: str
    opening: str
    """The first clause of the story, without a full stop."""
    operations: tuple[Operation, ...]
    asked_quantity: str
    """The quantity in words: `how many apples Tom has now`."""
    conclusion: str
    """A sentence with a placeholder for the answer: `Tom has {} apples`."""

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The worked solution."""
        return work_out(self.operations)

    @property
    def answer(self) -> int:
        """The value that the question asks for."""
        return self.equations[-1].result


class _Story:
    """A story under construction: its sentences, operations and running amount."""

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
    """Whether all steps are facts and only the last result is the answer's number."""
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
    """A problem of 2 to 4 steps whose answer differs from all its other numbers.

    So wherever a thought states this number, it derives it or states it as the answer.
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
            asked_quantity=asked,
            conclusion=conclusion,
        )
        if _is_sound(problem, steps):
            return problem


def gsm8k_row(problem: Problem) -> dict[str, str]:
    """The problem in GSM8K's format: lines with calculator marks, then `#### n`."""
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
    """Whether the question belongs to the test split, as one in twenty does.

    The split depends on the text alone. So no question is in both splits, for any seed
    and any number of problems.
    """
    return hashlib.sha256(question.encode()).digest()[0] % 20 == 0
