"""The page of one or more small studies, written to a folder."""

from pathlib import Path

from tiny_report import HERE, SCORE, Study

from detector.tables import DETECTOR_SCORES
from doubletake.detector.detectors import DETECTORS
from doubletake.page.plots import empty_figure, save_figure
from doubletake.running.digests import SCRIPTS
from doubletake.running.provenance import Provenance
from doubletake.study.registry import experiments
from exit_transfer.tables import TRANSFER
from overview.reading import QUESTIONS
from report.shown_study import Settings
from report.write import main
from reproduction.tables import REPRODUCTION

TEMPLATE = SCRIPTS.parent / "report/page.html.jinja"


def write_page(
    folder: Path, *studies: Study, examples: int = 4, provenance: Provenance = HERE
) -> Path:
    """Write the page with made-up figures; returns its path.

    Args:
        folder: of the results.
        studies: shown on the page.
        examples: traces shown in full.
        provenance: of the page.
    """
    scores = [
        SCORE | {"detector": detector} | change
        for detector in DETECTORS
        for change in ({}, {"kind": "backtrack", "precision": None})
    ]
    DETECTOR_SCORES.write(DETECTOR_SCORES.frame(scores), folder / "scores")
    TRANSFER.write(TRANSFER.frame([]), folder / "transfer")
    REPRODUCTION.write(REPRODUCTION.frame([]), folder / "reproduction")
    questions = {one.name: folder / f"overview/{one.name}.svg" for one in QUESTIONS}
    compared = [folder / f"comparisons/{one.name}.svg" for one in experiments()]
    for path in (*questions.values(), *compared):
        path.parent.mkdir(exist_ok=True)
        save_figure(empty_figure("made up"), path)
    for path in compared:
        path.with_suffix(".csv").write_text("study\n")
    page = folder / "report.html"
    main(
        scores_path=folder / "scores",
        transfer_path=folder / "transfer",
        reproduction_path=folder / "reproduction",
        studies=[study.write(folder) for study in studies],
        template_path=TEMPLATE,
        overview_paths=questions,
        comparison_paths=compared,
        page_path=page,
        numbers_folder=folder / "numbers",
        settings=Settings(examples=examples, seed=0),
        provenance=provenance,
    )
    return page
