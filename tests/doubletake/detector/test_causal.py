"""The causal detector: what it finds, what it reads, and its agreement with labels."""

import json
import random

import pytest

from doubletake.detector import causal
from doubletake.detector.causal import detect_causal
from doubletake.detector.rules_detector import detect
from doubletake.text.sentences import end_shows_at, sentences
from pocket.problems import sample_problem
from pocket.thoughts import sample_thought

QUESTION = "Tom has 12 pens and buys 7 more pens. How many pens does Tom have now?"
THOUGHT = (
    "Tom has 12 pens. 12 + 7 = 19. Wait, let me check that again. 7 + 12 = 19, so it "
    "is 19 pens. But hold on, is that right?\n\nYes. So the answer is 19."
)
OTHER = "\nBut 5 = 3. Wait, no. So the answer is 4.\n\n\\[ 1 = 2."


def found(question, thought):
    events = detect_causal(question, thought)
    return {
        (type(one.event).__name__, one.event, one.characters, one.cut)
        for one in (*events.arrivals, *events.backtracks)
    }


def thoughts(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        problem = sample_problem(rng)
        yield problem.question, sample_thought(problem, rng).text


def test_a_result_counts_once_the_thought_turns_back():
    events = detect_causal(QUESTION, THOUGHT)
    first, second, third = events.arrivals
    assert THOUGHT[: first.event.end].endswith("12 + 7 = 19")
    assert THOUGHT[: first.characters].endswith("Wait,")
    assert THOUGHT[: first.cut].endswith("12 + 7 = 19.")
    # The value of the arrival before it, in an open turn.
    assert THOUGHT[: second.event.end].endswith("7 + 12 = 19")
    assert THOUGHT[: second.characters].endswith("19 pens. B")
    assert THOUGHT[: second.cut].endswith("19 pens.")
    # The sentence says that it is the answer; only the end of the text ends it.
    assert third.cut == len(THOUGHT)
    assert third.characters == len(THOUGHT) + 1
    assert [one.event.ordinal for one in events.arrivals] == [1, 2, 3]


def test_a_backtrack_shows_as_soon_as_its_words_stand():
    first, second = detect_causal(QUESTION, THOUGHT).backtracks
    assert THOUGHT[: first.characters].endswith("19. Wait,")
    assert THOUGHT[: first.cut].endswith("= 19.")
    assert THOUGHT[: second.characters].endswith("But hold on,")
    assert THOUGHT[: second.cut].endswith("19 pens.")


def test_a_result_on_the_way_is_no_arrival():
    thought = "12 + 7 = 19. 19 + 4 = 23. 23 - 1 = 22."
    assert detect(QUESTION, thought).arrivals
    assert not detect_causal(QUESTION, thought).arrivals


def test_a_value_that_is_restated_without_a_turn_is_one_arrival():
    thought = "So the answer is 19. So 19 it is. The answer is 19."
    assert len(detect_causal(QUESTION, thought).arrivals) == 1


def test_an_arrival_before_the_window_is_remembered(monkeypatch):
    monkeypatch.setattr(causal, "WINDOW", 3)
    thought = "So the answer is 19.\n" + "Tom likes pens.\n" * 9 + "Wait, is it 19?"
    events = detect_causal(QUESTION, thought)
    assert len(events.arrivals) == 1
    assert [thought[one.event.start :][:4] for one in events.backtracks] == ["Wait"]


def test_a_thought_without_events():
    for thought in ("", "Hmm", "I cannot say."):
        assert found(QUESTION, thought) == set()


@pytest.mark.parametrize("other", [OTHER, "", "1", " the answer is 8", "\n\n", "."])
def test_what_follows_changes_nothing(other):
    """Text after the characters that show an event does not change the event."""
    rng, compared = random.Random(3), 0
    for question, thought in (*thoughts(25, 3), (QUESTION, THOUGHT)):
        whole = found(question, thought)
        for _ in range(12):
            cut = rng.randrange(len(thought))
            changed = found(question, thought[:cut] + other)
            before = {one for one in whole if one[2] <= cut}
            assert before == {one for one in changed if one[2] <= cut}
            compared += len(before)
    assert compared > 300


def test_the_full_detector_is_not_causal():
    """The same comparison fails for it, so the comparison can fail."""
    thought = THOUGHT.partition("Wait")[0]
    changed = thought + "19 + 4 = 23."
    assert detect(QUESTION, thought).arrivals
    assert len(thought) > detect(QUESTION, thought).arrivals[0].end
    ends = [one.end for one in detect(QUESTION, changed).arrivals]
    assert detect(QUESTION, thought).arrivals[0].end not in ends


def test_sentence_ends_show_in_the_next_character(data_folder):
    rng, compared = random.Random(4), 0
    lines = (data_folder / "r1_traces/gsm8k_test.jsonl").read_text().splitlines()
    for row in map(json.loads, rng.sample(lines, 120)):
        thought = row["thought"]
        ends = {span.end for span in sentences(thought)}
        for _ in range(8):
            cut = rng.randrange(len(thought) + 1)
            changed = thought[:cut] + rng.choice(("x", ". The", "\n\n", " 3.5", "</t"))
            its = {span.end for span in sentences(changed)}
            shown = {end for end in ends if end_shows_at(thought, end) <= cut}
            assert shown == {end for end in its if end_shows_at(changed, end) <= cut}
            compared += len(shown)
    assert compared > 10_000


def test_real_thoughts_are_read_causally(data_folder):
    rng, compared = random.Random(5), 0
    lines = (data_folder / "r1_traces/gsm8k_test.jsonl").read_text().splitlines()
    for row in map(json.loads, rng.sample(lines, 40)):
        question, thought = row["question"], row["thought"][:6000]
        whole = found(question, thought)
        for _ in range(2):
            cut = rng.randrange(len(thought) + 1)
            changed = found(question, thought[:cut] + OTHER)
            before = {one for one in whole if one[2] <= cut}
            assert before == {one for one in changed if one[2] <= cut}
            compared += len(before)
    assert compared > 100


def test_most_sentences_are_read_a_fixed_number_of_times(monkeypatch):
    """What the detector reads grows like the text, not like its square."""
    read = []
    real = causal.detect
    monkeypatch.setattr(
        causal, "detect", lambda q, text: read.append(len(text)) or real(q, text)
    )
    amounts = []
    for size in (20, 80):
        read.clear()
        detect_causal(QUESTION, (THOUGHT + "\n") * size)
        amounts.append(sum(read))
    assert amounts[1] < 4.5 * amounts[0]
