"""The page of one or more small studies."""

import pytest
from html_pages import Page
from tiny_report import HERE, SCORE, Study

from detector.tables import DETECTOR_SCORES
from doubletake.detector.detectors import DETECTORS
from doubletake.page.plots import empty_figure, save_figure
from doubletake.running.digests import SCRIPTS
from doubletake.study.registry import experiments
from exit_transfer.tables import TRANSFER
from overview.reading import QUESTIONS
from report.shown_study import Settings
from report.write import main
from reproduction.tables import REPRODUCTION

TEMPLATE = SCRIPTS.parent / "report/page.html.jinja"


def overview(folder):
    """Made-up figures of the questions."""
    paths = {one.name: folder / f"overview/{one.name}.svg" for one in QUESTIONS}
    for path in paths.values():
        path.parent.mkdir(exist_ok=True)
        save_figure(empty_figure("made up"), path)
    return paths


def comparisons(folder):
    """Made-up figures of all studies, one per experiment."""
    paths = [folder / f"comparisons/{one.name}.svg" for one in experiments()]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        save_figure(empty_figure("made up"), path)
        path.with_suffix(".csv").write_text("study\n")
    return paths


@pytest.fixture
def render(tmp_path):
    def render_studies(*studies: Study, examples: int = 4, provenance=HERE) -> Page:
        scores = [
            SCORE | {"detector": detector} | change
            for detector in DETECTORS
            for change in ({}, {"kind": "backtrack", "precision": None})
        ]
        DETECTOR_SCORES.write(DETECTOR_SCORES.frame(scores), tmp_path / "scores")
        TRANSFER.write(TRANSFER.frame([]), tmp_path / "transfer")
        REPRODUCTION.write(REPRODUCTION.frame([]), tmp_path / "reproduction")
        main(
            scores_path=tmp_path / "scores",
            transfer_path=tmp_path / "transfer",
            reproduction_path=tmp_path / "reproduction",
            studies=[study.write(tmp_path) for study in studies],
            template_path=TEMPLATE,
            overview_paths=overview(tmp_path),
            comparison_paths=comparisons(tmp_path),
            page_path=tmp_path / "report.html",
            numbers_folder=tmp_path / "numbers",
            settings=Settings(examples=examples, seed=0),
            provenance=provenance,
        )
        return Page((tmp_path / "report.html").read_text(encoding="utf-8"))

    return render_studies
