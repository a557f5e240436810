"""Figures: four questions, each with all studies side by side.

Inputs
    tables: of every study, those of `TABLES`.

Outputs
    holds, stops, turns, helps: the figures.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.page.plots import save_figure
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from doubletake.study.study_tables import StudyTables
from overview.panels import PANELS, Drawn, draw
from overview.settings import TABLES

if TYPE_CHECKING:
    snakemake: Any


def main(
    *, studies: dict[str, Path], figures: dict[str, Path], intervals: IntervalSettings
) -> None:
    """Read the tables of all studies, and draw.

    Args:
        studies: folders of the results, by name.
        figures: paths by question.
        intervals: coverage, and fewest problems with an interval.
    """
    drawn = []
    for number, (name, folder) in enumerate(studies.items()):
        tables = StudyTables(folder)
        read = {table: tables[table] for table in TABLES}
        drawn.append(Drawn(name, read, intervals, number))
    for question in PANELS:
        save_figure(draw(question, drawn), figures[question])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            studies={
                name: Path(folder) for name, folder in snakemake.params.studies.items()
            },
            figures={name: Path(snakemake.output[name]) for name in PANELS},
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
