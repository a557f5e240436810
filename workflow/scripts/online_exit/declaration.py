"""Declares the tables, figures and files of this experiment."""

from doubletake.study.declaration import Experiment
from doubletake.tables.runs import RUNS
from online_exit.tables import LATENCY, LATENCY_RULES, ONLINE_EXIT, ONLINE_RULES

DECLARATION = Experiment(
    name="online_exit",
    order=16,
    title="Online exit",
    question="Do the rules stop a running thought where the replay says, and what do "
    "they cost in time?",
    holds="exit rules that decide while the model decodes, against their replay; times",
    tables=(ONLINE_EXIT, ONLINE_RULES, LATENCY, LATENCY_RULES, RUNS),
    figures=(),
)
