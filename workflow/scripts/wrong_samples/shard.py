"""The work of one shard: further thoughts, continuations, votes, checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from doubletake.stats.verification import Case as Repeated
from doubletake.stats.verification import Verification, drawn
from doubletake.study.shards import indices_of_shard
from doubletake.text.trace_rows import trace_rows
from wrong_samples.cases import Case, Wanted, planned
from wrong_samples.continuing import (
    ZERO,
    Continuation,
    Continuing,
    continuations,
    further_votes,
)
from wrong_samples.names import (
    AFRESH,
    FIRST,
    FURTHER,
    LAST,
    RESAMPLE,
    STARTS,
    STUDY,
    VOTE,
)
from wrong_samples.rows import continuation_row, thought_row, vote_row
from wrong_samples.thoughts import Thoughts
from wrong_samples.verification_figures import Checks

if TYPE_CHECKING:
    from doubletake.text.trace_rows import Completion


@dataclass(frozen=True)
class Settings:
    """The `wrong_samples` section, and what it takes from other sections."""

    thoughts: int | None
    """Largest number of the study's wrong thoughts; None: all."""
    wanted: int
    """Problems with a wrong thought below which further thoughts are sampled."""
    further: int
    """Number of further thoughts."""
    samples: int
    """Continuations of a wrong thought with each action."""
    right_samples: int
    """Continuations of a right thought with each action."""
    actions: list[str]
    """From the last arrival on."""
    early_actions: list[str]
    """On right thoughts, from the first arrival on."""
    word: str
    """What `wait` appends."""
    direction: str
    """Toward turning back."""
    layer: float
    """Boundary of the added directions, as a share of the layers."""
    strength: float
    """Of the direction toward turning back, in residual norms."""
    wrap_up_strength: float
    """Of the direction toward wrapping up, in residual norms."""
    most_votes: int
    """Largest number of continuations in a vote."""
    seed: int
    """Of the draws of this stage."""
    temperature: float
    top_p: float
    max_new_tokens: int
    batch_size: int
    generation_seed: int
    """Of the study's thoughts; continuations have other random numbers by name."""
    detector: str
    """Of backtracks."""
    verification: Verification


@dataclass
class Shard:
    """What one shard continues."""

    name: str
    thoughts: Thoughts
    continuing: Continuing
    settings: Settings
    checks: Checks = field(default_factory=Checks)
    further: list[dict[str, Any]] = field(default_factory=list)
    """Rows of `TRACES` of the further thoughts."""
    note: str = ""
    """On further thoughts that are no text, and on actions without a direction."""

    @cached_property
    def cases(self) -> list[Case]:
        """The thoughts that are continued, wrong ones first."""
        s = self.settings
        wanted = Wanted(s.thoughts, s.wanted, s.further, s.seed)
        own = self.thoughts
        plan = planned(own.table, own.test, own.case, wanted)
        shares = indices_of_shard(len(plan.pairs), self.name)
        pairs = [plan.pairs[k] for k in shares]
        shares = indices_of_shard(len(plan.further), self.name)
        pairs += self._further_pairs([plan.further[k] for k in shares])
        wrong = [one for one, _ in pairs]
        return [*wrong, *(other for _, other in pairs if other is not None)]

    def _further_pairs(
        self, drawn_problems: list[tuple[str, Case | None]]
    ) -> list[tuple[Case, Case | None]]:
        """Further thoughts that end wrong, each with a right thought."""
        prompts = [
            self.thoughts.further_prompt(problem) for problem, _ in drawn_problems
        ]
        requests = [
            self.continuing.request_of(one.trace, one.prompt_ids, []) for one in prompts
        ]
        done = {one.trace: one for one in self.continuing.decode(requests)}
        self.further, note = trace_rows(prompts, done, self.thoughts.tokenizer)
        self._add_note(note)
        partners = dict(drawn_problems)
        wrong = [row for row in self.further if not row["correct"]]
        cases = [(self.thoughts.read(row), partners[row["problem"]]) for row in wrong]
        return [(case, other) for case, other in cases if case is not None]

    def rows(self) -> list[dict[str, Any]]:
        """Rows of `WRONG_SAMPLES`."""
        s = self.settings
        last = self._possible(LAST, [one for one in s.actions if one != VOTE])
        early = self._possible(FIRST, s.early_actions)
        wrong, right = (
            [case for case in self.cases if case.start == start] for start in STARTS
        )
        wanted = continuations(wrong, LAST, last, s.samples)
        pushed = [one for one in last if one != AFRESH]
        wanted += continuations(right, LAST, pushed, s.right_samples)
        wanted += continuations(right, FIRST, early, s.right_samples)
        zeros = self._zeros() if self.continuing.has(LAST, ZERO) else []
        done = self.continuing.run([*wanted, *zeros])
        for one in zeros:
            plain = Continuation(one.case, LAST, RESAMPLE, one.draw)
            self.checks.add_zero(done.pop(one, None), done.get(plain))
        rows = {one: self._row(one, done.get(one)) for one in wanted}
        return [*rows.values(), *self._votes(wrong, rows, done)]

    def _possible(self, place: str, actions: list[str]) -> list[str]:
        """The actions for which the study has a direction; a note on the others."""
        found = [one for one in actions if self.continuing.has(place, one)]
        for one in actions:
            if one not in found:
                self._add_note(
                    f"{one} ({place} arrival): the study has no such direction"
                )
        return found

    def _add_note(self, text: str) -> None:
        self.note = "; ".join(filter(None, [self.note, text]))

    def _zeros(self) -> list[Continuation]:
        """Continuations with strength 0, drawn for verification."""
        s = self.settings
        lengths = [
            len(case.thought.trace["completion_ids"]) - case.last for case in self.cases
        ]
        repeated = [
            Repeated((case.name,), 1 + length)
            for case, length in zip(self.cases, lengths, strict=True)
        ]
        work = sum(one.cost for one in repeated) * s.samples * (1 + len(s.actions))
        names = {one.name[0] for one in drawn(repeated, work, s.verification)}
        return [
            Continuation(case, LAST, ZERO, 0)
            for case in self.cases
            if case.name in names
        ]

    def _votes(
        self,
        cases: list[Case],
        rows: dict[Continuation, dict[str, Any]],
        done: dict[Continuation, Completion],
    ) -> list[dict[str, Any]]:
        """Rows of votes; their further draws have no rows of their own."""
        s = self.settings
        if VOTE not in s.actions:
            return []
        further = further_votes(done, cases, s.samples, s.most_votes)
        drawn_votes = self.continuing.run(further)
        members: dict[Continuation, list[dict[str, Any]]] = {
            one: [row]
            for one, row in rows.items()
            if one.case in cases and one.place == LAST and one.action == RESAMPLE
        }
        for one in further:
            first = Continuation(one.case, LAST, RESAMPLE, one.draw)
            members[first].append(self._row(one, drawn_votes.get(one)))
        return [vote_row(first, votes) for first, votes in members.items()]

    def _row(self, one: Continuation, done: Completion | None) -> dict[str, Any]:
        if done is not None:
            positions = self.continuing.changed_at(one)
            self.checks.add(self.continuing.requests[one], done, positions)
        tokenizer, detector = self.thoughts.tokenizer, self.settings.detector
        return continuation_row(one, done, tokenizer, detector)

    def thought_rows(self) -> list[dict[str, Any]]:
        """Rows of `THOUGHTS`: the shard's part of the study, and its further ones."""
        own = self.thoughts
        names = own.table["trace"].to_list()
        rows = []
        for k in indices_of_shard(len(names), self.name):
            trace = own.rows[names[k]]
            test = trace["problem"] in own.test
            rows.append(thought_row(trace, own.case(names[k]), STUDY, test=test))
        for trace in self.further:
            rows.append(thought_row(trace, own.read(trace), FURTHER, test=True))
        return rows
