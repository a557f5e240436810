"""Ours beside others, in one run: a table of CPU seconds and their ratios.

What is compared runs in turn, round after round, in one process on one thread. The load
of the machine then slows all of it alike. A ratio is the median over the rounds of the
other's seconds divided by ours in the same round. Above 1, ours is faster.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

HEAD = "| stage | what | compared with | ours, CPU s | other, CPU s | ratio | goal |"
RULE = "| --- | --- | --- | ---: | ---: | ---: | ---: |"


@dataclass(frozen=True)
class Other:
    """What our way is compared with."""

    work: Callable[[], object]
    goal: float | None = None
    """Smallest ratio that is wanted."""
    own_clock: bool = False
    """The work returns its CPU seconds itself, because another process does it."""
    share: float = 1.0
    """The work is this share of ours; its seconds are divided by it."""

    def seconds(self) -> float:
        """CPU seconds of one call."""
        if self.own_clock:
            return float(self.work())  # type: ignore[arg-type]
        return cpu_seconds(self.work)


@dataclass
class Comparison:
    """The table of one stage."""

    stage: str

    def __post_init__(self) -> None:
        """One thread, and the head of the table."""
        torch.set_num_threads(1)
        print(f"\n{HEAD}\n{RULE}", flush=True)

    def add(
        self,
        what: str,
        ours: Callable[[], object],
        others: dict[str, Other],
        rounds: int,
        *,
        warm: bool = True,
    ) -> None:
        """Measure; print a row for each of the others.

        Args:
            what: the case, with its size.
            ours: our way.
            others: the other ways, by name.
            rounds: how often everything runs.
            warm: whether everything runs once before the clock starts.
        """
        ways = [Other(ours), *others.values()]
        for way in ways if warm else []:
            way.work()
        times = [[way.seconds() for way in ways] for _ in range(rounds)]
        own = statistics.median(row[0] for row in times)
        for column, (name, other) in enumerate(others.items(), 1):
            seconds = statistics.median(row[column] for row in times) / other.share
            ratio = statistics.median(row[column] / row[0] for row in times)
            ratio /= other.share
            goal = _shown(other.goal) if other.goal else ""
            print(
                f"| {self.stage} | {what} | {name} | {_shown(own)} | "
                f"{_shown(seconds)} | {_shown(ratio)} | {goal} |",
                flush=True,
            )


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of all threads of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def _shown(number: float) -> str:
    """A number with three digits."""
    return f"{number:#.3g}".rstrip(".") if number < 1000 else f"{number:.0f}"
