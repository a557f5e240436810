"""Seconds of every step of a thought that is decoded with an exit rule."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import polars as pl
import torch

from doubletake.exit_rules.points import KEPT
from doubletake.exit_rules.rule import ENTROPY, MARKER, NEEDS, PROBE, TRIAL
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.slots import Slots
from doubletake.model.token_sampling import Sampling
from doubletake.text.trace_rows import TracePrompt
from exit_probes.reading import PointProbe
from online_exit.decoding import Engine, look_alone
from online_exit.looks import Looking
from online_exit.reading import END_RULE
from online_exit.running_branches import Look, continue_running
from online_exit.running_places import RunningPlaces
from online_exit.tables import (
    ALONE,
    LATENCY,
    LATENCY_RULES,
    POINTS,
    PREFILL,
    SHARED,
    THINKING,
)

COUNTED = {
    TRIAL: "trials",
    ENTROPY: "entropies",
    MARKER: "markers",
    PROBE: "probes",
}
"""Columns of `ONLINE_EXIT` that count what a rule asked for."""
LOOKED_AT = 12
"""About so many points of a thought are looked at for the timing."""
HIGH = 0.9
"""Quantile beside the median."""

Made = TypeVar("Made")


@dataclass
class Stopwatch:
    """Seconds by step, and by whether the prefix is shared (`LATENCY`)."""

    engine: Engine
    looking: Looking
    sampling: Sampling
    """Of the study's thoughts."""
    seconds: dict[tuple[str, str | None], list[float]] = field(default_factory=dict)

    @torch.inference_mode()
    def time(self, prompt: TracePrompt, points: int, probe: PointProbe | None) -> None:
        """Decode one thought of the study again, alone, and time all of it.

        Args:
            prompt: of the thought.
            points: number of its points.
            probe: a probe, if there is one.
        """
        engine, looking = self.engine, self.looking
        slots = Slots(engine.decoder.hf, 1, self.sampling, engine.stop_ids)
        limit = engine.limit(prompt)
        waiting = deque([GenerationRequest(prompt.trace, prompt.prompt_ids, limit)])
        places = RunningPlaces(
            looking.trials.prompt.tokenizer,
            prompt.prompt_ids,
            prompt.question,
            looking.kinds,
            looking.every,
        )
        seen, stride = 0, max(1, points // LOOKED_AT)
        self._timed(PREFILL, None, partial(slots.fill, waiting))
        while (state := next(iter(slots.states), None)) and not places.ended:
            found = self._timed(POINTS, None, partial(places.add, state.ids[-1]))
            for place in found:
                if seen % stride == 0:
                    ids = [*prompt.prompt_ids, *state.ids]
                    kept = bool(place.kinds & KEPT)
                    self._look(slots, ids, place.cut, probe if kept else None)
                seen += 1
            self._timed(THINKING, None, slots.step)

    def _look(
        self, slots: Slots, ids: list[int], cut: int, probe: PointProbe | None
    ) -> None:
        """Look at a point in every way, with and without the running cache."""
        decoder, memory = self.engine.decoder, self.engine.batch_memory
        for need in NEEDS:
            if need == PROBE and probe is None:
                continue
            branch = self.looking.branch(cut, frozenset({need}), probe)
            looks = [Look(0, ids, branch)]
            shared = partial(continue_running, decoder, slots, looks, memory)
            (said,) = self._timed(need, SHARED, shared)
            alone = partial(look_alone, decoder, ids, branch, memory)
            self._timed(need, ALONE, alone)
            if need == PROBE and probe is not None and said.states is not None:
                probe.score(said.states.float().numpy())

    def _timed(self, what: str, prefix: str | None, make: Callable[[], Made]) -> Made:
        start = perf_counter()
        made = make()
        self.seconds.setdefault((what, prefix), []).append(perf_counter() - start)
        return made

    def frame(self) -> pl.DataFrame:
        """The rows of `LATENCY`."""
        rows: list[dict[str, Any]] = []
        for (what, prefix), seconds in self.seconds.items():
            column = pl.Series(seconds, dtype=pl.Float64)
            rows.append(
                {
                    "what": what,
                    "prefix": prefix,
                    "n": len(seconds),
                    "median": column.median(),
                    "high": column.quantile(HIGH, "linear"),
                }
            )
        return LATENCY.frame(rows)

    def median(self, what: str, prefix: str | None = None) -> float:
        """Median seconds of a step; 0 if it was never timed."""
        median = pl.Series(self.seconds.get((what, prefix), [0.0])).median()
        assert isinstance(median, float)
        return median

    def looks(self, counts: dict[str, int], prefix: str) -> float:
        """Seconds of so many looks of each kind, in medians."""
        return sum(
            (count * self.median(need, prefix) for need, count in counts.items()), 0.0
        )


def composed(
    stopwatch: Stopwatch, rows: pl.DataFrame, deciding: dict[str, float]
) -> pl.DataFrame:
    """Seconds under each rule: what it needs, times the median seconds.

    Args:
        stopwatch: the seconds.
        rows: `ONLINE_EXIT`, of one mode; all rules have watched the same thoughts.
        deciding: seconds of the own decisions of each rule, by name.

    Returns:
        `LATENCY_RULES`.
    """
    found = []
    whole = int(rows.filter(rule=END_RULE)["read"].sum())
    for (rule,), own in rows.group_by("rule", maintain_order=True):
        prefill = own.height * stopwatch.median(PREFILL)
        token, read = stopwatch.median(THINKING), int(own["read"].sum())
        counts = {need: int(own[column].sum()) for need, column in COUNTED.items()}
        row: dict[str, Any] = {
            "rule": rule,
            "thoughts": own.height,
            "to_the_end": prefill + token * whole,
            "thinking": prefill + token * read,
            "finding": stopwatch.median(POINTS) * read,
            "looking_shared": stopwatch.looks(counts, SHARED),
            "looking_alone": stopwatch.looks(counts, ALONE),
            "deciding": deciding[str(rule)],
        }
        found.append(row)
    return LATENCY_RULES.frame(found)
