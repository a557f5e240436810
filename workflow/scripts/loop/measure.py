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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablation.tables import ABLATION_SETS, ABLATION_VERSIONS
from directions.reading import read_directions
from directions.tables import DIRECTION_PROBLEMS
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.model.packed_interventions import TurnReader
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.tokenizer import load_tokenizer
from loop.event_pass import Events, listed_units
from loop.events import Event, events_of
from loop.interventions import changes_of
from loop.settings import Settings
from loop.tables import LOOP_EFFECTS
from loop.verification_figures import Differences, to_verify
from traces.tables import TRACES
from turns.reading import BACKTRACK, target_ids, white_space_ids
from turns.tables import TURN_WORDS, TURNS
from value_vectors.tables import VALUE_VECTORS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_loop")

STAGE = "loop"


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
