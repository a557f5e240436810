"""Which vectors of the residual stream point toward turning back?

The problems are split into two parts. The model reads the thoughts of one part, and
directions are differences of the means of its states there (`directions.recipes`), or
the weights of a probe (`directions.matched_probe`). Experiments that steer or ablate
use the problems of the other part.

Inputs
    traces: `TRACES`.
    events: `EVENTS`.
    matches: `MATCHES`, pairs for the probe.
    index, caches: the activation cache of the study, for the probe.
    model: its files.

Outputs
    vectors: safetensors, as in `directions.reading`.
    directions: `DIRECTIONS`, one row per direction and boundary.
    problems: `DIRECTION_PROBLEMS`, the two parts.
    pairs: `DIRECTION_PAIRS`, whether directions put pairs in order.
    cosines: `DIRECTION_COSINES`, how alike directions are.
    units: `DIRECTION_UNITS`.
    verification: `VERIFICATION`.
    runs: `RUNS`, one row; its note says why there are no units.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from activations.reading import ActivationCache, Origin
from directions.direction_cosines import cosine_rows
from directions.fitting import fit
from directions.reading import write_directions
from directions.settings import Settings
from directions.split import parts_of
from directions.tables import (
    DIRECTION_COSINES,
    DIRECTION_PAIRS,
    DIRECTION_PROBLEMS,
    DIRECTION_UNITS,
    DIRECTIONS,
)
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import job
from doubletake.stats.verification import with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from events.tables import EVENTS
from matches.tables import MATCHES
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_directions")

STAGE = "directions"


def main(
    *,
    traces_path: Path,
    events_path: Path,
    matches_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    vectors_path: Path,
    directions_path: Path,
    problems_path: Path,
    pairs_path: Path,
    cosines_path: Path,
    units_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, fit the directions with the model, write."""
    traces, events = TRACES.read(traces_path), EVENTS.read(events_path)
    matches = MATCHES.read(matches_path)
    cache = ActivationCache(index_path, cache_paths, Origin.of(model, events_path))
    parts = parts_of(traces["problem"], settings.fit_share, settings.seed)
    decoder = load_decoder(model)
    fitted = fit(decoder, cache, traces, events, matches, parts, settings)
    progress = fitted.progress
    run = run_row(STAGE, ONE_SHARD, progress, decoder, progress.items, fitted.note)
    problems = [{"problem": name, "part": part} for name, part in parts.items()]
    write_directions(fitted.directions, vectors_path)
    DIRECTION_PROBLEMS.write(DIRECTION_PROBLEMS.frame(problems), problems_path)
    DIRECTION_PAIRS.write(DIRECTION_PAIRS.frame(fitted.pairs), pairs_path)
    cosines = cosine_rows(fitted.directions)
    DIRECTION_COSINES.write(DIRECTION_COSINES.frame(cosines), cosines_path)
    DIRECTION_UNITS.write(DIRECTION_UNITS.frame(fitted.units), units_path)
    VERIFICATION.write(verification_of(STAGE, fitted.checks), verification_path)
    RUNS.write(run, runs_path)
    DIRECTIONS.write(DIRECTIONS.frame(fitted.rows), directions_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            matches_path=Path(snakemake.input.matches),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.caches],
            vectors_path=Path(snakemake.output.vectors),
            directions_path=Path(snakemake.output.directions),
            problems_path=Path(snakemake.output.problems),
            pairs_path=Path(snakemake.output.pairs),
            cosines_path=Path(snakemake.output.cosines),
            units_path=Path(snakemake.output.units),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(
                **with_verification(snakemake.params.settings),
                least_problems=snakemake.params.least_problems,
            ),
        )
