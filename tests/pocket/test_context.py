"""The state on which the next turn depends, and the cause that decides."""

from pocket.arithmetic import Equation
from pocket.causes import DISTRACTOR, NONE, OPEN_WORD, SLIP, turn_rate
from pocket.context import Context
from pocket.questions import read_question

QUESTION = (
    "Tom has 12 apples. Lily is 8 years old. He sells 5. How many apples does Tom "
    "have left?"
)


def kinds(context: Context) -> list[str]:
    return [cause.kind for cause in context.causes]


def test_the_first_cause_decides_until_it_is_gone():
    context = Context(read_question(QUESTION))
    assert kinds(context) == [DISTRACTOR, OPEN_WORD]
    context.state(Equation(12, "-", 5, 8), (0, 10))
    assert kinds(context) == [SLIP, DISTRACTOR, OPEN_WORD]
    assert context.cause.span == (0, 10)
    context.state(Equation(12, "-", 5, 8), (20, 30))  # a check that repeats it
    assert context.cause.span == (20, 30)
    context.state(Equation(7, "+", 5, 12), (40, 50))  # another equation mends nothing
    assert context.cause.kind == SLIP
    context.state(Equation(12, "-", 5, 7), (60, 70))
    assert kinds(context) == [DISTRACTOR, OPEN_WORD]
    assert QUESTION[slice(*context.cause.span)] == "8"
    context.uses_distractor = True
    assert QUESTION[slice(*context.cause.span)] == "left"
    context.weighed = True
    assert (context.causes, context.cause.kind) == ((), NONE)


def test_the_turn_rate_is_that_of_the_deciding_cause_and_the_turns():
    context = Context(read_question(QUESTION))
    assert context.turn_rate == turn_rate(DISTRACTOR, 0)
    context.uses_distractor = context.weighed = True
    rates = []
    for turns in range(8):
        context.turns = turns
        rates.append(context.turn_rate)
        assert context.turn_rate == turn_rate(NONE, turns)
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > rates[5] == rates[7]


def test_a_division_with_a_remainder_is_a_slip():
    context = Context(read_question(""))
    context.state(Equation(7, "/", 2, 3), (0, 9))
    assert kinds(context) == [SLIP]
