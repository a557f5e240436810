"""Thoughts of the pocket language: true equations, and events at their true places."""

import random
import re

import pytest

from pocket.arithmetic import Equation
from pocket.causes import DISTRACTOR, GO_ON, NONE, OPEN_WORD, SLIP, TURN, WRAP_UP
from pocket.derivations import is_hard, wrong_result
from pocket.phrases import GO_ON as GO_ON_SENTENCES
from pocket.planted_events import Thought
from pocket.problems import Problem, sample_problem
from pocket.thoughts import sample_thought

EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")
SENTENCE = re.compile(r"[^.?]*[.?]")


def sample(seed: int, count: int) -> list[tuple[Problem, Thought]]:
    rng = random.Random(seed)
    problems = [sample_problem(rng) for _ in range(count)]
    return [(problem, sample_thought(problem, rng)) for problem in problems]


THOUGHTS = sample(0, 2000)


def equations_of(text: str) -> list[tuple[Equation, int]]:
    """The equations of a text, and where each ends."""
    found = []
    for match in EQUATION.finditer(text):
        left, sign, right, result = match.groups()
        equation = Equation(int(left), sign, int(right), int(result))
        found.append((equation, match.end()))
    return found


def test_every_equation_is_true_except_one_planted_slip_and_its_repeats():
    seen = slips = 0
    for problem, thought in THOUGHTS:
        equations = equations_of(thought.text)
        seen += len(equations)
        false = {equation for equation, _ in equations if not equation.is_true}
        assert len(false) <= 1, thought.text
        for slip in false:
            slips += 1
            assert is_hard(slip)
            assert slip.result == wrong_result(slip)
            assert thought.arrivals[0].value != problem.answer
            # It stands in the first derivation and is never stated once it is mended.
            ends = [end for e, end in equations if e == slip]
            assert ends[0] <= thought.arrivals[0].end
            mended = [end for e, end in equations if e.is_true and e.task == slip.task]
            assert not mended or ends[-1] < mended[0]
        if not false:
            assert {a.value for a in thought.arrivals} == {problem.answer}
    assert seen > 9_000
    assert slips > 200


def test_arrivals_point_at_their_values_in_order():
    for _, thought in THOUGHTS:
        for arrival in thought.arrivals:
            assert thought.text[arrival.start : arrival.end] == str(arrival.value)
            around = thought.text[arrival.start - 1 : arrival.end + 1]
            assert re.fullmatch(r"\D\d+\D", around)
        starts = [arrival.start for arrival in thought.arrivals]
        assert starts == sorted(set(starts))


def test_boundaries_follow_arrivals_and_each_turn_leads_to_an_arrival():
    kinds = {WRAP_UP: "w", GO_ON: "g", TURN: "t"}
    for _, thought in THOUGHTS:
        events = [(arrival.start, "a") for arrival in thought.arrivals]
        events += [(b.start, kinds[str(b.choice)]) for b in thought.boundaries]
        order = "".join(kind for _, kind in sorted(events))
        assert re.fullmatch(r"(ag*t)*ag*w", order), order


def test_boundaries_are_whole_sentences_with_their_word_and_the_turns_before():
    for _, thought in THOUGHTS:
        turns = 0
        for b in thought.boundaries:
            sentence = thought.text[b.start : b.end]
            assert SENTENCE.fullmatch(sentence)
            assert re.split(r"[ ,]", sentence)[0] == b.word
            assert b.turns == turns
            turns += b.choice == TURN
        planted = [(b.start, b.end) for b in thought.boundaries if b.choice == TURN]
        assert planted == [(b.start, b.end) for b in thought.backtracks]
        for backtrack in thought.backtracks:
            assert thought.text.startswith(backtrack.cue, backtrack.start)
        assert thought.boundaries[-1].end == len(thought.text)
        assert f" {thought.answer}." in thought.text[thought.boundaries[-1].start :]


def test_sentences_that_go_on_repeat_only_when_all_are_said():
    longest = 0
    for _, thought in THOUGHTS:
        said: dict[str, list[str]] = {word: [] for word in GO_ON_SENTENCES}
        for b in thought.boundaries:
            if b.choice == TURN:  # an arrival follows
                said = {word: [] for word in GO_ON_SENTENCES}
            elif b.choice == GO_ON:
                said[b.word].append(thought.text[b.start : b.end])
            for word, templates in GO_ON_SENTENCES.items():
                first = said[word][: len(templates)]
                assert len(set(first)) == len(first), thought.text
                longest = max(longest, len(first))
    assert longest > 1


def false_before(thought: Thought, end: int) -> set[str]:
    """Left-hand sides whose last result before a character is false."""
    last = {e.task: e.is_true for e, stop in equations_of(thought.text) if stop <= end}
    return {task for task, is_true in last.items() if not is_true}


def test_causes_hold_at_their_boundaries_and_lie_at_their_characters():
    seen = dict.fromkeys((SLIP, DISTRACTOR, OPEN_WORD, NONE), 0)
    for problem, thought in THOUGHTS:
        for b in thought.boundaries:
            cause = b.cause
            seen[cause.kind] += 1
            assert (cause.kind == SLIP) == bool(false_before(thought, b.start))
            if cause.kind == NONE:
                assert (cause.place, cause.span, b.causes) == (None, None, 0)
                continue
            text = problem.question if cause.place == "question" else thought.text
            words = text[slice(*cause.span)]
            asked = re.escape(words)
            before = thought.text[: b.start]
            if cause.kind == SLIP:
                ((equation, _),) = equations_of(words)
                assert not equation.is_true
                assert cause.span[1] <= b.start
            elif cause.kind == DISTRACTOR:
                # No sentence has said that it does not count.
                named = rf"The {asked} \w+ do not|what about the {asked} "
                assert not re.search(named, before)
            else:
                assert words in ("left", "in all", "each")
                assert f"{words} mean" not in before
    assert min(seen.values()) > 300


@pytest.mark.parametrize("kind", [SLIP, DISTRACTOR, OPEN_WORD])
def test_what_a_turn_does_follows_from_its_cause(kind):
    forms = {
        SLIP: r"(Wait, |Hmm, |But )(\d.* is not right\.|let me check again\.)",
        DISTRACTOR: r"(Wait, |Hmm, |But )what about the {} \w+\?",
        OPEN_WORD: r"(But could|Hmm, could|Alternatively, maybe) {} means? .*",
    }
    seen = 0
    for problem, thought in THOUGHTS:
        for b in thought.boundaries:
            if b.choice != TURN or b.cause.kind != kind:
                continue
            seen += 1
            place = problem.question if b.cause.place == "question" else thought.text
            words = re.escape(place[slice(*b.cause.span)])
            sentence = thought.text[b.start : b.end]
            form = forms[kind].replace("{}", words)
            assert re.fullmatch(form, sentence), sentence
    assert seen > 100


def test_a_cut_lies_at_the_end_of_a_sentence_of_the_first_derivation():
    for _, thought in THOUGHTS:
        for end in thought.sentence_ends:
            assert thought.text[end - 1] == "."
            assert end < thought.arrivals[0].start


def test_same_seed_same_thoughts_other_seed_others():
    assert sample(7, 20) == sample(7, 20)
    assert sample(7, 20) != sample(8, 20)
