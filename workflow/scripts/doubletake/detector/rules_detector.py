"""The detector `rules`: reads a thought sentence by sentence, without the gold answer.

Arrivals, backtracks and wrap-ups are defined in `events`. There are no events before
the first arrival. After an arrival, a sentence that turns back opens a turn. In an open
turn, the first candidate answer is the next arrival. So two arrivals always have a
backtrack between them. A sentence that only restates a value is not an event.
"""

from dataclasses import dataclass, field

from doubletake.detector.answer_candidates import (
    answer_candidates,
    deduces,
    has_computation,
    is_conclusion,
)
from doubletake.detector.asked_quantity import read_question
from doubletake.detector.backtrack_cues import (
    Cue,
    finds_the_same,
    is_agreement,
    is_guess,
    is_verdict,
    kind_of,
    only_asks,
    turn_cue,
)
from doubletake.detector.events import Arrival, Backtrack, Events
from doubletake.detector.rival_answers import is_reasoning
from doubletake.detector.stated_formulas import stated_formulas
from doubletake.detector.stated_numbers import (
    COMMITTED,
    MENTION,
    RESULT,
    StatedNumber,
    StatedNumbers,
)
from doubletake.detector.wrap_ups import with_wrap_up
from doubletake.text.sentences import Span, sentences, starts_line

# ASSUME: "I don't see a mistake" turns back only if a computation follows so soon.
LOOK_AHEAD = 120  # characters


@dataclass
class _Reader:
    """The state of reading a thought, sentence by sentence."""

    thought: str
    spans: tuple[Span, ...]
    arrivals: list[Arrival] = field(default_factory=list)
    backtracks: list[Backtrack] = field(default_factory=list)
    open: bool = False
    """Whether a turn has begun and has not stated its answer yet."""
    settled: bool = False
    """Whether the open turn has met a verdict."""
    running: int = -1
    """Index of the sentence after the bare result of a check; -1: none."""
    reasoning_sentences: int = 0
    """Number of sentences of the open turn that reason and are not cues."""

    def read(self, index: int, candidates: list[StatedNumber]) -> None:
        """Read one sentence.

        Args:
            index: of the sentence.
            candidates: its numbers that may be the answer.
        """
        sentence = self.sentence(index)
        cue = turn_cue(sentence) if self.arrivals else None
        turned = (
            cue is not None
            and self.opens_turn(cue, index)
            and not self.runs_on(cue, index, candidates)
        )
        if cue is not None and turned:
            self.backtrack(cue, index)
        elif cue is not None and self.open and only_asks(cue, sentence):
            candidates = []
        checked = self.open
        arrived = self.arrive(candidates, turned, sentence)
        if arrived and checked and not deduces(sentence):
            self.running = index + 1
        if self.open and not turned and not arrived:
            self.reasoning_sentences += cue is None and is_reasoning(sentence)
            self.settled = self.settled or is_verdict(sentence)

    def opens_turn(self, cue: Cue, index: int) -> bool:
        """Whether a cue opens a turn here."""
        if cue.form == "confidence":
            after = self.spans[index].end
            if not has_computation(self.thought[after : after + LOOK_AHEAD]):
                return False
            return " but " in self.sentence(index) or not turn_cue(
                self.sentence(index + 1)
            )
        if not self.open or self.settled:
            return not (cue.form == "doubt" and self.is_answered_guess(index))
        if cue.form == "another":
            return self.reasoning_sentences > 1
        return (
            cue.starts_new_turn
            and self.reasoning_sentences > 0
            and not finds_the_same(self.sentence(index))
        )

    def sentence(self, index: int) -> str:
        """Text of a sentence; empty after the last one."""
        return "".join(self.thought[slice(*s)] for s in self.spans[index : index + 1])

    def runs_on(self, cue: Cue, index: int, candidates: list[StatedNumber]) -> bool:
        """Whether a check goes on, in the same line, and computes its value again.

        "..., which is 60. Alternatively, 50 + 10 = 60. Same result."
        """
        return (
            index == self.running
            and cue.form == "alternatively"
            and not starts_line(self.thought, self.spans[index].start)
            and any(
                item.after_operand and item.numeral.value == self.arrivals[-1].value
                for item in candidates
            )
        )

    def is_answered_guess(self, index: int) -> bool:
        """Whether a sentence guesses and the next one agrees ("Maybe so? Yeah.")."""
        return is_guess(self.sentence(index)) and is_agreement(self.sentence(index + 1))

    def backtrack(self, cue: Cue, index: int) -> None:
        """Record a backtrack."""
        span = self.spans[index]
        kind = kind_of(cue, self.sentence(index), self.sentence(index + 1))
        ordinal = len(self.backtracks) + 1
        self.backtracks.append(Backtrack(*span, cue.text, kind, ordinal))
        self.open, self.settled, self.reasoning_sentences = True, False, 0

    def arrive(
        self, candidates: list[StatedNumber], turned: bool, sentence: str
    ) -> bool:
        """Record an arrival if the sentence makes one."""
        if self.arrivals and not self.open:
            last = self.arrivals[-1].value
            candidates = [
                item
                for item in candidates
                if item.role == COMMITTED and item.numeral.value != last
            ]
        elif turned:
            candidates = [
                item
                for item in candidates
                if item.role in (RESULT, COMMITTED) and item.after_operand
            ]
        elif self.arrivals:
            concludes = is_conclusion(sentence)
            candidates = [
                item for item in candidates if item.role != MENTION or concludes
            ]
        else:
            concludes = is_conclusion(sentence)
            candidates = [
                item
                for item in candidates
                if item.role != MENTION or item.after_operand or concludes
            ]
        if candidates:
            start, end, value, _ = candidates[0].numeral
            self.arrivals.append(Arrival(start, end, value, len(self.arrivals) + 1))
            self.open = self.settled = False
        return bool(candidates)


def detect(question: str, thought: str) -> Events:
    """Arrivals, backtracks and the wrap-up of a thought on a question."""
    spans = sentences(thought)
    numbers = StatedNumbers(thought, spans, read_question(question))
    candidates: dict[int, list[StatedNumber]] = {}
    formulas = stated_formulas(thought, spans, numbers.mark)
    answers = [item for item in formulas if not item.hypothetical]
    for item in answers or answer_candidates(thought, numbers):
        candidates.setdefault(item.sentence, []).append(item)
    reader = _Reader(thought, spans)
    if candidates:
        for index in range(len(spans)):
            reader.read(index, candidates.get(index, []))
    events = Events(tuple(reader.arrivals), tuple(reader.backtracks))
    return with_wrap_up(thought, events)
