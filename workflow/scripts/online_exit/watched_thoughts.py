"""A thought that is being decoded, and the exit rules that watch it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from doubletake.exit_rules.counts import ToTheEnd
from doubletake.exit_rules.places import Place
from doubletake.exit_rules.points import History, TrialPoint
from doubletake.exit_rules.rule import TRIAL, Rule, Watch
from doubletake.model.branches import Branch
from doubletake.model.continuations import Continuation
from doubletake.text.grading import Task
from doubletake.text.trace_rows import Completion, TracePrompt, trace_row
from exit_probes.reading import PointProbe
from online_exit.looks import NOT_ASKED, Looking
from online_exit.running_places import RunningPlaces


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
class Watcher:
    """One rule on one running thought: the points that it was shown, and its stop."""

    rule: Rule
    probe: PointProbe | None = None
    looks: list[Answered] = field(default_factory=list)
    stop: TrialPoint | None = None
    """Where the rule has stopped the thought; None: nowhere yet."""
    read: int = 0
    """Thought tokens that were decoded until then, the end marker included."""
    shown: int = 0
    """Number of points that the rule was shown."""
    deciding: float = 0.0
    """Seconds of the rule's own decisions."""

    def __post_init__(self) -> None:
        """Start before the first point."""
        self.watch = Watch(self.rule)
        self.queue: deque[tuple[Place, TrialPoint]] = deque()
        self._looked = -1  # cut of the last look

    @property
    def history(self) -> History:
        """The points at which the rule has looked."""
        return self.watch.history

    @property
    def trial_tokens(self) -> int:
        """Tokens of all trial answers."""
        return sum(len(look.trial_ids) for look in self.looks)

    def count(self, need: str) -> int:
        """Number of looks at which the rule asked for this."""
        return sum(need in look.needs for look in self.looks)

    def next_ask(self, looking: Looking) -> Ask | None:
        """Show the rule its next points, until it asks for something.

        Returns:
            What to compute; None where the rule has seen all points, or has stopped.
        """
        while self.queue:
            place, point = self.queue[0]
            if place.cut == self._looked:
                self.queue.popleft()  # one look at a place, even if more shows there
                continue
            start = perf_counter()
            needs = self.watch.needs_at(point)
            self.deciding += perf_counter() - start
            if needs:
                branch = looking.branch(place.cut, needs, self.probe)
                return Ask(place, point, needs, branch)
            self.show(place, point, None if needs is None else Answered(needs))
        return None

    def show(self, place: Place, point: TrialPoint, look: Answered | None) -> None:
        """Show the rule the next point; `look` says what was computed, if it looks."""
        self.queue.popleft()
        self.shown += 1
        if look is not None:
            self.looks.append(look)
            self._looked = place.cut
        start = perf_counter()
        stops = self.watch.stops_at(point)
        self.deciding += perf_counter() - start
        if stops:
            self.stop = point
            self.queue.clear()


class RunningThought:
    """A thought while its tokens come in, shown to the rules that watch it.

    A rule that has stopped it is shown no further point. The thought itself runs on as
    long as another rule needs it, so rules that do not stop yet share its tokens.
    """

    def __init__(
        self, prompt: TracePrompt, looking: Looking, watchers: Sequence[Watcher]
    ) -> None:
        """Show the rules the start."""
        self.prompt, self.looking, self.watchers = prompt, looking, watchers
        self.places = RunningPlaces(
            looking.trials.prompt.tokenizer,
            prompt.prompt_ids,
            prompt.question,
            looking.kinds,
            looking.every,
        )
        self.row: dict[str, Any] | None = None
        """The row of `TRACES`, once the completion has ended by itself."""
        self._before: int | None = None  # cut of the last point
        self._texts = {-1: ""}  # of the thought up to a cut
        first = self.places.first
        self._show([Place(first, first)])
        for watcher in self.running:
            watcher.next_ask(looking)

    @property
    def ids(self) -> list[int]:
        """Tokens of the completion that were read."""
        return self.places.completion.ids

    @property
    def running(self) -> list[Watcher]:
        """The rules that have not stopped the thought."""
        return [one for one in self.watchers if one.stop is None]

    @property
    def ended(self) -> bool:
        """Whether no rule needs a further token.

        A rule that goes to the end needs the whole completion, with its final answer.
        """
        if self.row is not None:
            return True
        return not any(
            isinstance(one.rule, ToTheEnd) or not self.places.ended
            for one in self.running
        )

    @property
    def tokens(self) -> int:
        """Thought tokens so far; of the whole thought, once it has ended."""
        end = self.places.tokens if self.places.end is None else self.places.end
        return max(end - self.places.first, 0)

    def kept(self, watcher: Watcher) -> int:
        """Thought tokens up to a rule's stop, or of the whole thought."""
        return self.tokens if watcher.stop is None else watcher.stop.token

    def add(self, token: int) -> None:
        """Read the next token of the completion."""
        if self.places.ended:
            self.ids.append(token)  # of the final answer
            return
        running = self.running
        self._show(self.places.add(token))
        read = max(self.places.tokens - self.places.first, 0)
        for watcher in running:
            watcher.read = read

    def finish(self, completion: Completion) -> None:
        """The completion has ended by itself.

        Raises:
            InputError: its tokens are no text.
        """
        tokenizer = self.looking.trials.prompt.tokenizer
        self.row = trace_row(self.prompt, completion, tokenizer)
        if not self.places.ended:
            self._show(self.places.finish(self.row))

    def asks(self) -> list[tuple[Watcher, Ask]]:
        """What the rules ask for next, one thing per rule at most."""
        asks = [(one, one.next_ask(self.looking)) for one in self.running]
        return [(one, ask) for one, ask in asks if ask is not None]

    def answer(self, watcher: Watcher, ask: Ask, said: Continuation) -> None:
        """Let a rule decide with what was computed."""
        thought = self._texts[ask.place.cut]
        task = Task(self.prompt.gold, self.prompt.question, thought)
        found = self.looking.answer(ask.needs, said, task, watcher.probe)
        ids = tuple(said.tokens) if TRIAL in ask.needs else ()
        point = replace(ask.point, **found)
        watcher.show(ask.place, point, Answered(ask.needs, ids))

    def _show(self, places: list[Place]) -> None:
        """Let the rules that run see these places next."""
        for place in places:
            point = self._point(place)
            for watcher in self.running:
                watcher.queue.append((place, point))

    def _point(self, place: Place) -> TrialPoint:
        """The point of a place, without what a rule may ask for."""
        first = self.places.first
        known = -1 if self._before is None else self._before
        before = max(known, first)
        chunk = self.places.text_between(before, max(place.cut, before))
        self._texts[place.cut] = self._texts[known] + chunk
        self._before = place.cut
        return TrialPoint(
            token=max(place.cut - first, 0),
            kinds=place.kinds,
            chunk=chunk,
            arrivals=place.arrivals,
            cues=place.cues,
            read=max(place.read - first, 0),
            **NOT_ASKED,
        )
