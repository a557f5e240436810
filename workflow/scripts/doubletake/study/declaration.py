"""Declarations: the results of a stage or an experiment, listed in one place.

Every stage's folder of scripts holds a `declaration.py` with one `Stage` or one
`Experiment`. `doubletake.study.registry` finds it there. From it follow the targets,
`rule all`, the merges of shards, the manifest, the page and the documents.
"""

from dataclasses import dataclass

from doubletake.study.comparisons import Comparison
from doubletake.tables.table import Table


@dataclass(frozen=True)
class Figure:
    """A figure of an experiment."""

    name: str
    """Name of its file, without suffix."""
    title: str
    caption: str
    """Explains the figure, on the page and in Snakemake's report."""


@dataclass(frozen=True)
class Artifact:
    """A result file that is neither a table nor a figure."""

    name: str
    """Path in the study's folder; `{shard}` stands for every shard."""
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A step of the workflow, and its result files in a study's folder."""

    name: str
    """Name of its folders of scripts and of results."""
    order: int
    """Position in lists and on the page; smaller numbers come first."""
    title: str
    holds: str
    """Content of its results, in one phrase."""
    tables: tuple[Table, ...]
    """Tables that one job writes completely."""
    shards: tuple[Table, ...] = ()
    """Tables with a part per shard; `shards/merge.py` joins the parts."""
    figures: tuple[Figure, ...] = ()
    """Figures in the order of the page. Only an experiment has figures."""
    artifacts: tuple[Artifact, ...] = ()
    references: tuple[str, ...] = ()
    """Files of the repository that its scripts read, e.g. published numbers."""
    config_files: tuple[str, ...] = ()
    """Config keys that name a file its scripts read, e.g. `attribution.stop_words`."""

    @property
    def all_tables(self) -> tuple[Table, ...]:
        """All tables, first the tables with a part per shard."""
        return self.shards + self.tables

    def files(self, shards: list[str]) -> list[str]:
        """All result files, by path in the study's folder.

        Args:
            shards: names of the study's shards.
        """
        return [
            *(table.file(self.name) for table in self.all_tables),
            *(f"{self.name}/{figure.name}.svg" for figure in self.figures),
            *(
                artifact.name.format(shard=shard)
                for artifact in self.artifacts
                for shard in (shards if "{shard}" in artifact.name else [""])
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class Experiment(Stage):
    """A question that a study answers, with figures and a section of the page."""

    question: str
    """The question, in one sentence."""
    comparison: Comparison
    """The figure of all studies; drawn where the config has several."""
