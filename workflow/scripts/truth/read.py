"""Where may a thought turn back, and which planted cause holds there?

The pocket model thinks in a regular language in which turns have planted causes. A
reader of this language finds every boundary of the model's own thoughts, its cause, and
the planted probability of turning back. For other models the truth is not known.

Inputs
    problems: `problems.tables.PROBLEMS`, the questions.
    traces: `traces.tables.TRACES`.
    card: README.md of the model's folder, if there is one; its front matter names the
        planted language (`planted_language`).

Outputs
    truth: `truth.tables.TRUTH`; empty without a planted language.
    verification: `doubletake.tables.verification.VERIFICATION`, the share of boundaries
        that the reader does not read; empty without a planted language.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.errors import InputError
from doubletake.running.logs import job
from doubletake.tables.verification import (
    VERIFICATION,
    VerificationRow,
    verification_of,
)
from doubletake.text.trace_positions import first_token, thought_span
from pocket.reading import LANGUAGE, THOUGHT, read_thought
from problems.tables import PROBLEMS
from traces.tables import TRACES
from truth.model_card import KEY, planted_language
from truth.tables import TRUTH

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("read_truth")

STAGE = "truth"
UNREAD = 0.02
"""Largest share of boundaries at which the sentence is not of the language."""


def truth_rows(trace: dict[str, Any], question: str) -> list[dict[str, Any]]:
    """Rows of `TRUTH` for one trace."""
    shift, stop = thought_span(trace)
    rows = []
    reading = read_thought(question, trace["text"][shift:stop])
    for number, boundary in enumerate(reading.boundaries, start=1):
        cause = boundary.cause
        start, end = boundary.start + shift, boundary.end + shift
        at = shift if cause.place == THOUGHT else 0
        rows.append(
            {
                "trace": trace["trace"],
                "problem": trace["problem"],
                "boundary": number,
                "start": start,
                "end": end,
                "token": first_token(trace, start),
                "choice": boundary.choice,
                "word": boundary.word,
                "cause": cause.kind,
                "causes": boundary.causes,
                "cause_in": cause.place,
                "cause_start": cause.span and cause.span[0] + at,
                "cause_end": cause.span and cause.span[1] + at,
                "turns": boundary.turns,
                "probability": boundary.probability,
            }
        )
    return rows


def checks_of(truth: pl.DataFrame) -> pl.DataFrame:
    """The share of boundaries that are not read, as a table of verification."""
    unread = truth["choice"].null_count()
    row = VerificationRow(
        check="sentences at boundaries, read as sentences of the planted language",
        statistic="share that is not read",
        value=unread / truth.height if truth.height else None,
        unit="share",
        n=truth.height,
        bound=UNREAD,
        merge="mean",
    )
    return verification_of(STAGE, [row])


def read_truth(
    traces: pl.DataFrame, questions: dict[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`TRUTH` of all traces, and its verification.

    Args:
        traces: `TRACES`.
        questions: by problem.

    Raises:
        InputError: the problem of a trace is unknown.
    """
    rows: list[dict[str, Any]] = []
    for trace in traces.iter_rows(named=True):
        if trace["problem"] not in questions:
            raise InputError(
                f"trace {trace['trace']} is on problem {trace['problem']}, which the "
                "table of problems does not hold"
            )
        rows += truth_rows(trace, questions[trace["problem"]])
    truth = TRUTH.frame(rows)
    unread, unmapped = truth["choice"].null_count(), truth["token"].null_count()
    logger.info(
        "%d boundaries in %d traces, %d not read, %d without a token of their own",
        truth.height,
        traces.height,
        unread,
        unmapped,
    )
    return truth, checks_of(truth)


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    card_path: Path | None,
    truth_path: Path,
    verification_path: Path,
) -> None:
    """Read the card, the problems and the traces; write the tables."""
    language = card_path and planted_language(card_path, (LANGUAGE,))
    if language is None:
        logger.info("no truth is known: no model's card with %s", KEY)
        truth, checks = TRUTH.frame([]), VERIFICATION.frame([])
    else:
        problems = PROBLEMS.read(problems_path).select("problem", "question")
        traces = TRACES.read(traces_path)
        truth, checks = read_truth(traces, dict(problems.iter_rows()))
    VERIFICATION.write(checks, verification_path)
    TRUTH.write(truth, truth_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            card_path=next(map(Path, snakemake.input.card), None),
            truth_path=Path(snakemake.output.truth),
            verification_path=Path(snakemake.output.verification),
        )
