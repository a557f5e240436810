"""What a study leaves: the targets, the manifest and the page follow from it."""

from dataclasses import dataclass
from typing import Any

from doubletake.study import settings
from doubletake.study.registry import leaving, stages
from doubletake.study.shards import shard_names
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

UNSHOWN = ("studies", "models", "datasets")
"""Sections of the config of which a study has a part only."""


@dataclass(frozen=True)
class StudyFiles:
    """What a study left, and what it was made with."""

    model: str
    dataset: str
    folder: str
    """Of its results."""
    shards: list[str]
    settings: dict[str, Any]
    """Sections of the config; `model` and `dataset` with defaults filled in."""

    @property
    def outputs(self) -> list[str]:
        """Every result, the manifest apart."""
        return [
            f"{self.folder}/{name}"
            for stage in stages()
            for name in stage.files(self.shards)
        ]

    @property
    def runs(self) -> list[str]:
        """Tables of what each stage took."""
        return [f"{self.folder}/{RUNS.file(stage.name)}" for stage in leaving(RUNS)]

    @property
    def verification(self) -> list[str]:
        """Tables of how each stage verified itself."""
        found = leaving(VERIFICATION)
        return [f"{self.folder}/{VERIFICATION.file(stage.name)}" for stage in found]

    def figure(self, experiment: str, figure: str) -> str:
        """Path of a figure."""
        return f"{self.folder}/{experiment}/{figure}.svg"

    @property
    def manifest(self) -> str:
        """What the study was made of and what it left, with digests."""
        return f"{self.folder}/manifest.json"

    @property
    def benchmarks(self) -> str:
        """Folder of Snakemake's benchmark files; it may be missing."""
        return f"{self.folder}/benchmarks"


def study_files(
    config: dict[str, Any], sources: settings.Sources, study: dict[str, str]
) -> StudyFiles:
    """Files of a study of the config, below the folder where Snakemake runs."""
    return StudyFiles(
        **study,
        folder=f"results/{study['model']}/{study['dataset']}",
        shards=shard_names(config["shards"]),
        settings=shown_settings(config, sources, study),
    )


def outputs_of_all(config: dict[str, Any], sources: settings.Sources) -> list[str]:
    """Every result of every study of the config, with the manifests."""
    found = [study_files(config, sources, study) for study in config["studies"]]
    return [path for files in found for path in (*files.outputs, files.manifest)]


def shown_settings(
    config: dict[str, Any], sources: settings.Sources, study: dict[str, str]
) -> dict[str, Any]:
    """The config of a study as run.

    Sources stand as the config names them: a page tells no paths of a machine.
    """
    model, dataset = study["model"], study["dataset"]
    data = settings.dataset_settings(config, dataset, sources)
    unused = (*UNSHOWN, "generation") if data["thoughts"] else UNSHOWN
    prompt = {"answer_prompt": settings.answer_prompt(config, model)}
    return {
        "model": settings.model_settings(config, model, sources)
        | {"source": config["models"][model]["source"]},
        "dataset": data | {"source": config["datasets"][dataset]["source"]},
        **{name: part for name, part in config.items() if name not in unused},
        "early_exit": config["early_exit"] | prompt,
    }
