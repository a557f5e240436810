"""How far does repeating raise an answer's log-prob, beside thinking on?

Inputs
    repetition: given answers at exits (`REPETITION`).

Outputs
    points: means by outcome, arm, answer and exit (`REPETITION_POINTS`).
    steps: steps of the real thought against repetition (`REPETITION_STEPS`).
    pull: how far a repeated wrong number pulls (`REPETITION_PULL`).
    tests: the claims, corrected together (`REPETITION_TESTS`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings, cluster_means
from repetition.claims import corrected_claims
from repetition.estimates import p_values, step_rows, with_log_odds
from repetition.tables import (
    ANSWERS,
    ARMS,
    FIXED,
    LOG_ODDS,
    LOGIT,
    LOGPROB,
    OTHER,
    OUTCOMES,
    REPEATED,
    REPETITION,
    REPETITION_POINTS,
    REPETITION_PULL,
    REPETITION_STEPS,
    REPETITION_TESTS,
    WRONG_ALL,
    WRONG_REPEATS,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_repetition")

GROUP = ("outcome", "arm", "answer", "exit")


def points(rows: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`REPETITION_POINTS`; `rows` are of `REPETITION`, with `log_odds`."""
    order = {
        name: {value: k for k, value in enumerate(values)}
        for name, values in zip(GROUP, (OUTCOMES, ARMS, ANSWERS), strict=False)
    }
    made = []
    for key, own in rows.sort("trace").partition_by(*GROUP, as_dict=True).items():
        problems = own["problem"].to_numpy()
        row: dict[str, Any] = dict(zip(GROUP, key, strict=True)) | {
            "traces": own.height,
            "problems": own["problem"].n_unique(),
            "added": own["added"].mean(),
        }
        values = own.select(LOGPROB, LOG_ODDS, LOGIT).to_numpy()
        means = cluster_means(values, problems, intervals)
        for name, mean in zip((LOGPROB, LOG_ODDS, LOGIT), means, strict=True):
            row |= mean.columns(name)
        said = own["said"].cast(pl.Float64).to_numpy()[:, None]
        (share,) = cluster_means(said, problems, intervals, shares=True)
        made.append(row | share.columns("said"))
    made.sort(
        key=lambda row: (
            *(order[name][row[name]] for name in GROUP[:3]),
            row["exit"],
        )
    )
    return REPETITION_POINTS.frame(made)


def pulls(rows: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`REPETITION_PULL`: wrong arms against `repeated`, exit by exit."""
    key = ["trace", "exit"]
    base = {
        answer: rows.filter(arm=REPEATED, answer=answer).select(*key, base=LOGPROB)
        for answer in (OTHER, FIXED)
    }
    made = []
    for outcome in OUTCOMES:
        for arm in (WRONG_REPEATS, WRONG_ALL):
            own = rows.filter(outcome=outcome, arm=arm)
            if arm == WRONG_REPEATS:
                own = own.filter(pl.col("exit") > 1)  # exit 1 is the same in both
            other = own.filter(answer=OTHER).join(base[OTHER], on=key)
            fixed = own.filter(answer=FIXED).join(base[FIXED], on=key)
            wide = other.join(
                fixed.select(*key, lost=pl.col(LOGPROB) - pl.col("base")), on=key
            ).sort(key)
            for (number,), part in sorted(
                wide.partition_by("exit", as_dict=True).items()
            ):
                made.append(
                    {"outcome": outcome, "arm": arm, "exit": number}
                    | pull_columns(part, intervals)
                )
    return REPETITION_PULL.frame(made)


def pull_columns(part: pl.DataFrame, intervals: IntervalSettings) -> dict[str, Any]:
    """Means of one exit's pulls, with their intervals."""
    problems = part["problem"].to_numpy()
    values = part.select(pl.col(LOGPROB) - pl.col("base"), "lost").to_numpy()
    pull, lost = cluster_means(values, problems, intervals)
    said = part["said"].cast(pl.Float64).to_numpy()[:, None]
    (taken,) = cluster_means(said, problems, intervals, shares=True)
    return {
        "traces": part.height,
        "problems": part["problem"].n_unique(),
        **pull.columns("pull"),
        "pull_p": p_values(values, problems, intervals)[0],
        **taken.columns("taken"),
        **lost.columns("lost"),
    }


def main(
    *,
    repetition_path: Path,
    points_path: Path,
    steps_path: Path,
    pull_path: Path,
    tests_path: Path,
    intervals: IntervalSettings,
) -> None:
    """Read the table, summarise, write."""
    rows = with_log_odds(REPETITION.read(repetition_path))
    logger.info("%d scored answers", rows.height)
    REPETITION_POINTS.write(points(rows, intervals), points_path)
    steps = REPETITION_STEPS.frame(step_rows(rows, intervals))
    REPETITION_STEPS.write(steps, steps_path)
    pull = pulls(rows, intervals)
    REPETITION_PULL.write(pull, pull_path)
    REPETITION_TESTS.write(corrected_claims(steps, pull), tests_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            repetition_path=Path(snakemake.input.repetition),
            points_path=Path(snakemake.output.points),
            steps_path=Path(snakemake.output.steps),
            pull_path=Path(snakemake.output.pull),
            tests_path=Path(snakemake.output.tests),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
