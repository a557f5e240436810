"""The state of a pocket thought on which its next turn depends."""

from dataclasses import dataclass, field

from pocket.arithmetic import Equation
from pocket.causes import DISTRACTOR, NONE, OPEN_WORD, SLIP, turn_rate
from pocket.questions import Question, Span

QUESTION, THOUGHT = "question", "thought"
"""The text in which a cause stands."""


@dataclass(frozen=True)
class Cause:
    """Why a thought turns back at a boundary."""

    kind: str
    """One of `causes.CAUSES`."""
    place: str | None = None
    """`question` or `thought`; None without a cause."""
    span: Span | None = None
    """Characters of the cause in that text."""


@dataclass
class Context:
    """What a thought has stated, used and weighed so far.

    Generator and reader keep the same state, so that they name the same causes.
    """

    question: Question
    turns: int = 0
    """Number of turns so far."""
    uses_distractor: bool = False
    weighed: bool = False
    """Whether the other reading of the open word was weighed."""
    derived: bool = False
    """Whether the first derivation has ended; slips are planted in it alone."""
    false_equations: dict[str, Span] = field(default_factory=dict)
    """Slips, by the left-hand side of the equation: where it was stated last."""
    other_errors: int = 0
    """Number of false equations that are no slips, because they came later."""

    def state(self, equation: Equation, span: Span) -> None:
        """An equation is stated at a span of the thought.

        A true one mends the false one with its task. The equations that were stated
        after the false one used its result, so they hold no longer. (The language has
        one slip in a thought. If a model writes two that do not depend on each other,
        the second is taken back, too.)
        """
        false = self.false_equations
        if not equation.is_true and (not self.derived or equation.task in false):
            false[equation.task] = span
        elif not equation.is_true:
            self.other_errors += 1
        elif equation.task in false:
            before = list(false).index(equation.task)
            self.false_equations = dict(list(false.items())[:before])

    @property
    def causes(self) -> tuple[Cause, ...]:
        """All causes that hold, the one that decides first."""
        slips = [Cause(SLIP, THOUGHT, span) for span in self.false_equations.values()]
        causes = slips[:1]
        question = self.question
        if question.distractor and not self.uses_distractor:
            causes.append(Cause(DISTRACTOR, QUESTION, question.distractor.span))
        if question.open_word and not self.weighed:
            causes.append(Cause(OPEN_WORD, QUESTION, question.open_word.span))
        return tuple(causes)

    @property
    def cause(self) -> Cause:
        """The cause that decides."""
        return next(iter(self.causes), Cause(NONE))

    @property
    def turn_rate(self) -> float:
        """The planted probability of turning back at a boundary."""
        return turn_rate(self.cause.kind, self.turns)
