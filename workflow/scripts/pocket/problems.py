"""Problems of the pocket language: short stories with a question and its solution.

Each sentence of a story adds one operation to a running amount. Question, worked
solution and thought all come from these operations. Some stories have a distractor (a
number that the solution does not use), and some questions an open word, which leaves a
second reading open.
"""

import hashlib
import random
from dataclasses import dataclass

from pocket.arithmetic import (
    EASY_ADDEND,
    MAX_ADDEND,
    MAX_FACTOR,
    MAX_VALUE,
    Equation,
    Operand,
    Operation,
    is_fact,
    work_out,
)
from pocket.questions import read_question

HE = ("Tom", "Ben", "Sam", "Leo", "Max", "Omar")
SHE = ("Anna", "Mia", "Lily", "Sara", "Emma", "Nina")
ITEMS = (
    *("apples", "pencils", "stickers", "marbles", "cookies", "books"),
    *("cards", "coins", "shells", "stamps", "pears", "buttons"),
)
CONTAINERS = ("boxes", "bags", "packs")

CLOSED_WORDS = {"left": "now", "in all": "by now", "each": "one"}
"""The word that replaces an open word where the question leaves nothing open."""
DISTRACTORS = 0.38
"""Share of drafts of a story with a number that the solution does not use."""
OPEN_WORDS = 0.38
"""Share of questions with an open word, among those that may have one."""
HARD_ADDENDS = 0.6
"""Share of added or taken numbers above `EASY_ADDEND`."""


@dataclass(frozen=True)
class Problem:
    """A question and the operations that answer it."""

    question: str
    opening: str
    """The first clause of the story, without a full stop."""
    operations: tuple[Operation, ...]
    asked_quantity: str
    """The quantity in words: `how many apples Tom has`."""
    unit: str
    """What the answer counts: `apples`."""

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
        clause = f"{name} has {a} {rng.choice(CONTAINERS)} of {b} {items}"
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
    hard = rng.random() < HARD_ADDENDS
    b = rng.randint(*((EASY_ADDEND + 1, MAX_ADDEND) if hard else (2, EASY_ADDEND)))
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
            clause = f"{he} buys {a} {rng.choice(CONTAINERS)} of {b} {items}"
            story.change_by_product("+", a, b, clause)
        else:
            clause = f"{he} gives away {a} {rng.choice(CONTAINERS)} of {b}"
            story.change_by_product("-", a, b, clause)


def _distract(story: _Story) -> None:
    """A sentence with a number that the solution does not use."""
    rng, n = story.rng, story.rng.randint(3, MAX_ADDEND)
    other = rng.choice([items for items in ITEMS if items != story.items])
    story.tell(
        rng.choice(
            (
                f"{story.pronoun} also has {n} {other}",
                f"{story.pronoun} also sees {n} {other}",
                f"{story.friend} is {n} years old",
            )
        )
    )


def _ask(story: _Story, steps: int) -> tuple[str, str, str]:
    """The last sentence: question, asked quantity, unit of the answer."""
    rng, name, items, he = story.rng, story.name, story.items, story.pronoun
    is_open = rng.random() < OPEN_WORDS
    if len(story.operations) < steps:
        k = rng.randint(2, MAX_FACTOR)
        kind = rng.choices(("share", "pack", "sell"), (2, 1, 1))[0]
        if kind == "share":
            story.change("/", k, f"{he} shares them equally among {k} friends")
            word = "each" if is_open else CLOSED_WORDS["each"]
            asked = f"how many {items} a friend gets"
            return f"How many {items} does {word} friend get?", asked, items
        if kind == "pack":
            story.change("/", k, f"{he} packs them into bags of {k}")
            asked = f"how many bags {name} needs"
            return f"How many bags does {name} need?", asked, "bags"
        story.change("*", k, f"{he} sells every one for {k} dollars")
        asked = f"how many dollars {name} gets"
        return f"How many dollars does {name} get?", asked, "dollars"
    word = rng.choice(("left", "in all"))
    word = word if is_open else CLOSED_WORDS[word]
    asked = f"how many {items} {name} has"
    return f"How many {items} does {name} have {word}?", asked, items


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
    distractor = read_question(problem.question).distractor
    return (
        answer not in before + operands
        # A number that the solution uses must not look like the distractor.
        and (
            distractor is None or distractor.number not in [*before, *operands, answer]
        )
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
        opening = story.sentences[0].removesuffix(".")
        ending = rng.random() < 0.5
        while len(story.operations) < steps - ending:
            _happen(story)
        told = len(story.sentences)
        question, asked, unit = _ask(story, steps)
        if rng.random() < DISTRACTORS:
            _distract(story)
            # The sentence moves to a place after the opening, before the question.
            story.sentences.insert(rng.randint(1, told), story.sentences.pop())
        problem = Problem(
            question=" ".join([*story.sentences, question]),
            opening=opening,
            operations=tuple(story.operations),
            asked_quantity=asked,
            unit=unit,
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
