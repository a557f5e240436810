"""Where a rule that decoded and its replay differ, and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from doubletake.exit_rules.points import History
from doubletake.exit_rules.replay import AT_END, Looks
from doubletake.exit_rules.rule import TRIAL, Rule
from doubletake.exit_rules.thoughts import Thought
from doubletake.text.trace_rows import TracePrompt
from online_exit.rounding import Margins
from online_exit.tables import OTHER_POINTS, SCORE, TOKEN, TRIAL_ANSWER, UNEXPLAINED
from online_exit.watched_thoughts import RunningThought, Watcher

# ASSUME: scores of a rule differ by at most so much through sums in another order.
ROUNDING = 1e-3


@dataclass(frozen=True)
class Replayed:
    """A rule on a finished thought."""

    thought: Thought
    completion_ids: Sequence[int]
    """Tokens of its completion."""
    trial_ids: Sequence[Sequence[int]]
    """Tokens of the trial answer at each point."""
    points: list[int]
    """Numbers of the points at which the rule looks, up to its stop."""
    scores: list[float]
    """Its scores there."""
    stop: int | None
    """Number of the point at which it stops."""

    @classmethod
    def of(
        cls,
        rule: Rule,
        thought: Thought,
        completion_ids: Sequence[int],
        trial_ids: Sequence[Sequence[int]],
    ) -> "Replayed":
        """Replay a rule."""
        looks = Looks.of(rule, [thought])
        (stop,) = looks.stops(rule.threshold).point.tolist()
        points = [point for point in looks.point[0].tolist() if point != AT_END]
        made = len(points) if stop == AT_END else points.index(stop) + 1
        scores = looks.score[0, :made].tolist()
        where = None if stop == AT_END else stop
        return cls(thought, completion_ids, trial_ids, points[:made], scores, where)

    @property
    def kept(self) -> int:
        """Thought tokens up to the stop."""
        if self.stop is None:
            return self.thought.tokens
        return self.thought.points[self.stop].token


@dataclass(frozen=True)
class Difference:
    """The first difference of decoding and replay."""

    reason: str
    """Of `tables.REASONS`."""
    token: int
    """Thought tokens before it."""
    gap: float | None
    """How close the choice was there; None if that is not known."""


@dataclass(frozen=True)
class Online:
    """A rule on a thought that was decoded."""

    thought: RunningThought
    watcher: Watcher

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self.watcher.rule

    @property
    def prompt(self) -> TracePrompt:
        """Of the thought."""
        return self.thought.prompt

    @property
    def history(self) -> History:
        """The points at which the rule has looked."""
        return self.watcher.history

    @property
    def kept(self) -> int:
        """Thought tokens up to the stop."""
        return self.thought.kept(self.watcher)

    @property
    def first(self) -> int:
        """The first token of the thought."""
        return self.thought.places.first

    @property
    def stopped(self) -> bool:
        """Whether the rule has stopped the thought."""
        return self.watcher.stop is not None

    @property
    def ids(self) -> list[int]:
        """Tokens of the completion that were read until the stop.

        Without a stop, all: also those of the final answer, if they were decoded.
        """
        ids = self.thought.ids
        if not self.stopped:
            return ids
        return ids[: self.first + self.watcher.read - len(self.prompt.prompt_ids)]


def difference(
    online: Online, replayed: Replayed, margins: Margins
) -> Difference | None:
    """The first difference between a thought that was decoded and its replay.

    Args:
        online: a rule on a thought that was decoded.
        replayed: the same rule on the finished thought.
        margins: how close the choices of tokens were.
    """
    found = _other_look(online, replayed, margins)
    token = _other_token(online, replayed, margins)
    if token is not None and (found is None or token.token < _read(online, found)):
        return token
    if found is None and online.kept != replayed.kept:
        return Difference(UNEXPLAINED, min(online.kept, replayed.kept), None)
    return found


def _read(online: Online, found: Difference) -> int:
    """Thought tokens that were read when a rule looked at a point."""
    reads = [p.read or p.token for p in online.history if p.token == found.token]
    return max(reads, default=online.watcher.read)


def _other_token(
    online: Online, replayed: Replayed, margins: Margins
) -> Difference | None:
    """The first token of the completion that differs."""
    ids, others = online.ids, replayed.completion_ids
    shared = min(len(ids), len(others))
    at = next((k for k in range(shared) if ids[k] != others[k]), shared)
    whole = not online.stopped and online.thought.row is not None
    ends_early = len(ids) > len(others) or (whole and len(ids) < len(others))
    if at == shared and not ends_early:
        return None
    prompt = online.prompt.prompt_ids
    before = len(prompt) + at - online.first
    gap = margins.of_token(online.prompt, others[:at]) if at < len(others) else None
    return Difference(TOKEN, max(before, 0), gap)


def _other_look(
    online: Online, replayed: Replayed, margins: Margins
) -> Difference | None:
    """The first look that differs: its place, its trial answer or the decision."""
    points = [replayed.thought.points[number] for number in replayed.points]
    pairs = zip(online.history, points, strict=False)
    for number, (point, other) in enumerate(pairs):
        if point.token != other.token:
            return Difference(OTHER_POINTS, min(point.token, other.token), None)
        look = online.watcher.looks[number]
        expected = tuple(replayed.trial_ids[replayed.points[number]])
        if TRIAL in look.needs and look.trial_ids != expected:
            cut = online.first + point.token
            ids = [*online.prompt.prompt_ids, *online.ids][:cut]
            gap = margins.of_trial(
                online.thought.looking, ids, look.trial_ids, expected
            )
            return Difference(TRIAL_ANSWER, point.token, gap)
        ends = (
            online.stopped and number == len(online.history) - 1,
            replayed.stop is not None and number == len(points) - 1,
        )
        if ends[0] != ends[1]:
            return _other_decision(online, replayed, number)
    if len(online.history) != len(points):
        later = [*online.history, *points][-1]
        return Difference(OTHER_POINTS, later.token, None)
    return None


def _other_decision(online: Online, replayed: Replayed, number: int) -> Difference:
    """A decision that differs at the same point with the same trial answers."""
    rule = online.rule
    score = rule.score(online.history[: number + 1])
    other = replayed.scores[number]
    gap = abs(other - rule.threshold)
    token = online.history[number].token
    near = abs(score - other) <= ROUNDING
    if near and math.isfinite(gap) and gap <= ROUNDING:
        return Difference(SCORE, token, gap)
    return Difference(UNEXPLAINED, token, gap if math.isfinite(gap) else None)
