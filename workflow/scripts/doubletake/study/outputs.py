"""What a study leaves, and what of it the report reads: the one list of both.

The targets, the manifest and the page follow from it.
"""

from dataclasses import dataclass
from typing import Any

from doubletake.study import settings as studies
from doubletake.study.experiments import (
    ARTIFACTS,
    CHECKED,
    EXPERIMENTS,
    STAGES,
    TABLES,
)
from doubletake.study.shards import shard_names

SECTIONS = (
    "shards",
    "batch_memory",
    "verification",
    "intervals",
    "events",
    "activations",
    "turns",
    "logit_lens",
    "probing",
    "value_vectors",
    "attribution",
    "report",
)
"""Of the config, shown as they stand."""


@dataclass(frozen=True)
class StudyFiles:
    """What a study left, and what it was made with."""

    model: str
    dataset: str
    tables: dict[str, str]
    """Path by name of `schemas`."""
    runs: list[str]
    verification: list[str]
    figures: dict[str, dict[str, str]]
    """Path by name of the experiment and of the figure."""
    artifacts: list[str]
    """What else the study leaves: tensors, and tables that the page does not read."""
    manifest: str
    """What the study was made of and what it left, with digests."""
    benchmarks: str
    """Folder of Snakemake's benchmark files; it may be missing."""
    settings: dict[str, Any]
    """Sections of the config; `model` and `dataset` with defaults filled in."""

    @property
    def outputs(self) -> list[str]:
        """Every result, the manifest apart."""
        figures = [path for named in self.figures.values() for path in named.values()]
        tables = self.tables.values()
        return [*tables, *self.runs, *self.verification, *figures, *self.artifacts]


def study_files(
    config: dict[str, Any],
    sources: studies.Sources,
    study: dict[str, str],
    folder: str,
) -> StudyFiles:
    """Files of a study of the config, whose results lie in `folder`."""
    imported = config["datasets"][study["dataset"]].get("thoughts", False)
    # Imported thoughts are read in one piece.
    shards = shard_names(1 if imported else config["shards"])
    return StudyFiles(
        **study,
        tables={name: f"{folder}/{name}.parquet" for name in TABLES},
        runs=[f"{folder}/traces/{shard}.runs.parquet" for shard in shards]
        + [f"{folder}/{stage}/runs.parquet" for stage in STAGES],
        verification=[f"{folder}/{stage}/verification.parquet" for stage in CHECKED],
        figures={
            section.name: {
                figure.name: f"{folder}/{section.name}/{figure.name}.svg"
                for figure in section.figures
            }
            for section in EXPERIMENTS
        },
        artifacts=[
            f"{folder}/activations/{shard}.safetensors"
            for shard in shard_names(config["shards"])
        ]
        + [f"{folder}/{name}" for name in ARTIFACTS],
        manifest=f"{folder}/manifest.json",
        benchmarks=f"{folder}/benchmarks",
        settings=shown_settings(config, sources, study),
    )


def shown_settings(
    config: dict[str, Any], sources: studies.Sources, study: dict[str, str]
) -> dict[str, Any]:
    """The config of a study as run.

    Sources stand as the config names them: a page tells no paths of a machine.
    """
    model, dataset = study["model"], study["dataset"]
    data = studies.dataset_settings(config, dataset, sources)
    prompt = studies.early_exit_settings(config, model)["answer_prompt"]
    sections = [*SECTIONS]
    sections += [] if data["thoughts"] else ["generation"]
    return {
        "model": studies.model_settings(config, model, sources)
        | {"source": config["models"][model]["source"]},
        "dataset": data | {"source": config["datasets"][dataset]["source"]},
        **{name: config[name] for name in sections},
        "early_exit": config["early_exit"] | {"answer_prompt": prompt},
    }
