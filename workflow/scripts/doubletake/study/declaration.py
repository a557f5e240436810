"""What a stage or an experiment declares of itself, in the one place that says it.

Every folder of scripts whose results belong to a study holds a `declaration.py` with
one `Stage` or one `Experiment`. `doubletake.study.registry` finds it there. Targets,
`rule all`, the joining of shards, the manifest, the page and the documents follow.
"""

from dataclasses import dataclass

from doubletake.tables.table import Table


@dataclass(frozen=True)
class Figure:
    """A figure of an experiment."""

    name: str
    """Of its file, without suffix."""
    title: str
    caption: str
    """What is drawn, and what to look for; on the page and in Snakemake's report."""


@dataclass(frozen=True)
class Artifact:
    """A file that is neither a table nor a figure."""

    name: str
    """Path in the study's folder; `{shard}` stands for every shard."""
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A step on the way of the data, and all that it leaves in a study's folder."""

    name: str
    """Its folder among the scripts and among the results."""
    order: int
    """Its place in lists and on the page, from small to large."""
    title: str
    holds: str
    """What its results hold, one phrase."""
    tables: tuple[Table, ...]
    """Tables that one job writes as a whole."""
    shards: tuple[Table, ...] = ()
    """Tables that come in parts, one per shard; `shards/merge.py` joins them."""
    artifacts: tuple[Artifact, ...] = ()
    references: tuple[str, ...] = ()
    """Files of the repository that it reads, e.g. published numbers."""
    config_files: tuple[str, ...] = ()
    """Keys of the config that name a file it reads, e.g. `attribution.stop_words`."""

    @property
    def all_tables(self) -> tuple[Table, ...]:
        """Those in parts first."""
        return self.shards + self.tables

    @property
    def figures(self) -> tuple[Figure, ...]:
        """A stage draws nothing."""
        return ()

    def files(self, shards: list[str]) -> list[str]:
        """All that it leaves, by path in the study's folder.

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
    """What it asks, one sentence."""
    drawn: tuple[Figure, ...]
    """Its figures, in the order of the page."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """In the order of the page."""
        return self.drawn
