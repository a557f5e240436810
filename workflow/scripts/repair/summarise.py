"""What does thinking on do to the answers that thoughts hold at their arrivals?

Inputs
    problems: the questions (`PROBLEMS`).
    traces: the thoughts and their own answers (`TRACES`).
    points: forced answers at trial points (`TRIAL_POINTS`); only arrivals and the ends
        of thoughts are read.
    events: arrivals that a detector finds in whole thoughts (`EVENTS`).
    truth: planted causes of turns (`TRUTH`); empty without a planted language.

Outputs
    arrivals: one row per arrival (`ARRIVALS`).
    rates: repair and damage by arrival (`RATES`).
    gains: accuracy gained by thinking on, and its tokens (`GAINS`).
    shifts: changes of the forced answer with and without a turn (`SHIFTS`).
    lost: thoughts that were right and end wrong (`LOST`).
    causes: changes by planted cause (`BY_CAUSE`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from events.tables import EVENTS
from problems.tables import PROBLEMS
from repair.arrivals import arrivals_of
from repair.causes import changes_by_cause
from repair.changes import (
    belief_shift,
    gain_by_arrival,
    lost_answers,
    rates_by_arrival,
    thought_on,
)
from repair.tables import ARRIVALS, BY_CAUSE, GAINS, LOST, RATES, SHIFTS
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS
from truth.tables import TRUTH

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_repair")


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    points_path: Path,
    events_path: Path,
    truth_path: Path,
    arrivals_path: Path,
    rates_path: Path,
    gains_path: Path,
    shifts_path: Path,
    lost_path: Path,
    causes_path: Path,
    intervals: IntervalSettings,
) -> None:
    """Find the arrivals, summarise, write."""
    questions = PROBLEMS.read(problems_path).select("problem", "question")
    truth = TRUTH.read(truth_path)
    arrivals = arrivals_of(
        TRIAL_POINTS.read(points_path),
        TRACES.read(traces_path),
        dict(questions.iter_rows()),
        EVENTS.read(events_path),
        truth,
    )
    cases = thought_on(arrivals)
    logger.info("%d arrivals, %d before the end", arrivals.height, cases.height)
    ARRIVALS.write(arrivals, arrivals_path)
    RATES.write(rates_by_arrival(cases, intervals), rates_path)
    GAINS.write(gain_by_arrival(cases, intervals), gains_path)
    SHIFTS.write(belief_shift(cases, intervals), shifts_path)
    LOST.write(lost_answers(cases, intervals), lost_path)
    planted = cases if truth.height else cases.clear()
    BY_CAUSE.write(changes_by_cause(planted, intervals), causes_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            points_path=Path(snakemake.input.points),
            events_path=Path(snakemake.input.events),
            truth_path=Path(snakemake.input.truth),
            arrivals_path=Path(snakemake.output.arrivals),
            rates_path=Path(snakemake.output.rates),
            gains_path=Path(snakemake.output.gains),
            shifts_path=Path(snakemake.output.shifts),
            lost_path=Path(snakemake.output.lost),
            causes_path=Path(snakemake.output.causes),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
