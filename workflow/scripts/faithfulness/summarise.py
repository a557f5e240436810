"""Does the answer depend on the thought? Curves, areas, contexts and their tests.

Inputs
    traces: `TRACES`.
    events: `EVENTS`.
    points: answers at the ends of sentences (`TRIAL_POINTS`).
    exits: answers after every arrival (`EARLY_EXIT`).
    answers: answers with something else in place of the thought (`FAITHFULNESS`).

Outputs
    cuts: `CUTS`.
    curves: `CURVES`.
    areas: `AREAS`.
    contexts: `CONTEXT_MEANS`.
    tests: `TESTS`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from faithfulness.comparisons import compared_contexts, context_means, contexts_of
from faithfulness.curves import areas, curves, paths_of
from faithfulness.cuts import cuts_of
from faithfulness.groups import groups_of
from faithfulness.tables import (
    AREAS,
    CONTEXT_MEANS,
    CURVES,
    CUTS,
    FAITHFULNESS,
    TESTS,
)
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_faithfulness")


def main(
    *,
    traces_path: Path,
    events_path: Path,
    points_path: Path,
    exits_path: Path,
    answers_path: Path,
    cuts_path: Path,
    curves_path: Path,
    areas_path: Path,
    contexts_path: Path,
    tests_path: Path,
    intervals: IntervalSettings,
) -> None:
    """Read the tables, collect the cuts, summarise, write."""
    events = EVENTS.read(events_path)
    cuts = cuts_of(
        TRACES.read(traces_path),
        events,
        TRIAL_POINTS.read(points_path),
        EARLY_EXIT.read(exits_path),
    )
    groups, paths = groups_of(cuts, events), paths_of(cuts)
    contexts = contexts_of(cuts, FAITHFULNESS.read(answers_path))
    logger.info("%d cuts, %d contexts", cuts.height, contexts.height)
    CUTS.write(cuts, cuts_path)
    CURVES.write(curves(paths, groups, intervals), curves_path)
    AREAS.write(areas(paths, groups, intervals), areas_path)
    CONTEXT_MEANS.write(context_means(contexts, groups, intervals), contexts_path)
    TESTS.write(compared_contexts(contexts, intervals), tests_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            points_path=Path(snakemake.input.points),
            exits_path=Path(snakemake.input.exits),
            answers_path=Path(snakemake.input.answers),
            cuts_path=Path(snakemake.output.cuts),
            curves_path=Path(snakemake.output.curves),
            areas_path=Path(snakemake.output.areas),
            contexts_path=Path(snakemake.output.contexts),
            tests_path=Path(snakemake.output.tests),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
