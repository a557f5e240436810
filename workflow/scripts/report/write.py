"""Writes the page on all studies: settings, results, and measured errors.

Inputs
    per study: the tables and figures of its declarations.
    scores: scores of the detectors on labelled traces (`DETECTOR_SCORES`).
    transfer: thresholds of one study in another (`TRANSFER`).
    reproduction: published numbers beside those of the studies (`REPRODUCTION`).
    overview: figures of all studies, one for each question.
    comparisons: figures of all studies, one for each experiment; none of one study.
    templates: HTML templates and style of the page.
    benchmarks: Snakemake's measurements of each rule, if there are any.

Outputs
    page: one HTML file that needs no other file and no network. Its links lead to the
        files beside it.
    numbers: the numbers of the figures as CSV files.
"""

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.tables import DETECTOR_SCORES
from doubletake.page.sections import Sheet
from doubletake.page.study_data import Proportion, mean_of
from doubletake.page.wording import NOTHING, count, percent, probability, real
from doubletake.running.digests import SCRIPTS
from doubletake.running.logs import job
from doubletake.running.provenance import Provenance
from doubletake.study.outputs import StudyFiles
from exit_transfer.tables import TRANSFER
from overview.reading import QUESTIONS
from report.compared_sections import compared_studies
from report.detector_scores import detector_scores
from report.exit_transfers import exit_transfers
from report.first_screen import first_screen
from report.reproduction_part import reproduction_part
from report.shown_study import Settings, ShownStudy, shown_study
from report.templates import write_page
from report.verification_checks import NOT_CHECKED
from reproduction.tables import REPRODUCTION

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("write_report")


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
    comparison_paths: list[Path],
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
        compared=compared_studies(shown, comparison_paths),
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
            comparison_paths=[
                Path(path)
                for path in snakemake.input.get("comparisons", [])
                if path.endswith(".svg")
            ],
            page_path=Path(snakemake.output.page),
            numbers_folder=Path(snakemake.output.numbers),
            settings=Settings(**snakemake.params.settings),
            provenance=Provenance.here(SCRIPTS.parents[1]),
        )
