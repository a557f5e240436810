"""Declares the tables, figures and files of this stage."""

from doubletake.study.declaration import Stage
from doubletake.tables.runs import RUNS
from traces.tables import TRACES

DECLARATION = Stage(
    name="traces",
    order=2,
    title="Traces",
    holds="thoughts on the problems",
    shards=(TRACES, RUNS),
    tables=(),
)
