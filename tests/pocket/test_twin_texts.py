"""Twins of known contexts: their exact texts, and contexts without a twin."""

import random

import pytest

from pocket.problems import sample_problem
from pocket.reading import (
    NONE,
    QUESTION,
    THOUGHT,
    NoTwinError,
    edited,
    read_thought,
    twin_of,
)
from pocket.thoughts import sample_thought

QUESTION_TEXT = "Tom has 18 apples. He finds 8 more. He loses 4. {}How many apples {}"
PLAIN = QUESTION_TEXT.format("", "does Tom have now?")
OTHER = QUESTION_TEXT.format("He also has 7 pears. ", "does Tom have now?")
OPEN = QUESTION_TEXT.format("", "does Tom have in all?")
STEPS = "Tom has 18 apples. He finds 8 more, so 18 + 8 = {}. {}He loses 4, so {}."
RIGHT = STEPS.format(26, "{}", "26 - 4 = 22")
WRAP_UP = " So the final answer is 22."


def texts(question, thought, number=1, gold="22"):
    twin = twin_of(question, thought, number, gold)
    boundary = read_thought(question, thought).boundaries[number - 1]
    parts = {
        place: [edit for edit in twin.edits if edit.place == place]
        for place in (QUESTION, THOUGHT)
    }
    return (
        edited(question, parts[QUESTION]),
        edited(thought[: boundary.start], parts[THOUGHT]),
    )


def test_a_slip_is_mended_and_what_follows_is_worked_out_again():
    wrong = STEPS.format(27, "", "27 - 4 = 23") + " That makes 23 apples."
    thought = wrong + "\nWait, 18 + 8 = 27 is not right."
    question, twin = texts(PLAIN, thought, number=2)
    assert question == PLAIN
    assert twin == RIGHT.format("") + " That makes 22 apples.\n"


def test_every_false_equation_is_mended():
    thought = f"18 + 8 = 27. 27 - 4 = 22.{WRAP_UP}"
    assert texts(PLAIN, thought)[1] == "18 + 8 = 26. 26 - 4 = 22. "


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        # 18 is a number of the question.
        ("18 + 8 = 18. 18 - 4 = 14.", "two meanings"),
        # 27 is also the true result of another step.
        ("18 + 9 = 27. 18 + 8 = 27. 27 - 4 = 23.", "two meanings"),
        ("18 + 8 = 27. 27 - 5 = 22.", "not the answer"),
        ("18 + 8 = 27. 27 / 9 = 3.", "no whole result"),
        ("18 + 8 = 27. 27 - 4 = 23. Bananas grow.", "does not read"),
    ],
)
def test_an_ambiguous_slip_has_no_twin(steps, reason):
    number = 2 if "Bananas" in steps else 1
    with pytest.raises(NoTwinError, match=reason):
        texts(PLAIN, f"{steps}{WRAP_UP}", number)


def test_a_distractor_is_used_in_place_of_a_remark():
    thought = RIGHT.format("The steps are not hard to do. ") + WRAP_UP
    question, twin = texts(OTHER, thought)
    assert question == OTHER
    assert twin == RIGHT.format("The 7 pears do not count. ") + " "


def test_a_distractor_is_used_before_the_last_step():
    thought = "18 + 8 = 26.\n26 - 4 = 22." + WRAP_UP
    assert texts(OTHER, thought)[1] == (
        "18 + 8 = 26.\nThe 7 pears do not count.\n26 - 4 = 22. "
    )


def test_without_a_sentence_before_the_last_step_there_is_no_twin():
    with pytest.raises(NoTwinError, match="before the last step"):
        texts(OTHER, "22 + 4 = 26." + WRAP_UP)


def test_an_open_word_is_closed_in_the_question():
    question, twin = texts(OPEN, RIGHT.format("") + WRAP_UP)
    assert question == OPEN.replace("in all", "by now")
    assert twin == RIGHT.format("") + " "


def test_only_one_cause_before_the_first_turn_has_a_twin():
    with pytest.raises(NoTwinError, match="one cause"):
        texts(PLAIN, RIGHT.format("") + WRAP_UP)
    again = " Let me check again. 18 + 8 = 26. 26 - 4 = 22."
    with pytest.raises(NoTwinError, match="one cause"):
        texts(OPEN, RIGHT.format("") + again + WRAP_UP, number=2)


def test_generated_contexts_have_twins_without_a_cause():
    rng, built, refused = random.Random(5), 0, 0
    for _ in range(300):
        problem = sample_problem(rng)
        thought = sample_thought(problem, rng).text
        first = read_thought(problem.question, thought).boundaries[0]
        if first.causes != 1:
            continue
        try:
            twin = twin_of(problem.question, thought, 1, str(problem.answer))
        except NoTwinError:
            refused += 1
        else:
            built += 1
            assert (twin.boundary.cause.kind, twin.boundary.turns) == (NONE, 0)
    assert built > 80
    assert refused < built / 20
