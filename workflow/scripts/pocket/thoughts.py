"""Thoughts of the pocket language, with the true places and causes of their events.

A thought derives the answer and then decides at one boundary after another: it turns
back, wraps up or goes on (`causes` has the rates). What a turn does follows from its
cause. A false equation is named and mended, or a check misses it. An unused number is
found irrelevant. The other reading of an open word is weighed. Without a cause, a turn
checks, works backwards, takes another order, doubts one step or reads the question
again. Arrivals and backtracks follow the labelling guide of the project: there is one
arrival for each answer, where its value first stands as the answer.
"""

import random
from collections.abc import Callable

from pocket import phrases
from pocket.arithmetic import Equation
from pocket.causes import (
    CHOICE_OF_WORD,
    DISTRACTOR,
    GO_ON,
    NONE,
    OPEN_WORD,
    SLIP,
    TURN,
    WRAP_UP,
    draw,
    draw_boundary,
    first_words,
)
from pocket.context import Context
from pocket.derivations import SLIPS, backwards, is_hard, reordered, slipped
from pocket.planted_events import Backtrack, Thought, Writer
from pocket.problems import Problem
from pocket.questions import OTHER_READING, Span, read_question

MISSES = 0.15
"""Share of turns with a slip as their cause whose check repeats the slip."""
DISMISSALS = 0.3
"""Share of first derivations of a question with a distractor that name it."""
NEUTRAL_REMARKS = 0.4
"""Share of the other first derivations that have a remark in the same place."""
STEPS_ON_LINES = 0.4
"""Share of thoughts that write each step of the first derivation on its own line."""
NARRATED = 0.75
"""Share of first derivations that repeat the story."""
LEADS = ("", "Okay, ")
"""How a narrated derivation begins."""


class _Thinker:
    """Writes one thought."""

    def __init__(self, problem: Problem, rng: random.Random) -> None:
        self.problem, self.rng = problem, rng
        self.context = Context(read_question(problem.question))
        self.writer = Writer(self.context)
        self.step_separator = " "
        """What stands before a step."""
        self.belief = problem.equations
        """The derivation that the thought takes for right."""
        self.slip_step: int | None = None
        """The step of it that is wrong."""
        self.sentence_ends: list[int] = []

    def state(self, equation: Equation, before: str = "", after: str = ".") -> Span:
        """Write a sentence with an equation; return the span of its result."""
        start, end = self.writer.say(f"{before}{equation}{after}", self.step_separator)
        start, end = start + len(before), end - len(after)
        self.context.state(equation, (start, end))
        return end - len(str(equation.result)), end

    def conclude(self) -> None:
        """Write the sentence with the believed answer, and arrive."""
        value = str(self.belief[-1].result)
        _, end = self.writer.say(phrases.CONCLUSION.format(value))
        self.writer.arrive((end - 1 - len(value), end - 1))

    def derive(self) -> None:
        """Write the first derivation, with a slip if one is planted."""
        rng, writer = self.rng, self.writer
        self.plant_slip()
        self.step_separator = "\n" if rng.random() < STEPS_ON_LINES else " "
        starts = self.begin()
        remark = self.remark()
        span = (0, 0)
        for step, (start, equation) in enumerate(zip(starts, self.belief, strict=True)):
            if remark and step == len(self.belief) - 1:
                writer.say(remark, self.step_separator)
            if writer.text:
                self.sentence_ends.append(len(writer.text))
            span = self.state(equation, start)
        writer.arrive(span)
        self.context.derived = True

    def begin(self) -> list[str]:
        """Write what stands before the first step; return how each step begins."""
        operations, opening = self.problem.operations, self.problem.opening
        narrated = self.rng.random() < NARRATED
        lead = self.rng.choice(LEADS)
        if not narrated:
            self.writer.say(phrases.STEP_BY_STEP)
            return [""] * len(operations)
        if operations[0].clause != opening:
            self.writer.say(f"{lead}{opening}.")
            lead = ""
        clauses = [f"{o.clause}, so " if o.clause else "Then " for o in operations]
        return [lead + clauses[0], *clauses[1:]]

    def plant_slip(self) -> None:
        """Decide which step of the first derivation is wrong, if any."""
        for step, equation in enumerate(self.problem.equations):
            if not is_hard(equation):
                continue
            slips = draw(self.rng, {True: SLIPS, False: 1 - SLIPS})
            wrong = slipped(self.problem, step) if slips else None
            if wrong is not None:
                self.belief, self.slip_step = wrong, step
                return

    def remark(self) -> str:
        """A sentence before the last step: it uses the distractor, or says nothing."""
        distractor = self.context.question.distractor
        if distractor and self.rng.random() < DISMISSALS:
            self.context.uses_distractor = True
            return distractor.dismissal
        return phrases.NEUTRAL_REMARK if self.rng.random() < NEUTRAL_REMARKS else ""

    def repeat(self, first: int = 0) -> None:
        """State the believed equations from step `first` on and arrive at the last."""
        span = (0, 0)
        for step in range(first, len(self.belief)):
            span = self.state(self.belief[step])
        self.writer.arrive(span)

    def turn_back(
        self, template: str, separator: str, kind: str, *about: object
    ) -> None:
        """Write the sentence that turns back."""
        sentence = template.format(*about)
        span = self.writer.begin(sentence, separator, TURN)
        words = sentence.split()
        cue = "Let me" if words[0] == "Let" else words[0].rstrip(",")
        self.writer.backtracks.append(Backtrack(*span, cue, kind))
        self.context.turns += 1

    def on_slip(self, word: str, separator: str) -> None:
        """Name the false equation and mend it, or check and repeat it."""
        assert self.slip_step is not None
        if draw(self.rng, {True: MISSES, False: 1 - MISSES}):
            self.turn_back(phrases.MISSED_CHECKS[word], separator, "check")
            self.repeat()
            return
        step, slip = self.slip_step, self.belief[self.slip_step]
        self.turn_back(phrases.DENIALS[word], separator, "doubt", slip)
        self.belief, self.slip_step = self.problem.equations, None
        self.repeat(step)

    def on_distractor(self, word: str, separator: str) -> None:
        """Ask about the unused number and find it irrelevant."""
        distractor = self.context.question.distractor
        assert distractor is not None
        about = (distractor.number, distractor.noun)
        self.turn_back(phrases.WHAT_ABOUT[word], separator, "doubt", *about)
        self.writer.say(phrases.NOT_COUNTED)
        self.context.uses_distractor = True
        self.conclude()

    def on_open_word(self, word: str, separator: str) -> None:
        """Weigh the other reading of the open word."""
        open_word = self.context.question.open_word
        assert open_word is not None
        about = (open_word.word, OTHER_READING[open_word.word])
        self.turn_back(phrases.COULD_MEAN[word], separator, "doubt", *about)
        self.writer.say(phrases.ASKED.format(self.problem.asked_quantity))
        self.context.weighed = True
        self.conclude()

    def on_nothing(self, word: str, separator: str) -> None:
        """Turn back without a cause."""
        options: dict[Callable[[str, str], None], float] = {
            self.check: 0.4,
            self.reread: 0.2,
        }
        if backwards(self.problem) is not None:
            options[self.invert] = 0.2
        if word == "Wait":
            options[self.doubt] = 0.2
        elif reordered(self.problem) is not None:
            options[self.reorder] = 0.2
        total = sum(options.values())
        shares = {option: share / total for option, share in options.items()}
        draw(self.rng, shares)(word, separator)

    def check(self, word: str, separator: str) -> None:
        """Go through all steps again."""
        self.turn_back(phrases.CHECKS[word], separator, "check")
        self.repeat()

    def invert(self, word: str, separator: str) -> None:
        """Work backwards from the answer."""
        self.turn_back(phrases.INVERSES[word], separator, "check")
        undone = backwards(self.problem)
        assert undone is not None
        self.writer.say(phrases.FITS.format(" and ".join(map(str, undone))))
        self.conclude()

    def reorder(self, word: str, separator: str) -> None:
        """Take the last steps in another order."""
        self.turn_back(phrases.REORDERS[word], separator, "alternative")
        equations = reordered(self.problem)
        assert equations is not None
        span = (0, 0)
        for equation in equations:
            span = self.state(equation)
        self.writer.arrive(span)

    def reread(self, word: str, separator: str) -> None:
        """Return to the question."""
        self.turn_back(phrases.REREADS[word], separator, "reread")
        self.writer.say(phrases.REREAD.format(self.problem.asked_quantity))
        self.conclude()

    def doubt(self, word: str, separator: str) -> None:
        """Doubt one equation and find it right."""
        hard = [e for e in self.belief if is_hard(e)]
        equation = self.rng.choice(hard or self.belief)
        self.turn_back(phrases.DOUBTS[word], separator, "doubt", equation.task)
        end = phrases.CONFIRMED.removeprefix("{}")
        span = self.state(equation, after=end)
        if equation is self.belief[-1]:
            self.writer.arrive(span)
        else:
            self.conclude()

    def decide(self) -> bool:
        """Write the sentence at a boundary, and a whole turn; False at a wrap-up."""
        kind = self.context.cause.kind
        words = first_words(kind, self.context.turns)
        separator, word = draw_boundary(self.rng, words)
        choice = CHOICE_OF_WORD[word]
        if choice == WRAP_UP:
            sentence = phrases.WRAP_UPS[word].format(self.belief[-1].result)
            self.writer.begin(sentence, separator, WRAP_UP)
        elif choice == GO_ON:
            self.go_on(word, separator)
        else:
            turn = {
                SLIP: self.on_slip,
                DISTRACTOR: self.on_distractor,
                OPEN_WORD: self.on_open_word,
                NONE: self.on_nothing,
            }[kind]
            turn(word, separator)
        return choice != WRAP_UP

    def go_on(self, word: str, separator: str) -> None:
        """Write a sentence that does not turn, if possible one not yet said."""
        values = {"value": self.belief[-1].result, "unit": self.problem.unit}
        options = [text.format(**values) for text in phrases.GO_ON[word]]
        said = self.writer.text[self.writer.arrivals[-1].end :]
        new = [text for text in options if text not in said]
        self.writer.begin(self.rng.choice(new or options), separator, GO_ON)

    def think(self) -> Thought:
        """Write the whole thought."""
        self.derive()
        while self.decide():
            pass
        return Thought(
            text=self.writer.text,
            arrivals=tuple(self.writer.arrivals),
            boundaries=tuple(self.writer.boundaries),
            backtracks=tuple(self.writer.backtracks),
            sentence_ends=tuple(self.sentence_ends),
        )


def sample_thought(problem: Problem, rng: random.Random) -> Thought:
    """A thought about the problem, with the true places and causes of its events."""
    return _Thinker(problem, rng).think()
