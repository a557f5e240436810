"""What do a direction, units and heads change at each backtrack, exactly?

At the token before every selected backtrack the model is read once. Then, if the
problem is one of the test problems, this token is read again with every change: a
direction is added, units or heads are set to 0, and random vectors and sets beside them
(`doubletake.model.packed_interventions`). Directions and sets come from the fit
problems.

Inputs
    traces: `traces.tables.TRACES`.
    turns, words: `turns.tables.TURNS`, `turns.tables.TURN_WORDS`.
    directions: vectors toward turning back (`directions.reading`).
    parts: `directions.tables.DIRECTION_PROBLEMS`.
    versions, sets: `ablation.tables.ABLATION_VERSIONS`, `ABLATION_SETS`.
    value_vectors: `value_vectors.tables.VALUE_VECTORS`.
    the model.

Outputs
    effects: `loop.tables.LOOP_EFFECTS`, part of the shard.
    verification: against plain passes with hooks (`VERIFICATION`).
    runs: `RUNS`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ablation.tables import ABLATION_SETS, ABLATION_VERSIONS
from directions.reading import read_directions
from directions.tables import DIRECTION_PROBLEMS, FIT, TEST
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.model.packed_interventions import TurnReader
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.draws import generator
from doubletake.stats.verification import (
    Case,
    Largest,
    Verification,
    drawn,
    with_verification,
)
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import (
    VERIFICATION,
    VerificationRow,
    verification_of,
)
from doubletake.text.tokenizer import load_tokenizer
from loop.event_pass import Events, listed_units
from loop.interventions import changes_of
from loop.settings import Settings
from loop.tables import LOOP_EFFECTS
from traces.tables import TRACES
from turns.reading import BACKTRACK, target_ids, white_space_ids
from turns.tables import TURN_WORDS, TURNS
from value_vectors.tables import VALUE_VECTORS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_loop")

STAGE = "loop"
# ASSUME: float32 sums in another order change log-odds, and sums of what units write,
# by less; chosen by hand. 16-bit models have no bound.
ODDS_BOUND, WRITTEN_BOUND = 1e-3, 1e-3


@dataclass(frozen=True)
class Event:
    """A backtrack of the shard."""

    row: dict[str, Any]
    """Of `TURNS`."""
    ids: list[int]
    """Tokens up to the position."""
    part: str
    """Of its problem."""

    @property
    def name(self) -> tuple[str, int]:
        """Trace and number."""
        return self.row["trace"], self.row["event"]


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


def events_of(
    turns: pl.DataFrame, traces: pl.DataFrame, parts: pl.DataFrame, longest: int
) -> list[Event]:
    """The events, in the order of `turns`; too long ones are left out.

    Args:
        turns: rows of `TURNS`.
        traces: `TRACES`.
        parts: `DIRECTION_PROBLEMS`.
        longest: tokens that the model attends to.
    """
    part_of = dict(parts.select("problem", "part").iter_rows())
    columns = traces.select("trace", "prompt_ids", "completion_ids").iter_rows()
    ids = {trace: prompt + completion for trace, prompt, completion in columns}
    return [
        Event(row, ids[row["trace"]][: row["position"] + 1], part)
        for row in turns.iter_rows(named=True)
        if row["position"] < longest
        for part in [part_of.get(row["problem"], FIT)]
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


def measure(
    passes: Events, events: Sequence[Event], settings: Verification, progress: Progress
) -> tuple[list[dict[str, Any]], Differences]:
    """Rows of `LOOP_EFFECTS`, and the errors of the packed passes."""
    rows, differences = [], Differences()
    verified = to_verify(events, len(passes.changes), settings)
    for event in events:
        name = f"trace {event.row['trace']}"
        columns, odds = passes.measured(event.ids, event.part, name)
        key = {one: event.row[one] for one in ("trace", "problem", "event", "position")}
        rows.append(key | columns)
        for number in verified.get(event.name, []):
            plain, written = passes.plain(event.ids, number)
            differences.odds.add(abs(plain - odds[number]))
            if written is not None and not number:
                differences.written.add(abs(written - columns["value_vectors"]))
        progress.update(1, len(event.ids) + len(odds))
    return rows, differences


def main(
    *,
    inputs: dict[str, Path],
    effects_path: Path,
    verification_path: Path,
    runs_path: Path,
    shard: str,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, measure the events of the shard, write the tables."""
    tokenizer, decoder = load_tokenizer(model), load_decoder(model)
    turns = TURNS.read(inputs["turns"]).filter("selected", kind=BACKTRACK)
    events = events_of(
        rows_of_shard(turns, shard),
        TRACES.read(inputs["traces"]),
        DIRECTION_PROBLEMS.read(inputs["parts"]),
        decoder.max_positions,
    )
    changes = changes_of(
        decoder,
        read_directions(inputs["directions"], model_name(model)),
        ABLATION_VERSIONS.read(inputs["versions"]),
        ABLATION_SETS.read(inputs["sets"]),
        settings,
    )
    words = target_ids(TURN_WORDS.read(inputs["words"]))[BACKTRACK]
    passes = Events(
        decoder,
        TurnReader(decoder, words, white_space_ids(tokenizer)),
        changes,
        listed_units(VALUE_VECTORS.read(inputs["value_vectors"])),
        settings.batch_memory,
    )
    progress = Progress(len(events), "events")
    rows, differences = measure(passes, events, settings.verification, progress)
    progress.close()
    checks = differences.rows(model.dtype)
    for item in checks:
        logger.info("verification: %s %s of %d", item.check, item.value, item.n)
    VERIFICATION.write(verification_of(STAGE, checks), verification_path)
    RUNS.write(run_row(STAGE, shard, progress, decoder, len(events), ""), runs_path)
    LOOP_EFFECTS.write(LOOP_EFFECTS.frame(rows), effects_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            inputs={
                name: Path(getattr(snakemake.input, name))
                for name in (
                    "traces",
                    "turns",
                    "words",
                    "directions",
                    "parts",
                    "versions",
                    "sets",
                    "value_vectors",
                )
            },
            effects_path=Path(snakemake.output.effects),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            shard=snakemake.wildcards.shard,
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
