"""Numbers of the verification table: packed passes against plain ones with hooks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from directions.tables import TEST
from doubletake.stats.draws import generator
from doubletake.stats.verification import Case, Largest, Verification, drawn
from doubletake.tables.verification import VerificationRow
from loop.events import Event

# ASSUME: float32 sums in another order change log-odds, and sums of what units write,
# by less; chosen by hand. 16-bit models have no bound.
ODDS_BOUND, WRITTEN_BOUND = 1e-3, 1e-3


@dataclass
class Differences:
    """Of the packed passes to plain passes with hooks."""

    odds: Largest = field(default_factory=Largest)
    written: Largest = field(default_factory=Largest)

    def rows(self, dtype: str) -> list[VerificationRow]:
        """Rows of `VERIFICATION`; only float32 has bounds."""
        is_exact = dtype == "float32"

        def row(check: str, found: Largest, unit: str, bound: float) -> VerificationRow:
            return VerificationRow(
                check=check,
                statistic="max |difference|",
                value=found.value,
                unit=unit,
                n=found.n,
                bound=bound if is_exact else None,
                merge="max",
            )

        return [
            row(
                "interventions at one token against plain passes with hooks",
                self.odds,
                "nats",
                ODDS_BOUND,
            ),
            row(
                "writing of value vectors against plain passes",
                self.written,
                "residual stream",
                WRITTEN_BOUND,
            ),
        ]


def to_verify(
    events: Sequence[Event], changes: int, settings: Verification
) -> dict[tuple[str | int, ...], list[int]]:
    """Numbers of the queries to compute again, by event: the plain one, and a change.

    Costs are tokens: the work reads a prefix once and its last token once per change, a
    full pass reads all tokens for one change.

    Args:
        events: of the shard.
        changes: their number at an event of a test problem.
        settings: how many events to verify.
    """
    counts = {event.name: changes * (event.part == TEST) for event in events}
    work = sum(len(event.ids) + 1 + counts[event.name] for event in events)
    cases = [
        Case(event.name, len(event.ids) * (1 + (counts[event.name] > 0)))
        for event in events
    ]
    numbers: dict[tuple[str | int, ...], list[int]] = {}
    for case in drawn(cases, work, settings):
        count = counts[case.name]  # type: ignore[index]
        draw = generator(settings.seed, "loop", *case.name)
        numbers[case.name] = [0] + ([1 + draw.randrange(count)] if count else [])
    return numbers
