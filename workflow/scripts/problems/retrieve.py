r"""The problems of a study, with the reference answer of each in canonical form.

Inputs
    source: a hub dataset at a pinned revision, or a local .jsonl or .parquet file, with
        the columns `question` and `answer` (a number, a letter of a choice or an
        expression: after `####`, in a `\boxed{}` or alone); or a file of finished
        thoughts with the columns `question` and `gold`.

Outputs
    problems: one row per problem (`PROBLEMS`).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.errors import InputError
from doubletake.running.logs import job
from doubletake.text.answers import GOLD_MARK
from doubletake.text.golds import gold_of
from doubletake.text.user_rows import read_rows, text_of, text_or_number
from problems.tables import PROBLEMS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("retrieve_problems")


@dataclass(frozen=True)
class Settings:
    """A `datasets` entry of the config, defaults filled in."""

    source: str
    """File, or hub id."""
    revision: str | None
    """Commit on the hub; None for a file."""
    name: str | None
    """Configuration of the hub dataset."""
    split: str
    """Split of the hub dataset."""
    limit: int | None
    """Number of rows to take from the start; None takes all."""
    thoughts: bool
    """Whether the rows are finished thoughts; several thoughts may share a question."""


def problem_id(number: int) -> str:
    """Id of the problem with this number in its source."""
    return f"{number:05d}"


def problems_of(
    rows: Iterator[tuple[str, dict[str, Any]]], *, thoughts: bool
) -> pl.DataFrame:
    """Table of problems; finished thoughts on the same question share one problem.

    Args:
        rows: each with its origin (file and line) for messages.
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


def hub_rows(settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a hub dataset at its pinned revision.

    Raises:
        InputError: the dataset, its configuration or its split cannot be loaded.
    """
    import datasets  # slow to import; only hub datasets need it

    where = f"{settings.source} ({settings.name}, {settings.split})"
    try:
        rows = datasets.load_dataset(
            settings.source,
            settings.name,
            split=settings.split,
            revision=settings.revision,
        )
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise InputError(f"cannot load the dataset {where}: {error}") from error
    for column in ("question", "answer"):
        if column not in rows.column_names:
            raise InputError(f"the dataset {where} has no column {column!r}")
    count = len(rows) if settings.limit is None else min(settings.limit, len(rows))
    for number, row in enumerate(rows.select(range(count)), start=1):
        yield f"{where}, row {number}", row


def _gold(row: dict[str, Any], origin: str, *, thoughts: bool) -> tuple[str, str]:
    """Canonical reference answer and solution text of a row."""
    column = "gold" if thoughts else "answer"
    solution = text_of({column: text_or_number(row, column, origin)}, column, origin)
    # Only a text may mean another number where decimals are written with a comma.
    question = row["question"] if isinstance(row[column], str) else ""
    if thoughts:
        solution = f"{GOLD_MARK} {solution}"
    try:
        return gold_of(solution, question), solution
    except InputError as error:
        raise InputError(f"{origin}: {error}") from error


def main(*, problems_path: Path, settings: Settings) -> None:
    """Read the rows, bring the golds to canonical form, write the table."""
    if settings.revision is not None:
        rows = hub_rows(settings)
    else:
        columns = ("question", "gold" if settings.thoughts else "answer")
        rows = read_rows(settings.source, columns, settings.limit)
    problems = problems_of(rows, thoughts=settings.thoughts)
    logger.info("%d problems from %s", problems.height, settings.source)
    PROBLEMS.write(problems, problems_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.output.problems),
            settings=Settings(**snakemake.params.settings),
        )
