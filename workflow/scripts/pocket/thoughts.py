"""Thoughts of the pocket language, with the true places of their events.

A thought derives the answer, turns back several times as DeepSeek-R1's thoughts do
("Wait, let me check again."), and wraps up. Some first derivations have a slip: they
forget a carry or borrow. The wrong result stays in use until a later turn notices it.
Arrivals, backtracks and wrap-ups follow the labelling guide of the project: there is
one arrival for each answer, where its value first stands as the answer.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pocket.arithmetic import Equation
from pocket.derivations import backwards, is_error_prone, reordered, slipped
from pocket.phrases import (
    ALTERNATIVES,
    CHECKS,
    DOUBTS,
    INVERSES,
    NOTICED,
    REREADS,
    WRAP_UPS,
)
from pocket.planted_events import Backtrack, Slip, Span, Thought, WrapUp, Writer
from pocket.problems import Problem


@dataclass(frozen=True)
class Habits:
    """How often a thought takes which step.

    Sampling at temperature 0.6 sharpens the shares: a trained model takes an option of
    share p with weight p^(1/0.6), against (1 - p)^(1/0.6) for the other option. The
    shares are set so that the sampled thoughts have the wanted shares.
    """

    slip: float = 0.35
    """Share of the error-prone equations of a first derivation that are wrong."""
    turn: float = 0.66
    """Share of arrivals at a right answer after which the thought turns back."""
    turn_when_wrong: float = 0.93
    """Share of arrivals at a wrong answer after which the thought turns back."""
    max_turns: int = 7
    """Most turns in a thought."""
    wrap_up: float = 0.5
    """Share of thoughts that end with a wrap-up; the others end after an arrival."""
    inline: float = 0.6
    """Share of turns with "Wait" that do not begin a paragraph."""
    restate: float = 0.45
    """Share of derivations that end with a sentence that restates the answer."""


class _Thinker:
    """Writes one thought."""

    def __init__(self, problem: Problem, rng: random.Random, habits: Habits) -> None:
        self.problem, self.rng, self.habits = problem, rng, habits
        self.writer = Writer()
        self.belief = problem.equations
        self.slip_step: int | None = None
        self.slip: tuple[Span, int] | None = None
        self.corrected_span: Span | None = None
        self.last_opener = ("", "")

    @property
    def wrong(self) -> bool:
        """Whether a slip is still believed."""
        return self.slip_step is not None

    def conclude(self) -> Span:
        """Write a sentence with the believed answer; return the span of the number."""
        value = str(self.belief[-1].result)
        if self.rng.random() < 0.5:
            return self.writer.say_number(f"So the answer is {value}.")
        head, tail = self.problem.conclusion.split("{}")
        return self.writer.say_number(f"So {head}{value}{tail}.", len(tail) + 1)

    def maybe_conclude(self) -> None:
        """Perhaps restate the answer, which is not a new arrival."""
        if self.rng.random() < self.habits.restate:
            self.conclude()

    def derive(self) -> None:
        """Write the first derivation, with a slip if one is planted."""
        problem, rng, writer = self.problem, self.rng, self.writer
        for step, equation in enumerate(problem.equations):
            if is_error_prone(equation) and rng.random() < self.habits.slip:
                wrong = slipped(problem, step)
                if wrong is not None:
                    self.belief, self.slip_step = wrong, step
                    break
        narrated = rng.random() < 0.75
        lead = rng.choice(("", "Okay, "))
        if narrated and problem.operations[0].clause != problem.opening:
            writer.say(f"{lead}{problem.opening}.")
            lead = ""
        if not narrated:
            writer.say("Let me solve this step by step.")
        span = (0, 0)
        for step, equation in enumerate(self.belief):
            clause = problem.operations[step].clause if narrated else ""
            start = f"{lead}{clause}, so " if clause else ""
            lead = ""
            follows = narrated and step and not clause
            span = writer.say_number(f"{'Then ' if follows else start}{equation}.")
            if step == self.slip_step:
                self.slip = (span, problem.equations[step].result)
        writer.arrive(span)
        self.maybe_conclude()

    def correct(self) -> None:
        """Believe the true derivation from here on."""
        self.belief, self.slip_step = self.problem.equations, None

    def repeat(self, first: int = 0) -> None:
        """State the true equations from step `first` on and arrive at the last."""
        span = (0, 0)
        for step in range(first, len(self.problem.equations)):
            equation = self.problem.equations[step]
            if step == self.slip_step:
                wrong = self.belief[step].result
                tail = f", not {wrong}."
                span = self.writer.say_number(f"{equation}{tail}", len(tail))
                self.corrected_span = span
            else:
                span = self.writer.say_number(f"{equation}.")
        self.correct()
        self.writer.arrive(span)
        self.maybe_conclude()

    def turn_sentence(
        self, openers: Sequence[tuple[str, str]], kind: str, about: str = ""
    ) -> None:
        """Write the sentence that turns back."""
        text, cue = self.rng.choice([o for o in openers if o != self.last_opener])
        self.last_opener = (text, cue)
        inline = cue == "Wait" and self.rng.random() < self.habits.inline
        self.writer.text += "" if inline else "\n\n"
        span = self.writer.say(text.format(about))
        self.writer.backtracks.append(Backtrack(*span, cue, kind))

    def notice(self) -> None:
        """Name the slip and correct it."""
        assert self.slip_step is not None
        step = self.slip_step
        self.turn_sentence(NOTICED, "doubt", str(self.belief[step]))
        self.correct()
        span = self.writer.say_number(f"{self.belief[step]}.")
        self.corrected_span = span
        if step + 1 < len(self.belief):
            self.repeat(step + 1)
        else:
            self.writer.arrive(span)
            self.maybe_conclude()

    def doubt(self) -> None:
        """Doubt one equation and redo it; it is the slip if there is one."""
        steps = len(self.belief)
        step = self.slip_step
        if step is None:
            prone = [i for i, e in enumerate(self.belief) if is_error_prone(e)]
            step = self.rng.choice(prone or range(steps))
        self.turn_sentence(DOUBTS, "doubt", self.belief[step].task)
        if self.wrong:
            self.repeat(step)
            return
        span = self.writer.say_number(f"{self.belief[step]}, yes.", len(", yes."))
        if step == steps - 1:
            self.writer.arrive(span)
            self.maybe_conclude()
        else:
            self.writer.arrive(self.conclude())

    def check(self) -> None:
        """Go through all steps again."""
        self.turn_sentence(CHECKS, "check")
        self.repeat()

    def invert(self, undone: tuple[Equation, ...]) -> None:
        """Work backwards from the answer."""
        self.turn_sentence(INVERSES, "check")
        self.writer.say(" and ".join(map(str, undone)) + ", which fits.")
        self.writer.arrive(self.conclude())

    def reorder(self, equations: tuple[Equation, ...]) -> None:
        """Take the last steps in another order."""
        self.turn_sentence(ALTERNATIVES, "alternative")
        span = (0, 0)
        for equation in equations:
            span = self.writer.say_number(f"{equation}.")
        self.writer.arrive(span)
        self.maybe_conclude()

    def reread(self) -> None:
        """Return to the question; the steps are not redone, so a slip stays."""
        self.turn_sentence(REREADS, "reread")
        self.writer.say(f"It asks {self.problem.asked_quantity}.")
        self.writer.arrive(self.conclude())

    def turn(self) -> None:
        """Write one turn back and its arrival."""
        options: list[tuple[float, Callable[[], None]]] = [
            (3, self.check),
            (2, self.doubt),
            (1.5, self.reread),
        ]
        swapped, undone = reordered(self.problem), backwards(self.problem)
        if self.wrong:
            options.append((5, self.notice))
        else:
            if swapped is not None:
                options.append((3, lambda: self.reorder(swapped)))
            if undone is not None:
                options.append((2, lambda: self.invert(undone)))
        weights = [weight for weight, _ in options]
        self.rng.choices([act for _, act in options], weights)[0]()

    def close(self) -> None:
        """Write the wrap-up, or nothing."""
        if self.rng.random() >= self.habits.wrap_up:
            return
        text, cue = self.rng.choice(WRAP_UPS)
        self.writer.text += "\n\n"
        span = self.writer.say(text.format(self.belief[-1].result))
        self.writer.wrap_ups.append(WrapUp(*span, cue))

    def think(self) -> Thought:
        """Write the whole thought."""
        self.derive()
        for _ in range(self.habits.max_turns):
            wrong = self.wrong
            share = self.habits.turn_when_wrong if wrong else self.habits.turn
            if self.rng.random() >= share:
                break
            self.turn()
        self.close()
        writer = self.writer
        slips: tuple[Slip, ...] = ()
        if self.slip is not None:
            (start, end), right = self.slip
            wrong_value = int(writer.text[start:end])
            slips = (Slip(start, end, wrong_value, right, self.corrected_span),)
        return Thought(
            text=writer.text,
            arrivals=tuple(writer.arrivals),
            backtracks=tuple(writer.backtracks),
            wrap_ups=tuple(writer.wrap_ups),
            slips=slips,
        )


def sample_thought(
    problem: Problem, rng: random.Random, habits: Habits | None = None
) -> Thought:
    """A thought about the problem, with the true places of its events."""
    return _Thinker(problem, rng, habits or Habits()).think()
