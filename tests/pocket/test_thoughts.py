"""Thoughts of the pocket language: true equations, and events at their true places."""

import random
import re

from pocket.arithmetic import calculate
from pocket.planted_events import Thought
from pocket.problems import Problem, sample_problem
from pocket.thoughts import Habits, sample_thought

EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")
# Many slips, so that a few hundred thoughts hold every way in which one ends.
SLIPPERY = Habits(slip=0.8, turn_when_wrong=0.8)


def sample(seed: int, habits: Habits, count: int) -> list[tuple[Problem, Thought]]:
    rng = random.Random(seed)
    problems = [sample_problem(rng) for _ in range(count)]
    return [(problem, sample_thought(problem, rng, habits)) for problem in problems]


THOUGHTS = sample(0, Habits(), 500) + sample(1, SLIPPERY, 500)


def sentence_at(text: str, start: int) -> str:
    match = re.match(r"[^.?]*[.?]", text[start:])
    assert match is not None
    return match.group()


def test_every_equation_holds_except_slips_and_their_quotes():
    seen = 0
    for _, thought in THOUGHTS:
        wrong = {slip.start: slip for slip in thought.slips}
        for match in EQUATION.finditer(thought.text):
            left, sign, right, result = match.groups()
            seen += 1
            if calculate(int(left), sign, int(right)) == int(result):
                assert match.start(4) not in wrong
                continue
            sentence = sentence_at(thought.text, match.start())
            quoted = sentence.endswith(("is not right.", "is wrong."))
            assert quoted or match.start(4) in wrong, thought.text
    assert seen > 5000


def test_arrivals_point_at_their_values_in_order():
    for _, thought in THOUGHTS:
        for ordinal, arrival in enumerate(thought.arrivals, start=1):
            assert thought.text[arrival.start : arrival.end] == str(arrival.value)
            around = thought.text[arrival.start - 1 : arrival.end + 1]
            assert re.fullmatch(r"\D\d+\D", around)
            assert arrival.ordinal == ordinal
        starts = [arrival.start for arrival in thought.arrivals]
        assert starts == sorted(set(starts))


def test_arrivals_and_backtracks_alternate():
    for _, thought in THOUGHTS:
        starts = [(a.start, "arrival") for a in thought.arrivals]
        starts += [(b.start, "backtrack") for b in thought.backtracks]
        kinds = [kind for _, kind in sorted(starts)]
        assert kinds[::2] == ["arrival"] * (len(kinds) // 2 + 1)
        assert kinds[1::2] == ["backtrack"] * (len(kinds) // 2)


def test_backtracks_and_wrap_ups_are_whole_sentences_that_begin_with_their_cue():
    for _, thought in THOUGHTS:
        for mark in (*thought.backtracks, *thought.wrap_ups):
            sentence = thought.text[mark.start : mark.end]
            assert sentence == sentence_at(thought.text, mark.start)
            assert sentence.startswith(mark.cue)
            assert thought.text[mark.start - 1] in " \n"
        assert {b.kind for b in thought.backtracks} <= {
            *("check", "doubt", "alternative", "reread")
        }


def test_a_wrap_up_ends_its_thought():
    for _, thought in THOUGHTS:
        for wrap_up in thought.wrap_ups:
            assert wrap_up.end == len(thought.text)
            assert str(thought.answer) in thought.text[wrap_up.start :]


def test_slips_are_corrected_at_their_recorded_place():
    kinds = set()
    for problem, thought in THOUGHTS:
        if not thought.slips:
            assert thought.answer == problem.answer
            continue
        (slip,) = thought.slips
        assert thought.text[slip.start : slip.end] == str(slip.wrong) != str(slip.right)
        after = [a.value for a in thought.arrivals]
        assert after[0] != problem.answer
        if slip.corrected is None:
            assert problem.answer not in after
            kinds.add("never")
            continue
        start, end = slip.corrected
        assert slip.start < start
        assert thought.text[start:end] == str(slip.right)
        kinds.add("at once" if after[1] == problem.answer else "later")
        for arrival in thought.arrivals:
            assert (arrival.value == problem.answer) == (arrival.start >= start)
    assert kinds == {"at once", "later", "never"}


def test_every_number_of_turns_occurs():
    counts = {len(thought.backtracks) for _, thought in THOUGHTS}
    assert counts == set(range(Habits().max_turns + 1))


def test_same_seed_same_thoughts_other_seed_others():
    assert sample(7, Habits(), 20) == sample(7, Habits(), 20)
    assert sample(7, Habits(), 20) != sample(8, Habits(), 20)


def test_habits_decide_the_thoughts():
    calm = sample(3, Habits(slip=0, turn=0, wrap_up=1), 50)
    assert all(
        not t.slips and not t.backtracks and len(t.wrap_ups) == 1 for _, t in calm
    )
    restless = sample(3, Habits(turn=1, turn_when_wrong=1, wrap_up=0), 50)
    assert all(
        len(t.backtracks) == Habits().max_turns and not t.wrap_ups for _, t in restless
    )
