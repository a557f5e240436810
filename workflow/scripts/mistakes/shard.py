"""The work of one shard: edits of its thoughts, continuations, checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from doubletake.model.continued_thoughts import Continued, Stem, continued
from doubletake.running.errors import InputError
from doubletake.stats.verification import Case, Verification, drawn
from doubletake.study.shards import indices_of_shard
from mistakes import names
from mistakes.changes import Wording, change_at
from mistakes.edits import Edit, edit_of, edit_row, external_edit
from mistakes.readings import boundary_row, reading_row
from mistakes.sites import Site, Thought, own_site, sites_of
from mistakes.verification_figures import Checks

if TYPE_CHECKING:
    from doubletake.model.decoder import Decoder
    from doubletake.model.token_sampling import Sampling
    from doubletake.running.logs import Progress
    from doubletake.text.tokenizer import TraceTokenizer
    from mistakes.plan import Plan


AGAIN = "/again"
"""Ends the names of continuations that are repeated."""


@dataclass(frozen=True)
class Settings:
    """The `mistakes` section, and what it takes from other sections."""

    thoughts: int | None
    """Largest number of right thoughts that are changed; None: all."""
    own: int | None
    """Largest number of thoughts with a slip of their own; None: all."""
    samples: int
    """Continuations of every changed thought."""
    boundaries: int
    """Further right thoughts of the planted language that go on to the next boundary
    only."""
    boundary_samples: int
    """Continuations of each of these."""
    boundary_tokens: int
    """Most tokens of these."""
    places: list[str]
    """Of `PLACES` but `slip`."""
    kinds: list[str]
    """Of `CHOSEN`."""
    filler: str
    """The neutral sentence after a step."""
    filler_at_answer: str
    """The same after a sentence that states an answer."""
    word: str
    """What `wait` appends."""
    external: str
    """What the user says: `{question}` and `{beginning}`."""
    seed: int
    """Of the draws of thoughts and of wrong numbers."""
    temperature: float
    top_p: float
    max_new_tokens: int
    batch_size: int
    generation_seed: int
    """Of the study's thoughts; continuations have other random numbers by name."""
    detector: str
    """Of backtracks."""
    verification: Verification


@dataclass(frozen=True)
class Engine:
    """What decodes."""

    decoder: Decoder
    tokenizer: TraceTokenizer
    sampling: Sampling
    progress: Progress


@dataclass
class Shard:
    """What one shard changes and continues."""

    name: str
    plan: Plan
    engine: Engine
    wording: Wording
    settings: Settings
    checks: Checks = field(default_factory=Checks)
    notes: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    boundaries: list[dict[str, Any]] = field(default_factory=list)
    """Rows of `BOUNDARIES`."""

    def run(self) -> list[dict[str, Any]]:
        """Rows of `MISTAKES`; afterwards `edits` holds what was changed."""
        s = self.settings
        whole, short = list(self._made()), list(self._further())
        self.edits = [*whole, *short]
        for edit in self.edits:
            self.checks.add_edit(edit, self.engine.tokenizer)
        stems = {_name(one): one.stem(s.samples, None) for one in whole}
        draws, most = s.boundary_samples, s.boundary_tokens
        stems |= {_name(one): one.stem(draws, most) for one in short}
        repeated = self._repeated(stems)
        done = self._continued([*stems.values(), *repeated])
        first = {_stem_name(one): one for one in done if not one.draw}
        by_name = {_name(one): one for one in self.edits}
        shorts = set(map(_name, short))
        units = {
            (one.thought.name, one.change.place): one.change.target
            for one in whole
            if one.change.kind == names.UNIT
        }
        rows = []
        for one in done:
            trace, name = _stem_name(one)
            if name.endswith(AGAIN):
                own = first.get((trace, name.removesuffix(AGAIN)))
                self.checks.add_repeat(one, own)
                continue
            self.checks.add_start(one)
            edit = by_name[trace, name]
            if self.wording.planted and edit.change.kind not in names.UNSEEN:
                self.boundaries.append(boundary_row(edit, one))
            if (trace, name) not in shorts:
                unit = units.get((trace, edit.change.place))
                rows.append(reading_row(edit, one, s.detector, unit))
        return rows

    def edit_rows(self) -> list[dict[str, Any]]:
        """Rows of `EDITS`."""
        return [edit_row(one) for one in self.edits]

    @property
    def thoughts(self) -> int:
        """Number of thoughts that were changed."""
        return len({one.thought.name for one in self.edits})

    def _part(self, thoughts: Sequence[Thought]) -> list[Thought]:
        return [thoughts[k] for k in indices_of_shard(len(thoughts), self.name)]

    def _made(self) -> Iterator[Edit]:
        """All edits of the shard's thoughts."""
        kinds = self.settings.kinds
        for thought in self._part(self.plan.right):
            for site in sites_of(thought):
                if site.place in self.settings.places:
                    chosen = [k for k in names.KINDS if k in (names.NONE, *kinds)]
                    yield from self._at(thought, site, chosen)
        if names.OWN in kinds:
            for thought in self._part(self.plan.own):
                site_of_slip = own_site(thought)
                if site_of_slip is not None:
                    yield from self._at(thought, site_of_slip, names.OWN_KINDS)

    def _further(self) -> Iterator[Edit]:
        """Slips of the planted language in further thoughts."""
        for thought in self._part(self.plan.further):
            for site in sites_of(thought):
                if site.place in names.BEFORE_TURN:
                    yield from self._at(thought, site, (names.NONE, names.PLANTED))

    def _at(self, thought: Thought, site: Site, kinds: Sequence[str]) -> Iterator[Edit]:
        """The edits of a sentence; none if there is nothing but controls to make."""
        made: list[Edit] = []
        for kind in kinds:
            if site.place != names.SLIP and kind in names.OWN_KINDS:
                continue
            if kind in names.VERSIONS and site.place != names.LAST:
                continue
            change = change_at(thought, site, kind, self.wording)
            if change is not None:
                edit = edit_of(thought, change, self.engine.tokenizer)
                made += [edit] if kind != names.EXTERNAL else self._external(edit)
        if {one.change.kind for one in made} - {*names.CONTROLS, names.OWN}:
            yield from made

    def _external(self, edit: Edit) -> list[Edit]:
        """The edit as the user's words, if the chat template takes them."""
        wording = self.settings.external
        try:
            return [external_edit(edit, wording, self.engine.tokenizer)]
        except InputError as error:
            self.notes.append(f"{edit.thought.name} (external): {error}")
            return []

    def _continued(self, stems: list[Stem]) -> list[Continued]:
        s, e = self.settings, self.engine
        done, notes = continued(
            e.decoder,
            e.tokenizer,
            stems,
            e.sampling,
            s.max_new_tokens,
            s.batch_size,
            e.progress,
        )
        self.notes += notes
        return done

    def _repeated(self, stems: dict[tuple[str, str], Stem]) -> list[Stem]:
        """Stems of which the first draw is decoded again, in another row of a batch."""
        costs = {
            name: 1 + len(stem.thought.trace["completion_ids"])
            for name, stem in stems.items()
        }
        work = sum(costs[name] * stem.draws for name, stem in stems.items())
        cases = [Case(name, cost) for name, cost in costs.items()]
        chosen = {case.name for case in drawn(cases, work, self.settings.verification)}
        return [
            replace(stem, name=stem.name + AGAIN, draws=1)
            for name, stem in stems.items()
            if name in chosen
        ]


def _name(edit: Edit) -> tuple[str, str]:
    return edit.thought.name, edit.name


def _stem_name(done: Continued) -> tuple[str, str]:
    return done.stem.thought.name, done.stem.name
