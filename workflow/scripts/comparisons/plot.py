"""Figures: each experiment, all studies in one figure.

Inputs
    tables: of every study, those that the comparisons read.

Outputs
    figures: one per experiment.
    numbers: the points of each figure as CSV.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparisons.figure import draw
from comparisons.places import all_rows
from doubletake.page.plots import save_figure
from doubletake.running.files import write_whole
from doubletake.running.logs import job
from doubletake.study.registry import experiments
from doubletake.study.study_tables import StudyTables

if TYPE_CHECKING:
    snakemake: Any


def main(
    *, studies: dict[str, Path], figures: dict[str, Path], numbers: dict[str, Path]
) -> None:
    """Read the tables of all studies, and draw.

    Args:
        studies: folders of the results, by name.
        figures: paths by experiment.
        numbers: paths of the CSV files by experiment.
    """
    tables = {name: StudyTables(folder) for name, folder in studies.items()}
    for experiment in experiments():
        comparison = experiment.comparison
        rows = all_rows(comparison.panels, tables)
        write_whole(numbers[experiment.name], rows.write_csv().encode())
        figure = draw(comparison, rows, list(studies))
        save_figure(figure, figures[experiment.name])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        names = [experiment.name for experiment in experiments()]
        main(
            studies={
                name: Path(folder) for name, folder in snakemake.params.studies.items()
            },
            figures=dict(zip(names, map(Path, snakemake.output.figures), strict=True)),
            numbers=dict(zip(names, map(Path, snakemake.output.numbers), strict=True)),
        )
