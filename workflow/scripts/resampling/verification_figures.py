"""Checks of resampling: verdicts on sentences, masses, scores of the probe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doubletake.stats.verification import Case, Largest, Verification, drawn
from doubletake.tables.verification import VerificationRow, violations
from resampling.signals import Signal, Words, signal_alone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doubletake.model.continued_thoughts import Continued
    from doubletake.model.decoder import Decoder
    from doubletake.model.token_sampling import Sampling
    from resampling.boundaries import Boundary
    from resampling.next_sentence import TurnReader

# ASSUME: in float32, sums in another order change a mass by less than 1e-4, and the
# score of a probe by less than 1e-2 log-odds; 16-bit models have no bound.
MASS_BOUND, PROBE_BOUND = 1e-4, 1e-2
VERDICT_BOUND = 0.1
"""Largest share of rollouts whose whole thought may give another verdict."""


@dataclass
class Checks:
    """What was compared."""

    own: list[bool] = field(default_factory=list)
    """Of each boundary: whether the verdict on the study's own sentence, which is cut
    and judged like a new one, differs from the study's events."""
    verdicts: list[bool] = field(default_factory=list)
    """Of each rollout: whether the whole new thought says otherwise of its first
    sentence than the sentence in its place does."""
    mass: Largest = field(default_factory=Largest)
    """Differences of batched to plain passes."""
    probe: Largest = field(default_factory=Largest)
    """Differences of scores to those of `probing`."""

    def add_rollout(self, done: Continued, reader: TurnReader, detector: str) -> None:
        """Compare the verdict on the first sentence with the whole new thought's."""
        sentence = reader.following(done.row)
        if not done.closed or not sentence.text:
            return
        start = reader.cut + len(sentence.lead)
        turns = [one.start for one in done.events(detector).backtracks]
        self.verdicts.append(reader.turns(sentence) != (start in turns))

    def replay_masses(
        self,
        decoder: Decoder,
        boundaries: Sequence[Boundary],
        read: Sequence[Signal],
        words: Words,
        sampling: Sampling,
        settings: Verification,
    ) -> None:
        """Compute the masses at some boundaries alone."""
        cases = [Case(one.name, one.position + 1) for one in boundaries]
        work = sum(case.cost for case in cases)
        by_name = dict(zip((case.name for case in cases), read, strict=True))
        known = {one.name: one for one in boundaries}
        for case in drawn(cases, work, settings):
            one = known[str(case.name[0]), int(case.name[1])]
            alone = signal_alone(decoder, one, words, sampling)
            self.mass.add(abs(alone.mass - by_name[case.name].mass))

    def figures(self, dtype: str) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has bounds of rounding."""
        is_exact = dtype == "float32"
        n = len(self.verdicts)
        return [
            violations(
                "verdict on the study's own next sentence, cut and judged like a new "
                "one / the study's events",
                self.own,
                "boundaries",
            ),
            VerificationRow(
                check="verdict on a new sentence in the place of the study's / in the "
                "whole new thought",
                statistic="rollouts with another verdict",
                value=sum(self.verdicts) / n if n else None,
                unit="share",
                n=n,
                bound=VERDICT_BOUND,
                merge="mean",
            ),
            VerificationRow(
                check="mass of backtrack words, batched against plain forward passes",
                statistic="max |difference|",
                value=self.mass.value,
                unit="probability",
                n=self.mass.n,
                bound=MASS_BOUND if is_exact else None,
                merge="max",
            ),
            VerificationRow(
                check="score of the matched probe, fitted again, against `probing`",
                statistic="max |difference|",
                value=self.probe.value,
                unit="log-odds",
                n=self.probe.n,
                bound=PROBE_BOUND if is_exact else None,
                merge="max",
            ),
        ]
