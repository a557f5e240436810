"""Published claims on early exits, measured in a run."""

import polars as pl

from early_exit.tables import ALL_STEPS, FIRST_STEP, LATER_STEPS, WENT_ON
from reproduction.run import Finding, NotMeasured, Run, all_of

EXITS, SUMMARY = "early_exit", "early_exit/summary"
SLOPES = "early_exit/slopes"
FEWEST, MOST = 4, 9
"""Numbers of arrivals of the published thoughts."""


def logit(run: Run, arrivals: int, number: int) -> Finding:
    """Mean logit of the answer at one exit, of thoughts with one number of arrivals."""
    if run.table(SUMMARY).filter(arrivals=arrivals, exit=number).is_empty():
        raise NotMeasured("no thought of a group of early_exit.groups has so many")
    return run.cell(SUMMARY, "logit", "traces", arrivals=arrivals, exit=number)


def accuracy_without_thought(run: Run) -> Finding:
    """Right answers at exit 0, of thoughts with as many arrivals as published."""
    exits = _exits(run).filter(pl.col("exit") == 0)
    return _accuracy(run, exits)


def accuracy_after_arrivals(run: Run) -> Finding:
    """Right answers at the exits from the first arrival on, each exit once."""
    return _accuracy(run, _exits(run).filter(pl.col("exit") > 0))


def logit_jump(run: Run) -> Finding:
    """Logit at exit 1 minus that at exit 0, within thoughts."""
    found = _jump(run, "logit")
    return found.judged(found.is_positive)


def accuracy_jump(run: Run) -> Finding:
    """Right at exit 1 minus right at exit 0, within thoughts."""
    found = _jump(run, "correct")
    return found.judged(found.is_positive)


def rise_to_second(run: Run) -> Finding:
    """Step of the logit from exit 1 to exit 2."""
    return _rise(run, FIRST_STEP)


def rise_later(run: Run) -> Finding:
    """Mean step of the logit from exit 2 on."""
    return _rise(run, LATER_STEPS)


def _rise(run: Run, part: str) -> Finding:
    """By the published recipe all steps count; by ours a rise shows in both means."""
    every, went_on = (
        run.cell(SLOPES, "slope", "steps", measure="logit", part=part, which=which)
        for which in (ALL_STEPS, WENT_ON)
    )
    if run.published:
        return every.judged(every.is_positive)
    note = f"steps after which it went on: {went_on.text}"
    return every.judged(all_of((every.is_positive, went_on.is_positive)), note)


def _exits(run: Run) -> pl.DataFrame:
    """All exits, with problem; of thoughts with 4 to 9 arrivals."""
    last = pl.col("exit").max().over("trace")
    return _with_problem(run, run.table(EXITS).filter(last.is_between(FEWEST, MOST)))


def _with_problem(run: Run, exits: pl.DataFrame) -> pl.DataFrame:
    problems = run.table("traces").select("trace", "problem")
    return exits.join(problems, on="trace")


def _accuracy(run: Run, exits: pl.DataFrame) -> Finding:
    cases = exits.select("problem", value="correct")
    return run.mean(EXITS, "correct", cases, shares=True)


def _jump(run: Run, column: str) -> Finding:
    """Differences of exits 1 and 0 of every thought that has both."""
    exits = _with_problem(run, run.table(EXITS))
    value = pl.col(column).cast(pl.Float64)
    at_first, before = (
        value.filter(pl.col("exit") == number).first() for number in (1, 0)
    )
    cases = exits.group_by("trace", maintain_order=True).agg(
        problem=pl.first("problem"), value=at_first - before
    )
    return run.mean(EXITS, column, cases)
