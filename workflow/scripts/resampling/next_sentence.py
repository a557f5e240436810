"""The next sentence of a new thought, and whether it turns back.

The study's detector reads whole thoughts: a value is the answer because the thought
ends with it. So the sentence is judged in its place: the study's thought, in which its
own next sentence is replaced by the new one. The study's own sentence is thus judged as
in the study.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from doubletake.detector.detectors import find_events
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.sentences import RunningSentences


@dataclass(frozen=True)
class NextSentence:
    """The sentence that a text begins with after a cut."""

    lead: str
    """White space before it."""
    text: str
    """Without white space around it; empty if the thought ends there."""
    ended: bool
    """Whether the text shows its end."""
    is_new: bool
    """Whether it starts after the cut; if not, it goes on with the one before."""


def next_sentence(before: str, new: str, *, closed: bool) -> NextSentence:
    """Find the next sentence.

    Args:
        before: the thought up to the cut.
        new: what follows there, up to the end of the thought if it has one.
        closed: whether the thought ends after that.
    """
    lead = new[: len(new) - len(new.lstrip())]
    start, text = len(before) + len(lead), before + new
    running = RunningSentences()
    if closed:
        running.finish(text)
    else:
        running.read(text)
    for span in running.spans:
        if span.end > start:
            return NextSentence(lead, text[start : span.end], True, span.start == start)
    is_new = not text[running.start : start].strip()
    return NextSentence(lead, text[start:].rstrip(), closed, is_new)


@dataclass(eq=False)
class TurnReader:
    """Says whether new sentences turn back, at one cut of a thought of the study."""

    thought: DrawnThought
    cut: int
    """Character of the trace's text."""
    detector: str
    _known: dict[str, bool] = field(default_factory=dict)

    def following(self, row: dict[str, Any]) -> NextSentence:
        """The sentence that follows the cut in any thought that begins as this one.

        Args:
            row: of the traces table.
        """
        text, start, stop = row["text"], row["thought_start"], row["thought_stop"]
        closed = row["thought_end"] is not None
        return next_sentence(
            text[start : self.cut], text[self.cut : stop], closed=closed
        )

    @cached_property
    def own(self) -> NextSentence:
        """The sentence of the study's thought."""
        return self.following(self.thought.trace)

    def turns(self, sentence: NextSentence) -> bool:
        """Whether the detector finds a backtrack that starts with this sentence."""
        if not sentence.text or not sentence.is_new:
            return False
        written = sentence.lead + sentence.text
        if written not in self._known:
            self._known[written] = self._turns(sentence)
        return self._known[written]

    def _turns(self, sentence: NextSentence) -> bool:
        one, trace = self.thought, self.thought.trace
        end = self.cut + len(self.own.lead) + len(self.own.text)
        before = trace["text"][trace["thought_start"] : self.cut] + sentence.lead
        rest = trace["text"][end : trace["thought_stop"]]
        thought = before + sentence.text + rest
        events = find_events(
            one.question, thought, one.gold, trace["answer"], self.detector
        )
        return any(item.start == len(before) for item in events.backtracks)
