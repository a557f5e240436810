"""The problems of a study, with the canonical number of each reference answer.

Inputs
    source: a hub dataset at a pinned revision, a file, or a folder of files, with
        questions and reference answers (`user_files.columns` knows their names); or a
        source of finished thoughts, as in `traces.retrieve`.

Outputs
    problems: one row per problem (`PROBLEMS`).
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.errors import InputError
from doubletake.running.logs import job
from doubletake.text.answers import GOLD_MARK, gold_of
from doubletake.text.user_rows import text_of, text_or_number
from doubletake.user_files.named_rows import dataset_rows
from doubletake.user_files.reading import DatasetSettings
from problems.tables import PROBLEMS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("retrieve_problems")


def problem_id(number: int) -> str:
    """Id of the problem with this number in its source."""
    return f"{number:05d}"


def problems_of(
    rows: Iterator[tuple[str, dict[str, Any]]], *, thoughts: bool
) -> pl.DataFrame:
    """Table of problems; finished thoughts on the same question share one problem.

    Args:
        rows: each with its origin (file and line) for messages, and with `question`
            and `gold`.
        thoughts: whether the rows are finished thoughts.

    Raises:
        InputError: there is no row, a row has no readable gold number, or two rows
            give the same question different golds; names file and line.
    """
    golds: dict[str, str] = {}
    problems: list[dict[str, Any]] = []
    for origin, row in rows:
        question = text_of(row, "question", origin)
        gold, solution = _gold(row, origin, thoughts=thoughts)
        # ASSUME: finished thoughts with the same question text are on one problem.
        if thoughts and question in golds:
            if golds[question] != gold:
                raise InputError(f"{origin}: gold {gold}, before {golds[question]}")
            continue
        golds[question] = gold
        problems.append(
            {
                "problem": problem_id(len(problems)),
                "question": question,
                "gold": gold,
                "solution": solution,
            }
        )
    if not problems:
        raise InputError("the source holds no problem")
    return PROBLEMS.frame(problems)


def _gold(row: dict[str, Any], origin: str, *, thoughts: bool) -> tuple[str, str]:
    """Canonical gold number and solution text of a row."""
    solution = text_of({"gold": text_or_number(row, "gold", origin)}, "gold", origin)
    if thoughts:
        solution = f"{GOLD_MARK} {solution}"
    try:
        return gold_of(solution), solution
    except InputError as error:
        raise InputError(f"{origin}: {error}") from error


def main(*, problems_path: Path, settings: DatasetSettings) -> None:
    """Read the rows, bring the golds to canonical form, write the table."""
    problems = problems_of(dataset_rows(settings), thoughts=settings.thoughts)
    logger.info("%d problems from %s", problems.height, settings.source)
    PROBLEMS.write(problems, problems_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.output.problems),
            settings=DatasetSettings(**snakemake.params.settings),
        )
