"""Writes the page on all studies: settings, results, and measured errors.

Inputs
    per study: the tables and figures of its declarations.
    scores: scores of the detectors on labelled traces (`DETECTOR_SCORES`).
    transfer: thresholds of one study in another (`TRANSFER`).
    reproduction: published numbers beside those of the studies (`REPRODUCTION`).
    overview: figures of all studies, one for each question.
    templates: HTML templates and style of the page.
    benchmarks: Snakemake's measurements of each rule, if there are any.

Outputs
    page: one HTML file that needs no other file and no network. Its links lead to the
        files beside it.
    numbers: the numbers of the figures as CSV files.
"""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from detector.tables import DETECTOR_SCORES
from doubletake.page.reader import reader_note
from doubletake.page.sections import HeatMap, Sheet, Tile
from doubletake.page.study_data import Proportion, StudyData, mean_of
from doubletake.page.wording import NOTHING, count, percent, probability, real
from doubletake.running.digests import SCRIPTS
from doubletake.running.logs import job
from doubletake.running.manifests import Manifest
from doubletake.running.provenance import Provenance, benchmarks
from doubletake.study.declaration import Experiment
from doubletake.study.outputs import StudyFiles
from doubletake.study.registry import experiments, section_of
from doubletake.study.study_tables import StudyTables
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from exit_transfer.tables import TRANSFER
from overview.reading import QUESTIONS
from report.detector_scores import detector_scores
from report.drawings import Drawing, drawing
from report.example_traces import Example, examples
from report.exit_transfers import exit_transfers
from report.figure_links import (
    Link,
    figure_links,
    flat,
    named_tables,
    write_numbers,
)
from report.first_screen import first_screen
from report.reproduction_part import reproduction_part
from report.run_sheet import run_notes, run_sheet
from report.section_notes import unchecked_note
from report.study_warnings import warnings_of
from report.templates import write_page
from report.trace_sheets import trace_sheets
from report.verification_checks import (
    NOT_CHECKED,
    JudgedCheck,
    judged_checks,
    verdict_of,
)
from reproduction.tables import REPRODUCTION

if TYPE_CHECKING:
    snakemake: Any

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


def overview(studies: list[ShownStudy]) -> Sheet:
    """The table that compares all studies."""
    columns = (
        "study",
        "thoughts",
        "right",
        "arrivals per thought",
        "turn back",
        "right at exit 0",
        "right at exit 1",
        "probability at exit 1",
        "failed checks",
    )
    return Sheet("", columns, tuple(_overview_row(study) for study in studies))


def _overview_row(study: ShownStudy) -> tuple[str, ...]:
    data, thoughts = study.data, study.data.thoughts
    first = data.exits.filter(exit=1)["probability"].to_list()
    verdicts = [check.within for check in study.checks]
    bounded = verdicts.count("yes") + verdicts.count("no")
    failed = f"{verdicts.count('no')} of {bounded}" if bounded else NOTHING
    unchecked = verdicts.count(NOT_CHECKED)
    failed += f", {unchecked} not checked" if unchecked else ""
    return (
        data.name,
        count(thoughts.height),
        Proportion.of(thoughts["correct"]).text,
        real(mean_of(thoughts["arrivals"]), 2),
        percent(mean_of(thoughts["backtracks"] > 0)),
        Proportion.of(thoughts["exit0_correct"]).text,
        Proportion.of(thoughts["exit1_correct"]).text,
        probability(first[0] if first else None),
        failed,
    )


def main(
    *,
    studies: list[StudyFiles],
    scores_path: Path,
    transfer_path: Path,
    reproduction_path: Path,
    template_path: Path,
    overview_paths: dict[str, Path],
    page_path: Path,
    numbers_folder: Path,
    settings: Settings,
    provenance: Provenance,
) -> None:
    """Read all studies and write the page."""
    shutil.rmtree(numbers_folder, ignore_errors=True)
    numbers_folder.mkdir(parents=True)
    shown = [shown_study(files, settings, numbers_folder) for files in studies]
    events = [study.data.settings["events"] for study in shown]
    detectors = detector_scores(
        DETECTOR_SCORES.read(scores_path),
        used=[section["detector"] for section in events],
        labels=events[0]["labels"],
        confidence=shown[0].data.confidence,
    )
    write_page(
        template_path,
        page_path,
        studies=shown,
        overview=overview(shown),
        questions=first_screen(
            [(study.id, study.data) for study in shown], overview_paths
        ),
        detectors=detectors,
        transfers=exit_transfers(
            TRANSFER.read(transfer_path), shown[0].data.confidence
        ),
        reproduction=reproduction_part(
            REPRODUCTION.read(reproduction_path), shown[0].data.confidence
        ),
        provenance=provenance,
    )
    logger.info("%s: %d kB", page_path, page_path.stat().st_size // 1000)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            studies=[StudyFiles(**study) for study in snakemake.params.studies],
            scores_path=Path(snakemake.input.scores),
            transfer_path=Path(snakemake.input.transfer),
            reproduction_path=Path(snakemake.input.reproduction),
            template_path=Path(snakemake.input.template),
            overview_paths={
                one.name: Path(snakemake.input[one.name]) for one in QUESTIONS
            },
            page_path=Path(snakemake.output.page),
            numbers_folder=Path(snakemake.output.numbers),
            settings=Settings(**snakemake.params.settings),
            provenance=Provenance.here(SCRIPTS.parents[1]),
        )
