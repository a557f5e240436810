"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
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
    figures=(
        Figure(
            "latency",
            "Time saved by each rule",
            "Time that the thoughts take under each rule against the time to their "
            "end, one thought at a time. Filled: looks are computed on a branch of the "
            "running cache. Open: each look reads the whole prefix again. Left of 0 a "
            "rule costs more time than it saves. The times are composed of what each "
            "rule needs and of the median time of each step on the machine of this "
            "run. The numbers are in online_exit/latency_rules.parquet.",
        ),
    ),
    comparison=Comparison(
        "Time to read prompts and to decode the thoughts up to the stop of each rule, "
        "in sum over the timed thoughts of a study. The time of looking and of "
        "finding places is not in it; the table of each study has it, and it can "
        "exceed the saving. Short vertical lines: the time to the end. Sums of "
        "medians have no interval. Studies with more timed thoughts have larger sums, "
        "and times of different machines are not comparable.",
        (
            Panel(
                title="Seconds to the stop",
                table="online_exit/latency_rules",
                across="rule",
                value="thinking",
                measured_once=True,
                beside=("to_the_end",),
            ),
        ),
    ),
)
