"""The first screen: four questions, a figure of all studies each, and their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from doubletake.page.study_data import StudyData
from overview.reading import QUESTIONS, Question
from report.drawings import Drawing, drawing
from report.figure_links import NUMBERS


@dataclass(frozen=True)
class Answer:
    """What a study says to a question."""

    study: str
    text: str
    address: str
    """Where the page has the details."""
    numbers: str
    """The CSV file with the numbers, from the page on."""


@dataclass(frozen=True)
class Asked:
    """A question with its figure and answers."""

    question: Question
    drawing: Drawing
    file: str
    """The figure's file, from the page on."""
    answers: list[Answer]


def first_screen(
    studies: Sequence[tuple[str, StudyData]], figures: Mapping[str, Path]
) -> list[Asked]:
    """The questions in order.

    Args:
        studies: identifiers on the page, and data.
        figures: paths by question.
    """
    found = []
    for question in QUESTIONS:
        path = figures[question.name]
        answers = [
            Answer(
                data.name,
                answer_of(question, data),
                f"#{name}/{question.experiment}",
                f"{NUMBERS}/{quote(name)}/{question.table}.csv",
            )
            for name, data in studies
        ]
        shown = drawing(path, question.text)
        file = f"{path.parent.name}/{path.name}"
        found.append(Asked(question, shown, file, answers))
    return found


def answer_of(question: Question, data: StudyData) -> str:
    """The sentence with which an experiment's page answers a question."""
    page = import_module(f"{question.experiment}.page")
    return str(getattr(page, question.answer)(data))
