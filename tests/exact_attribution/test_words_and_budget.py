"""Which words are measured, the words of a cause, and the budget of time."""

import pytest

from doubletake.stats.verification import Verification
from doubletake.text.words import Word
from exact_attribution.budget import Budget
from exact_attribution.contexts import measured_words
from exact_attribution.settings import Settings, boundaries_of
from truth.reading import cause_words

SETTINGS = Settings(
    backtracks=None,
    minutes=1.0,
    least=2,
    top=2,
    random=2,
    depths=[0.5],
    steps=[0.1],
    sampled_backtracks=2,
    sampled_words=3,
    path_points=2,
    seed=0,
    metric="log_odds",
    batch_memory=0.1,
    verification=Verification(1.0, 4, 0),
)
BEFORE = [Word(f"w{k}", 6 * k, 6 * k + 3, 2 * k, 2 * k + k % 2) for k in range(8)]
RANKED = [{"word": f"w{k}", "token": 2 * k} for k in range(7)]


def sources(cause=(), **changes) -> dict[tuple, tuple]:
    settings = SETTINGS.__class__(**(vars(SETTINGS) | changes))
    words = measured_words(("a/0", 3), RANKED, BEFORE, cause, settings)
    return {(word.name, word.tokens): (word.source, word.is_cause) for word in words}


def test_top_words_random_words_and_the_words_of_the_cause():
    found = sources([BEFORE[0], BEFORE[7]])
    assert found["w0", (0,)] == ("top", True)
    assert found["w1", (2, 3)] == ("top", False)
    assert found["w7", (14, 15)] == ("cause", True)  # a stop word is not ranked
    words = measured_words(("a/0", 3), RANKED, BEFORE, [BEFORE[7]], SETTINGS)
    assert [word.name for word in words if not word.is_ranked] == ["w7"]
    assert [source for source, _ in found.values()].count("random") == 2
    assert len(found) == 5


def test_another_occurrence_in_the_cause_is_measured_too():
    again = Word("w0", 60, 63, 30, 30)
    words = measured_words(("a/0", 3), RANKED, [*BEFORE, again], [again], SETTINGS)
    of_word = [(word.tokens, word.source) for word in words if word.name == "w0"]
    assert of_word == [((0,), "top"), ((30,), "cause")]


def test_more_random_words_keep_those_drawn_before():
    few, many = sources(random=1), sources(random=4)
    assert set(few) < set(many)
    assert set(sources(random=100)) == set(sources(top=100))


PROMPT = {"text": "Q: Tom has 13 pens.", "start": 3, "end": 19}


@pytest.mark.parametrize(
    ("boundary", "wanted"),
    [
        # In the question, which has two spaces before it that the prompt lacks.
        ({"cause_in": "question", "cause_start": 10, "cause_end": 12}, ["13"]),
        ({"cause_in": "thought", "cause_start": 4, "cause_end": 9}, ["5", "7"]),
        (None, []),
    ],
)
def test_the_words_of_a_cause(boundary, wanted):
    words = [
        Word("tom", 3, 6, 1, 1),
        Word("13", 11, 13, 3, 3),
        Word("so", 0, 2, 7, 7),
        Word("5", 4, 5, 8, 8),
        Word("7", 8, 9, 9, 9),
        Word("12", 11, 13, 10, 10),
    ]
    found = cause_words(words, boundary, PROMPT, "  Tom has 13 pens.", 6)
    assert [word.name for word in found] == wanted


def test_a_question_that_the_prompt_lacks_gives_no_words():
    boundary = {"cause_in": "question", "cause_start": 0, "cause_end": 5}
    words = [Word("tom", 0, 3, 1, 1)]
    assert cause_words(words, boundary, {"start": None}, "Tom", 6) == []


def test_a_shard_has_its_part_of_the_time_and_the_first_ones_always():
    now = [100.0]
    budget = Budget(minutes=2.0, share=0.25, least=3, clock=lambda: now[0])
    assert budget.verdict(9) == "measured"
    now[0] = 130.0
    assert budget.verdict(9) == "measured"
    now[0] = 130.1
    assert [budget.verdict(place) for place in (3, 4)] == ["least", "late"]


def test_boundaries_are_counted_once_and_leave_the_final_norm_out():
    assert boundaries_of([0.0, 0.01, 0.5, 1.0], 9) == [0, 4, 8]
