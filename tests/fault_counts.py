"""Counts of the faults that the tests inject, from all workers, shown at the end."""

from collections import Counter
from dataclasses import dataclass, field

import pytest


@dataclass
class Tally:
    """Faults by kind: how many there were and how each ended."""

    injected: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    """A rerun ended in the same bytes without any help."""
    refused: Counter[str] = field(default_factory=Counter)
    """A run stopped and named the file; after what its message asked for, the same."""

    def inject(self, kind: str) -> None:
        """Count a fault; how it ends is still open."""
        self.injected[kind] += 1

    def settle(self, kind: str, *, refused: int = 0) -> None:
        """Everything of a kind that is still open has ended well."""
        open_ones = self.injected[kind] - self.survived[kind] - self.refused[kind]
        self.refused[kind] += refused
        self.survived[kind] += open_ones - refused

    def counts(self) -> dict[str, dict[str, int]]:
        """All counts, to be added to those of another worker."""
        return {name: dict(counter) for name, counter in vars(self).items()}

    def add(self, counts: dict[str, dict[str, int]]) -> None:
        """Add what another worker counted."""
        for name, counter in counts.items():
            getattr(self, name).update(counter)

    @property
    def lost(self) -> Counter[str]:
        """Faults that did not end well."""
        return self.injected - self.survived - self.refused

    def lines(self) -> list[str]:
        """The table of the counts."""
        rows = [("fault", "injected", "survived", "refused", "lost")]
        kinds = [*sorted(self.injected), "all"]
        counters = (self.injected, self.survived, self.refused, self.lost)
        for kind in kinds:
            counts = (c.total() if kind == "all" else c[kind] for c in counters)
            rows.append((kind, *map(str, counts)))
        width = max(len(row[0]) for row in rows)
        return [
            f"{name:<{width}}" + "".join(f"{cell:>10}" for cell in cells)
            for name, *cells in rows
        ]


TALLY = Tally()


@pytest.fixture(scope="session")
def tally() -> Tally:
    """The counts of this worker."""
    return TALLY


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its counts over."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = TALLY.counts()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Add up what the workers counted."""
    TALLY.add(getattr(node, "workeroutput", {}).get("faults", {}))


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the counts, also when a test failed."""
    if TALLY.injected:
        terminalreporter.section("faults")
        for line in TALLY.lines():
            terminalreporter.write_line(line)
