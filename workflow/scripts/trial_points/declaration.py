"""Declares the tables, figures and files of this stage."""

from doubletake.study.declaration import Stage
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from trial_points.tables import TRIAL_POINTS

DECLARATION = Stage(
    name="trial_points",
    order=9,
    title="Trial points",
    holds="trial answers at all places of a thought at which an exit rule may look",
    shards=(TRIAL_POINTS, RUNS, VERIFICATION),
    tables=(),
)
