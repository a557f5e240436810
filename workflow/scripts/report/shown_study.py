"""Reads what the page shows of a study: sentences, tables and figures."""

import logging
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import yaml

from doubletake.page.reader import reader_note
from doubletake.page.sections import HeatMap, Sheet, Tile
from doubletake.page.study_data import StudyData
from doubletake.running.manifests import Manifest
from doubletake.running.provenance import benchmarks
from doubletake.study.declaration import Experiment
from doubletake.study.outputs import StudyFiles
from doubletake.study.registry import experiments, section_of
from doubletake.study.study_tables import StudyTables
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from report.drawings import Drawing, drawing
from report.example_traces import Example, examples
from report.figure_links import (
    Link,
    figure_links,
    flat,
    named_tables,
    write_numbers,
)
from report.run_sheet import run_notes, run_sheet
from report.section_notes import unchecked_note
from report.study_warnings import warnings_of
from report.trace_sheets import trace_sheets
from report.verification_checks import JudgedCheck, judged_checks, verdict_of

logger = logging.getLogger("write_report")


@dataclass(frozen=True)
class Settings:
    """The `report` section of the config."""

    examples: int
    """Traces shown in full, per study."""
    seed: int
    """Seed of the choice of examples."""


@dataclass(frozen=True)
class ShownFigure:
    """A figure on the page."""

    id: str
    title: str
    caption: str
    cases: str
    drawing: Drawing
    links: list[Link]


@dataclass(frozen=True)
class ShownSection:
    """An experiment on the page."""

    experiment: Experiment
    unchecked_note: str
    """That no number has an interval; empty if one has."""
    tiles: list[Tile]
    headline: str
    findings: list[str]
    sheets: list[Sheet]
    figures: list[ShownFigure]
    maps: list[HeatMap]


@dataclass(frozen=True)
class ShownStudy:
    """A study on the page."""

    id: str
    data: StudyData
    config: str
    """The config's sections as YAML."""
    manifest: Manifest
    traces: list[Sheet]
    sections: list[ShownSection]
    examples: list[Example]
    runs: Sheet
    checks: list[JudgedCheck]
    reader_note: str
    """Warning of a model that reads; stands at the head of each section."""
    verdict: str
    """The verification in one or two sentences."""
    notes: list[str]
    warnings: list[str]
    """Sentences that a reader must see before any result."""


def shown_section(
    experiment: Experiment, data: StudyData, files: StudyFiles, numbers: Path
) -> ShownSection:
    """Sentences, tables and figures of one experiment; writes the figures' numbers."""
    section = section_of(experiment.name)
    figures = []
    for figure in experiment.figures:
        anchor = f"{data.model}/{data.dataset}/{experiment.name}/{figure.name}"
        path = files.figure(experiment.name, figure.name)
        label = f"{figure.title}, {data.name}"
        cases = section.cases[figure.name](data)
        study = f"{data.model}/{data.dataset}"
        flat_tables = {
            name: data.tables[name]
            for name in named_tables(figure)
            if flat(data.tables[name])
        }
        for name, table in flat_tables.items():
            write_numbers(numbers, study, name, table)
        shown = ShownFigure(
            anchor,
            figure.title,
            figure.caption,
            cases,
            drawing(path, label),
            figure_links(study, experiment, figure, flat_tables),
        )
        figures.append(shown)
    return ShownSection(
        experiment,
        unchecked_note(experiment, data),
        section.tiles(data),
        section.headline(data),
        section.findings(data),
        section.sheets(data),
        figures,
        section.maps(data),
    )


def shown_study(files: StudyFiles, settings: Settings, numbers: Path) -> ShownStudy:
    """Read a study's files, and compute everything that the page shows of it."""
    tables = StudyTables(Path(files.folder))
    data = StudyData(files.model, files.dataset, tables, files.settings)
    runs = pl.concat([RUNS.read(path) for path in files.runs])
    verification = pl.concat([VERIFICATION.read(path) for path in files.verification])
    checks = judged_checks(verification)
    logger.info("%s: %d traces", data.name, data.thoughts.height)
    return ShownStudy(
        id=f"{files.model}/{files.dataset}",
        data=data,
        manifest=Manifest.read(files.manifest),
        config=yaml.safe_dump(files.settings, sort_keys=False, allow_unicode=True),
        traces=trace_sheets(data),
        sections=[shown_section(one, data, files, numbers) for one in experiments()],
        examples=examples(data, settings.examples, settings.seed),
        runs=run_sheet(runs, benchmarks(Path(files.benchmarks))),
        checks=checks,
        reader_note=reader_note(data),
        verdict=verdict_of(checks),
        notes=run_notes(runs),
        warnings=warnings_of(data, runs),
    )
