"""The causes that lie in a question are read as they were planted."""

import random
import re

import pytest

from pocket.problems import (
    CLOSED_WORDS,
    DISTRACTORS,
    gsm8k_row,
    sample_problem,
)
from pocket.questions import OTHER_READING, read_question

RNG = random.Random(2)
PROBLEMS = [sample_problem(RNG) for _ in range(3000)]


def test_a_distractor_is_the_one_number_that_the_solution_does_not_use():
    found = 0
    for problem in PROBLEMS:
        distractor = read_question(problem.question).distractor
        used = {n for e in problem.equations for n in (e.left, e.right)}
        numbers = re.findall(r"\d+", problem.question)
        unused = [n for n in numbers if int(n) not in used]
        assert unused == ([str(distractor.number)] if distractor else [])
        if distractor:
            found += 1
            words = problem.question[slice(*distractor.span)]
            assert words == str(distractor.number)
            assert words not in gsm8k_row(problem)["answer"].split()
    # Stories in which the number could be mistaken are left out.
    assert DISTRACTORS - 0.1 < found / len(PROBLEMS) < DISTRACTORS


def test_an_open_word_stands_in_the_question_and_a_closed_one_is_not_read():
    words = set()
    for problem in PROBLEMS:
        asked = problem.question.rpartition(". ")[2]
        open_word = read_question(problem.question).open_word
        closed = any(re.search(rf"\b{word}\b", asked) for word in CLOSED_WORDS.values())
        assert not (open_word and closed)
        if open_word:
            words.add(open_word.word)
            assert problem.question[slice(*open_word.span)] == open_word.word
            assert open_word.span[0] > problem.question.rindex(". ")
    assert words == set(OTHER_READING) == set(CLOSED_WORDS)


@pytest.mark.parametrize(
    "question", ["", "How many?", "Each of 7 men has 3 left.", "7"]
)
def test_a_question_of_another_kind_has_no_cause(question):
    read = read_question(question)
    assert (read.distractor, read.open_word) == (None, None)
