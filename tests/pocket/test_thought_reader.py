"""The reader of the language: exact on its thoughts, never silent on other text."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubletake.text.sentences import sentences
from pocket.causes import CAUSES, GO_ON, NONE, SLIP, TURN, WRAP_UP
from pocket.problems import sample_problem
from pocket.thought_reader import choice_of, read_thought
from pocket.thoughts import sample_thought

QUESTION = "Tom has 12 apples. He sells 5. How many apples does Tom have now?"
FOREIGN = "I wonder whether zebras dream of 7 numbers."


def sample(seed: int, count: int):
    rng = random.Random(seed)
    for _ in range(count):
        problem = sample_problem(rng)
        yield problem, sample_thought(problem, rng)


def test_the_reader_is_exact_on_generated_thoughts():
    boundaries = 0
    for problem, thought in sample(1, 2000):
        reading = read_thought(problem.question, thought.text)
        assert reading.boundaries == thought.boundaries, thought.text
        assert reading.values == tuple(a.value for a in thought.arrivals)
        assert reading.turns == len(thought.backtracks)
        assert (reading.unread, reading.other_errors) == (0, 0)
        boundaries += len(reading.boundaries)
    assert boundaries > 6000


def test_a_cut_thought_is_read_up_to_its_cut():
    for problem, thought in sample(2, 200):
        spans = sentences(thought.text)
        cut = random.Random(len(thought.text)).choice(spans).end
        reading = read_thought(problem.question, thought.text[:cut])
        assert reading.boundaries == tuple(
            b for b in thought.boundaries if b.end <= cut
        )
        assert reading.unread == 0


def test_a_foreign_sentence_is_counted_and_has_no_choice():
    at_boundaries = 0
    for problem, thought in sample(3, 500):
        at = random.Random(thought.text).choice(sentences(thought.text)).end
        damaged = f"{thought.text[:at]} {FOREIGN}{thought.text[at:]}"
        reading = read_thought(problem.question, damaged)
        unknown = [b for b in reading.boundaries if b.choice is None]
        assert reading.unread == 1, damaged
        assert [damaged[b.start : b.end] for b in unknown] in ([], [FOREIGN])
        at_boundaries += len(unknown)
        # All other boundaries are read as if it did not stand there.
        known = [b for b in reading.boundaries if b.choice is not None]
        assert [b.choice for b in known] == [b.choice for b in thought.boundaries]
        kinds = [b.cause.kind for b in thought.boundaries]
        assert [b.cause.kind for b in known] == kinds
    assert at_boundaries > 50


def test_a_deleted_sentence_changes_nothing_before_it():
    for problem, thought in sample(4, 500):
        span = random.Random(thought.text).choice(sentences(thought.text))
        damaged = thought.text[: span.start] + thought.text[span.end :]
        reading = read_thought(problem.question, damaged)
        before = [b for b in thought.boundaries if b.end <= span.start]
        assert list(reading.boundaries[: len(before)]) == before
        for b in reading.boundaries:
            assert b.choice == choice_of(damaged[b.start : b.end])


def test_an_equation_made_false_is_the_cause_from_then_on():
    for problem, thought in sample(5, 300):
        result = thought.arrivals[0]
        if thought.boundaries[0].cause.kind == SLIP:
            continue
        damaged = (
            thought.text[: result.start]
            + str(result.value + 1)
            + thought.text[result.end :]
        )
        reading = read_thought(problem.question, damaged)
        assert reading.values[0] == result.value + 1
        first = reading.boundaries[0]
        assert first.cause.kind == SLIP
        assert damaged[slice(*first.cause.span)].endswith(f"= {result.value + 1}")


def test_a_division_with_a_remainder_is_read_as_a_slip():
    thought = "Let me solve this step by step. 7 / 2 = 3. So the final answer is 3."
    reading = read_thought(QUESTION, thought)
    (boundary,) = reading.boundaries
    assert (boundary.choice, boundary.cause.kind) == (WRAP_UP, SLIP)
    assert (reading.values, reading.unread) == ((3,), 0)


@pytest.mark.parametrize("thought", ["", " ", "\n\n"])
def test_an_empty_thought_has_nothing(thought):
    reading = read_thought(QUESTION, thought)
    assert (reading.boundaries, reading.values, reading.unread) == ((), (), 0)


def test_a_thought_of_another_model_is_counted_not_guessed():
    thought = (
        "Okay, so I need to find how many apples Tom has left. He starts with 12.\n\n"
        "12 minus 5 is 7. Hold on, let me double-check: 12 - 5 = 7, yes indeed! "
        "Therefore, Tom has \\boxed{7} apples."
    )
    reading = read_thought(QUESTION, thought)
    assert reading.boundaries == ()
    assert reading.unread == 5


@pytest.mark.parametrize(
    ("sentence", "choice"),
    [
        ("Wait, 17 - 8 = 10 is not right.", TURN),
        ("But could in all mean both of them?", TURN),
        ("Let me use another order.", TURN),
        ("This counts apples.", GO_ON),
        ("Therefore, the answer is 12.", WRAP_UP),
        ("So the answer is 12.", None),
        ("Wait, what a day.", None),
        ("Wait, 17 - 8 = 10 is not right. Really.", None),
    ],
)
def test_a_sentence_has_the_choice_of_its_template(sentence, choice):
    assert choice_of(sentence) == choice


PIECES = st.sampled_from(
    [
        *(
            "12 - 5 = 7.",
            "12 - 5 = 8. ",
            "7 / 0 = 3. ",
            "Wait, ",
            "let me check again.",
        ),
        *("So the answer is 7. ", "So the final answer is 7.", "\n\n", " ", FOREIGN),
        *("That was not hard. ", "The 8 years do not count.", "999999999 * 9 = 1."),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=60))
def test_any_text_is_read_without_a_crash(thought):
    reading = read_thought(QUESTION, thought)
    ends = [0, *(b.end for b in reading.boundaries)]
    for before, b in zip(ends, reading.boundaries, strict=False):
        assert before <= b.start < b.end <= len(thought)
        assert b.cause.kind in CAUSES
    assert 0 <= reading.unread <= len(sentences(thought))
    assert len(re.findall(r"\d", thought)) or not reading.values


def test_mending_an_equation_takes_back_those_that_used_its_result():
    question = "Nina has 32 books. She sells 13. She sells 14. How many has Nina now?"
    text = (
        "She sells 13, so 32 - 13 = 45. She sells 14, so 45 - 14 = 59. "
        "Wait, 32 - 13 = 45 is not right. 32 - 13 = 19. 19 - 14 = 5. "
        "So the final answer is 5."
    )
    first, last = read_thought(question, text).boundaries
    assert text[slice(*first.cause.span)] == "32 - 13 = 45"
    assert last.cause.kind != SLIP
    unmended = text.replace("32 - 13 = 19. 19 - 14 = 5.", "45 - 14 = 31.")
    last = read_thought(question, unmended).boundaries[-1]
    assert unmended[slice(*last.cause.span)] == "32 - 13 = 45"


def test_false_equations_after_the_first_derivation_are_counted_and_no_cause():
    text = (
        "12 - 5 = 7. Let me check again. 12 - 5 = 17. That makes 17 apples. "
        "So the final answer is 17."
    )
    reading = read_thought(QUESTION, text)
    assert reading.values == (7, 17)
    assert [b.cause.kind for b in reading.boundaries] == [NONE] * 3
    assert (reading.unread, reading.other_errors) == (0, 1)
    slip = text.replace("12 - 5 = 7.", "12 - 5 = 17.")
    reading = read_thought(QUESTION, slip)
    assert [b.cause.kind for b in reading.boundaries] == [SLIP] * 3
    assert reading.other_errors == 0
