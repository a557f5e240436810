"""Where a thought can be changed: sentences with an equation or with the final answer.

Only text that is right so far is changed: all equations before the first backtrack are
true, and at the final answer the last equation is true and the answer is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.equations import Equation, equations_of
from doubletake.text.sentences import Span, sentences
from doubletake.text.trace_positions import thought_span
from mistakes.names import EARLY, FINAL, LAST, MIDDLE, SLIP


@dataclass(frozen=True)
class Site:
    """A sentence of a thought, and what it states; characters of the trace's text."""

    place: str
    """Of `PLACES`."""
    sentence: Span
    equation: Equation | None
    """The last one of the sentence."""
    answer: Span | None = None
    """The number of the final answer, at the place `final`."""
    arrives: bool = False
    """Whether the sentence states an answer."""


@dataclass(frozen=True, eq=False)
class Thought:
    """A thought of the study with what is known of it."""

    drawn: DrawnThought
    sentences: tuple[Span, ...]
    equations: tuple[Equation, ...]
    before_turn: int
    """Characters before the first backtrack or wrap-up."""
    answer: Span | None
    """The number of the last arrival, if it is the final answer."""
    answer_is_right: bool
    """Whether it is the reference answer."""
    arrived_wrong: bool
    """Whether it states a wrong answer before the first backtrack."""
    arrivals: tuple[int, ...]
    """Where it states an answer."""

    @property
    def name(self) -> str:
        """Id of the trace."""
        return self.drawn.name

    @property
    def text(self) -> str:
        """Of the completion."""
        return str(self.drawn.trace["text"])

    @property
    def slips(self) -> list[Equation]:
        """False equations before the first backtrack."""
        own = self.equations
        return [e for e in own if e.span.end <= self.before_turn and not e.is_true]

    def sentence_of(self, span: Span) -> Span | None:
        """The sentence that holds a span; None if it lies in two."""
        found = [
            one
            for one in self.sentences
            if one.start <= span.start and span.end <= one.end
        ]
        return found[0] if found else None


def read_thought(drawn: DrawnThought, events: Sequence[dict[str, Any]]) -> Thought:
    """Sentences, equations and events of a thought.

    Args:
        drawn: the thought.
        events: its rows of `EVENTS`.
    """
    start, stop = thought_span(drawn.trace)
    text = drawn.trace["text"][start:stop]

    def moved(span: Span) -> Span:
        return Span(span.start + start, span.end + start)

    equations = tuple(
        e._replace(
            span=moved(e.span),
            left=moved(e.left),
            right=moved(e.right),
            result=moved(e.result),
        )
        for e in equations_of(text)
    )
    ends = [e["start"] for e in events if e["kind"] in ("backtrack", "wrap_up")]
    arrivals = [e for e in events if e["kind"] == "arrival" and e["end"] <= stop]
    last = max(arrivals, key=lambda e: e["start"], default=None)
    final = last is not None and bool(last["is_final"])
    before_turn = min([stop, *ends])
    return Thought(
        drawn,
        tuple(moved(span) for span in sentences(text)),
        equations,
        before_turn,
        Span(last["start"], last["end"]) if last is not None and final else None,
        last is not None and bool(last["is_gold"]),
        any(e["end"] <= before_turn and e["is_gold"] is False for e in arrivals),
        tuple(e["start"] for e in arrivals),
    )


def sites_of(thought: Thought) -> list[Site]:
    """Where a right thought can be changed.

    Of the sentences with an equation before the first backtrack, `early` is the first,
    `last` the last, and `middle` the middle one of three or more. `final` is the
    sentence of the last arrival, if it is none of these.

    Args:
        thought: of the study; one that ends wrong has no site.
    """
    if not thought.drawn.trace["correct"]:
        return []
    wrong = thought.slips or thought.arrived_wrong
    found = [] if wrong else _before_turn(thought)
    final = _final(thought)
    if final and final.sentence not in [one.sentence for one in found]:
        found.append(final)
    return found


def _before_turn(thought: Thought) -> list[Site]:
    by_sentence: dict[Span, Equation] = {}
    for equation in thought.equations:
        sentence = thought.sentence_of(equation.span)
        if sentence is not None and sentence.end <= thought.before_turn:
            by_sentence[sentence] = equation
    own = sorted(by_sentence.items())
    n = len(own)
    chosen = {EARLY: 0 if n > 1 else None, MIDDLE: n // 2 if n > 2 else None}
    chosen[LAST] = n - 1 if n else None
    return [
        _site(thought, place, *own[index])
        for place, index in chosen.items()
        if index is not None
    ]


def _site(thought: Thought, place: str, sentence: Span, equation: Equation) -> Site:
    arrives = any(sentence.start <= k < sentence.end for k in thought.arrivals)
    return Site(place, sentence, equation, arrives=arrives)


def _final(thought: Thought) -> Site | None:
    if thought.answer is None or not thought.answer_is_right:
        return None
    sentence = thought.sentence_of(thought.answer)
    before = [e for e in thought.equations if e.span.start < thought.answer.end]
    if sentence is None or (before and not before[-1].is_true):
        return None
    inside = [e for e in before if e.span.start >= sentence.start]
    last = inside[-1] if inside else None
    return Site(FINAL, sentence, last, thought.answer, arrives=True)


def own_site(thought: Thought) -> Site | None:
    """The sentence of a thought's own first slip, before its first backtrack."""
    if not thought.slips:
        return None
    slip = thought.slips[0]
    sentence = thought.sentence_of(slip.span)
    if sentence is None or sentence.end > thought.before_turn:
        return None
    return Site(SLIP, sentence, slip)
