"""The work of one shard: draws at its boundaries, rollouts of its thoughts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from doubletake.model.continued_thoughts import Continued, Stem, continued
from doubletake.stats.intervals import wilson_interval
from doubletake.stats.verification import Verification
from doubletake.study.shards import indices_of_shard
from resampling.boundaries import Boundary, StudyTables, drawn_boundaries
from resampling.next_sentence import NextSentence, TurnReader
from resampling.rollouts import (
    Point,
    drawn_names,
    drawn_sentences,
    points_of,
    rollout_row,
)
from resampling.signals import Signal, Words, signals
from resampling.thought_sentences import sentences_of
from resampling.verification_figures import Checks

if TYPE_CHECKING:
    import polars as pl

    from doubletake.model.decoder import Decoder
    from doubletake.model.token_sampling import Sampling
    from doubletake.running.logs import Progress
    from doubletake.text.tokenizer import TraceTokenizer
    from resampling.matched_probe import MatchedProbe


@dataclass(frozen=True)
class Settings:
    """The `resampling` section, and what it takes from other sections."""

    boundaries: int
    """Number of boundaries of the study."""
    samples: int
    """Draws at each."""
    turn_tokens: int
    """Longest text of a draw."""
    anchor_thoughts: int
    """Thoughts of which the importance of sentences is measured."""
    anchor_sentences: int | None
    """Sentences of each; None: all."""
    anchor_samples: int
    """Rollouts from before and from after each."""
    seed: int
    temperature: float
    top_p: float
    max_new_tokens: int
    batch_size: int
    generation_seed: int
    """Of the study's thoughts; draws have other random numbers by name."""
    detector: str
    batch_memory: float
    """GiB of memory that one batch may take in addition to the model."""
    confidence: float
    """Coverage of intervals."""
    verification: Verification


@dataclass
class Shard:
    """What one shard measures."""

    name: str
    tables: StudyTables
    traces: pl.DataFrame
    truth: pl.DataFrame | None
    """`TRUTH`; None without a planted language."""
    decoder: Decoder
    tokenizer: TraceTokenizer
    sampling: Sampling
    words: Words
    probe: MatchedProbe | None
    progress: Progress
    settings: Settings
    checks: Checks = field(default_factory=Checks)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def boundaries(self) -> list[Boundary]:
        """The boundaries of this shard."""
        s = self.settings
        drawn = drawn_boundaries(self.tables, s.boundaries, s.seed)
        return [drawn[k] for k in indices_of_shard(len(drawn), self.name)]

    @cached_property
    def readers(self) -> dict[tuple[str, int], TurnReader]:
        """By boundary."""
        detector = self.settings.detector
        return {
            one.name: TurnReader(one.thought, one.cut, detector)
            for one in self.boundaries
        }

    def boundary_rows(
        self, *, decodes: bool
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows of `RESAMPLING` and of `RESAMPLING_DRAWS`.

        Args:
            decodes: whether the thoughts can be written again.
        """
        s = self.settings
        layer = self.probe.layer if self.probe else None
        read = signals(
            self.decoder,
            self.boundaries,
            self.words,
            self.sampling,
            layer,
            s.batch_memory,
            self.progress,
        )
        found = self._draws() if decodes else {}
        planted = self._planted()
        rows, draws = [], []
        for one, signal in zip(self.boundaries, read, strict=True):
            reader = self.readers[one.name]
            self.checks.own.append(reader.turns(reader.own) != one.turned)
            sentences = found.get(one.name, [])
            verdicts = [reader.turns(sentence) for sentence in sentences]
            known: dict[str, Any] = {"trace": one.thought.name, "problem": one.problem}
            known |= {"kind": one.kind, "position": one.position}
            rows.append(
                known
                | {"event": one.event, "turned": one.turned}
                | self._rate(sentences, verdicts)
                | self._signal_columns(one, signal)
                | {"planted": planted.get((one.thought.name, one.start))}
            )
            draws += [
                known
                | {"draw": k, "turns": turns, "ended": item.ended, "text": item.text}
                for k, (item, turns) in enumerate(zip(sentences, verdicts, strict=True))
            ]
        self.checks.replay_masses(
            self.decoder,
            self.boundaries,
            read,
            self.words,
            self.sampling,
            s.verification,
        )
        return rows, draws

    @cached_property
    def _decoded(self) -> tuple[list[Continued], list[Continued]]:
        """The rollouts and the draws, decoded together: draws fill up the batch."""
        s = self.settings
        rollouts = [one.stem(s.anchor_samples) for one in self.points]
        draws = [
            Stem(
                one.thought,
                f"{one.position}",
                one.ids,
                s.samples,
                f"resampling/{one.position}",
                s.turn_tokens,
            )
            for one in self.boundaries
        ]
        done, notes = continued(
            self.decoder,
            self.tokenizer,
            [*rollouts, *draws],
            self.sampling,
            s.max_new_tokens,
            s.batch_size,
            self.progress,
        )
        self.notes += notes
        whole = set(rollouts)
        parts = [item for item in done if item.stem in whole]
        return parts, [item for item in done if item.stem not in whole]

    def _draws(self) -> dict[tuple[str, int], list[NextSentence]]:
        """The next sentences of all draws, by boundary."""
        found: dict[tuple[str, int], list[NextSentence]] = {}
        for item in self._decoded[1]:
            name = item.stem.thought.name, int(item.stem.name)
            sentence = self.readers[name].following(item.row)
            found.setdefault(name, []).append(sentence)
        return found

    def _rate(
        self, sentences: list[NextSentence], verdicts: list[bool]
    ) -> dict[str, Any]:
        n, turns = len(verdicts), sum(verdicts)
        columns: dict[str, Any] = {"draws": n, "turns": turns}
        columns["unfinished"] = sum(not item.ended for item in sentences)
        if not n:
            return columns | dict.fromkeys(("rate", "low", "high"))
        low, high = wilson_interval(turns, n, self.settings.confidence)
        return columns | {"rate": turns / n, "low": low, "high": high}

    def _signal_columns(self, one: Boundary, signal: Signal) -> dict[str, Any]:
        score = None
        if self.probe and signal.state is not None:
            score = self.probe.score(one.problem, signal.state.numpy())
            scored = self.probe.scored
            if one.event is not None and (one.thought.name, one.event) in scored:
                known = scored[one.thought.name, one.event]
                self.checks.probe.add(abs(score - known))
        return {
            "mass": signal.mass,
            "sampled_mass": signal.sampled_mass,
            "probe": score,
        }

    def _planted(self) -> dict[tuple[str, int], float]:
        """Planted probabilities of turning, by trace and start of the sentence."""
        if self.truth is None:
            return {}
        rows = self.truth.select("trace", "start", "probability").iter_rows()
        return {(trace, start): value for trace, start, value in rows}

    @cached_property
    def points(self) -> list[Point]:
        """Where the rollouts of this shard start."""
        s = self.settings
        events = self.tables.events
        names = drawn_names(self.traces, events, self.truth, s.anchor_thoughts, s.seed)
        found: list[Point] = []
        for k in indices_of_shard(len(names), self.name):
            thought = self.tables.thoughts[names[k]]
            known = sentences_of(thought.trace, events, self.truth)
            chosen = drawn_sentences(known, names[k], s.anchor_sentences, s.seed)
            found += points_of(thought, known, chosen)
        return found

    def rollout_rows(self) -> list[dict[str, Any]]:
        """Rows of `RESAMPLING_ROLLOUTS`."""
        detector = self.settings.detector
        points = {(one.thought.name, one.stem_name): one for one in self.points}
        readers: dict[tuple[str, str], TurnReader] = {}
        rows = []
        for item in self._decoded[0]:
            key = item.stem.thought.name, item.stem.name
            point = points[key]
            reader = readers.setdefault(
                key, TurnReader(point.thought, point.cut, detector)
            )
            rows.append(rollout_row(point, item, reader))
            self.checks.add_rollout(item, reader, detector)
        return rows
