"""Sections of several studies: one per experiment, with one figure of all studies."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doubletake.page.sections import Sheet
from doubletake.study.declaration import Experiment
from doubletake.study.registry import experiments
from report.drawings import Drawing, drawing
from report.figure_links import Link, explorer_address
from report.merged_sheets import merged_sheets
from report.shown_study import ShownSection, ShownStudy

FOLDER = "comparisons"
"""Of the figures and their numbers, beside the page."""


@dataclass(frozen=True)
class StudyPart:
    """What one study adds to a section."""

    study: ShownStudy
    section: ShownSection


@dataclass(frozen=True)
class ComparedSection:
    """An experiment in all studies."""

    experiment: Experiment
    drawing: Drawing
    links: list[Link]
    sheets: list[Sheet]
    """Tables of all studies."""
    parts: list[StudyPart]


@dataclass(frozen=True)
class ComparedStudies:
    """All experiments, and the traces of all studies in numbers."""

    traces: list[Sheet]
    sections: list[ComparedSection]


def compared_studies(
    studies: Sequence[ShownStudy], figures: Sequence[Path]
) -> ComparedStudies | None:
    """The sections of all studies; None of one study.

    Args:
        studies: in their order.
        figures: of all experiments, in the order of the page.
    """
    if len(studies) < 2:
        return None
    sections = [
        _compared(experiment, number, studies, path)
        for number, (experiment, path) in enumerate(
            zip(experiments(), figures, strict=True)
        )
    ]
    traces = merged_sheets({study.data.name: study.traces for study in studies})
    return ComparedStudies(traces, sections)


def _compared(
    experiment: Experiment, number: int, studies: Sequence[ShownStudy], path: Path
) -> ComparedSection:
    parts = [StudyPart(study, study.sections[number]) for study in studies]
    label = f"{experiment.title}, all studies."
    file = f"{FOLDER}/{experiment.name}"
    links = [
        Link("SVG", f"{file}.svg", True),
        Link("CSV", f"{file}.csv", True),
        Link("the thoughts", explorer_address(None, experiment.name)),
    ]
    sheets = merged_sheets(
        {part.study.data.name: part.section.sheets for part in parts}
    )
    return ComparedSection(experiment, drawing(path, label), links, sheets, parts)
