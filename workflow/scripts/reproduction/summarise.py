"""Do published numbers hold in the studies, by the published recipe and by ours?

Inputs
    published, exits, attribution: published claims (`resources/reference`).
    tables: the tables of all studies that a claim reads.
    other: the same tables and the manifest of a run by the published recipe, if there
        is one.

Outputs
    reproduction: a row per study, claim and recipe (`REPRODUCTION`).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.running.logs import job
from doubletake.study.study_tables import StudyTables
from reproduction.claims import all_claims
from reproduction.other_run import is_published_recipe, read_other
from reproduction.published import References
from reproduction.run import Run
from reproduction.table_rows import rows_of
from reproduction.tables import OURS, PUBLISHED, REPRODUCTION

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_reproduction")
NO_OTHER = (
    "reproduction.published_recipe names no run; config/published-recipe.yaml makes one"
)


@dataclass(frozen=True)
class Settings:
    """What the reproduction reads of the config."""

    studies: list[str]
    """Names of the studies: model/dataset."""
    folders: list[str]
    """Folder of the results of each study."""
    sections: list[dict[str, Any]]
    """Of each study: sections of the config that say by which recipe it was made."""
    published_recipe: str | None
    """Folder of the results of a run by the published recipe."""


def runs_of(
    name: str, folder: str, sections: dict[str, Any], other: str | None
) -> dict[str, Run | str]:
    """The run of each recipe; why there is none otherwise.

    Args:
        name: of the study.
        folder: of its results.
        sections: of its config.
        other: folder of the results of a run by the published recipe.

    Raises:
        InputError: the other run was made by another recipe, or of other thoughts.
    """
    published = is_published_recipe(sections)
    own = Run(StudyTables(Path(folder)), sections, published)
    if published:
        return {PUBLISHED: own, OURS: "this study is by the published recipe"}
    found = None if other is None else read_other(Path(other), name, sections)
    missing = NO_OTHER if other is None else f"{other} has no run of this study"
    return {PUBLISHED: found or missing, OURS: own}


def main(
    *,
    published_path: Path,
    exits_path: Path,
    attribution_path: Path,
    reproduction_path: Path,
    settings: Settings,
) -> None:
    """Read the published claims and all runs, judge every claim, write the table."""
    references = References.read(published_path, exits_path, attribution_path)
    claims, rows = all_claims(references), []
    studies = zip(settings.studies, settings.folders, settings.sections, strict=True)
    for name, folder, sections in studies:
        runs = runs_of(name, folder, sections, settings.published_recipe)
        rows += rows_of(name, claims, references, runs)
    REPRODUCTION.write(REPRODUCTION.frame(rows), reproduction_path)
    logger.info("%d claims, %d studies", len(claims), len(settings.studies))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            published_path=Path(snakemake.input.published),
            exits_path=Path(snakemake.input.exits),
            attribution_path=Path(snakemake.input.attribution),
            reproduction_path=Path(snakemake.output.reproduction),
            settings=Settings(**snakemake.params.settings),
        )
