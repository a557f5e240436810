"""One exit rule on one thought that is being decoded: its points, looks and stop."""

from collections import deque
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from doubletake.exit_rules.counts import ToTheEnd
from doubletake.exit_rules.places import Place
from doubletake.exit_rules.points import History, TrialPoint
from doubletake.exit_rules.rule import TRIAL, Rule, Watch
from doubletake.exit_rules.running_places import RunningPlaces
from doubletake.model.branches import Branch
from doubletake.model.continuations import Continuation
from doubletake.text.grading import Task
from doubletake.text.trace_rows import Completion, TracePrompt, trace_row
from exit_probes.reading import PointProbe
from online_exit.looks import NOT_ASKED, Looking


@dataclass(frozen=True)
class Ask:
    """What has to be computed before a rule can decide at a place."""

    place: Place
    point: TrialPoint
    """The point without the answer to this."""
    needs: frozenset[str]
    branch: Branch


@dataclass(frozen=True)
class Answered:
    """One look of a rule."""

    needs: frozenset[str]
    trial_ids: tuple[int, ...] = ()
    """Tokens of the trial answer."""


@dataclass
class WatchedThought:
    """A rule that watches a thought while its tokens come in."""

    rule: Rule
    prompt: TracePrompt
    looking: Looking
    probe: PointProbe | None = None
    looks: list[Answered] = field(default_factory=list)
    stop: TrialPoint | None = None
    """Where the rule has stopped the thought; None: nowhere yet."""
    row: dict[str, Any] | None = None
    """The row of `TRACES`, if the completion ended by itself."""
    shown: int = 0
    """Number of points that the rule was shown."""
    deciding: float = 0.0
    """Seconds of the rule's own decisions."""

    def __post_init__(self) -> None:
        """Show the rule the start."""
        self.places = RunningPlaces(
            self.looking.trials.prompt.tokenizer,
            self.prompt.prompt_ids,
            self.prompt.question,
            self.looking.kinds,
            self.looking.every,
        )
        self.watch = Watch(self.rule)
        first = self.places.first
        self._queue = deque([Place(first, first)])
        self._looked = -1  # cut of the last look
        self._before: int | None = None  # cut of the last point
        self._text = ""  # of the thought, up to it
        self.next_ask()

    @property
    def name(self) -> str:
        """Name of the run: rule and trace."""
        return f"{self.rule.name}/{self.prompt.trace}"

    @property
    def ids(self) -> list[int]:
        """Tokens of the completion that were read."""
        return self.places.completion.ids

    @property
    def history(self) -> History:
        """The points at which the rule has looked."""
        return self.watch.history

    @property
    def whole(self) -> bool:
        """Whether the completion is decoded to its own end, with the final answer."""
        return isinstance(self.rule, ToTheEnd)

    @property
    def ended(self) -> bool:
        """Whether no further token is needed."""
        closed = self.places.ended and not self.whole
        return self.stop is not None or self.row is not None or closed

    @property
    def kept(self) -> int:
        """Thought tokens up to the stop, or of the whole thought so far."""
        if self.stop is not None:
            return self.stop.token
        end = self.places.tokens if self.places.end is None else self.places.end
        return max(end - self.places.first, 0)

    @property
    def read(self) -> int:
        """Thought tokens that were read, the end marker included."""
        return max(self.places.tokens - self.places.first, 0)

    def count(self, need: str) -> int:
        """Number of looks at which the rule asked for this."""
        return sum(need in look.needs for look in self.looks)

    @property
    def trial_tokens(self) -> int:
        """Tokens of all trial answers."""
        return sum(len(look.trial_ids) for look in self.looks)

    def add(self, token: int) -> None:
        """Read the next token of the completion."""
        if not self.places.ended:
            self._queue.extend(self.places.add(token))
        else:
            self.ids.append(token)

    def finish(self, completion: Completion) -> None:
        """The completion has ended by itself.

        Raises:
            InputError: its tokens are no text.
        """
        tokenizer = self.looking.trials.prompt.tokenizer
        self.row = trace_row(self.prompt, completion, tokenizer)
        if not self.places.ended:
            self._queue.extend(self.places.finish(self.row))

    def next_ask(self) -> Ask | None:
        """Show the rule its next points, until it asks for something.

        Returns:
            What to compute; None where the rule has seen all points, or has stopped.
        """
        while self._queue:
            place = self._queue[0]
            if place.cut == self._looked:
                self._queue.popleft()  # one look at a place, even if more shows there
                continue
            point = self._point(place)
            start = perf_counter()
            needs = self.watch.needs_at(point)
            self.deciding += perf_counter() - start
            if needs:
                branch = self.looking.branch(place.cut, needs, self.probe)
                return Ask(place, point, needs, branch)
            self._show(place, point, None if needs is None else Answered(needs))
        return None

    def answer(self, ask: Ask, said: Continuation) -> None:
        """Let the rule decide with what was computed."""
        thought = self._text + ask.point.chunk
        task = Task(self.prompt.gold, self.prompt.question, thought)
        found = self.looking.answer(ask.needs, said, task, self.probe)
        point = replace(ask.point, **found)
        ids = tuple(said.tokens) if TRIAL in ask.needs else ()
        self._show(ask.place, point, Answered(ask.needs, ids))

    def _show(self, place: Place, point: TrialPoint, look: Answered | None) -> None:
        self._queue.popleft()
        self.shown += 1
        self._text += point.chunk
        self._before = place.cut
        if look is not None:
            self.looks.append(look)
            self._looked = place.cut
        start = perf_counter()
        stops = self.watch.stops_at(point)
        self.deciding += perf_counter() - start
        if stops:
            self.stop = point
            self._queue.clear()

    def _point(self, place: Place) -> TrialPoint:
        """The point of a place, without what a rule may ask for."""
        first = self.places.first
        before = first if self._before is None else max(self._before, first)
        return TrialPoint(
            token=max(place.cut - first, 0),
            kinds=place.kinds,
            chunk=self.places.text_between(before, max(place.cut, before)),
            arrivals=place.arrivals,
            cues=place.cues,
            read=max(place.read - first, 0),
            **NOT_ASKED,
        )
