"""The result files of a study, and the part of the config that made them."""

from dataclasses import dataclass
from typing import Any

from doubletake.study import settings
from doubletake.study.registry import stages, stages_with
from doubletake.study.shards import shard_names
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

NOT_SHOWN = ("results", "studies", "models", "datasets")
"""Keys of the config that say where results lie, or hold entries of several studies."""


@dataclass(frozen=True)
class StudyFiles:
    """The result files of a study, and its settings."""

    model: str
    dataset: str
    folder: str
    """Folder of its results."""
    shards: list[str]
    settings: dict[str, Any]
    """Sections of the config; `model` and `dataset` with defaults filled in."""

    @property
    def outputs(self) -> list[str]:
        """All result files except the manifest."""
        return [
            f"{self.folder}/{name}"
            for stage in stages()
            for name in stage.files(self.shards)
        ]

    @property
    def runs(self) -> list[str]:
        """Tables of runs, one per stage that writes one."""
        return [f"{self.folder}/{RUNS.file(stage.name)}" for stage in stages_with(RUNS)]

    @property
    def verification(self) -> list[str]:
        """Tables of verification, one per stage that writes one."""
        verified = stages_with(VERIFICATION)
        return [f"{self.folder}/{VERIFICATION.file(one.name)}" for one in verified]

    def figure(self, experiment: str, figure: str) -> str:
        """Path of a figure."""
        return f"{self.folder}/{experiment}/{figure}.svg"

    @property
    def manifest(self) -> str:
        """Path of the manifest: inputs and results with digests."""
        return f"{self.folder}/manifest.json"

    @property
    def benchmarks(self) -> str:
        """Folder of Snakemake's benchmark files, which may be missing."""
        return f"{self.folder}/benchmarks"


def study_files(
    config: dict[str, Any], sources: settings.Sources, study: dict[str, str]
) -> StudyFiles:
    """Files of a study, as paths from the folder where Snakemake runs."""
    return StudyFiles(
        **study,
        folder=f"{config['results']}/{study['model']}/{study['dataset']}",
        shards=shard_names(config["shards"]),
        settings=shown_settings(config, sources, study),
    )


def shown_settings(
    config: dict[str, Any], sources: settings.Sources, study: dict[str, str]
) -> dict[str, Any]:
    """The part of the config that belongs to a study, with defaults filled in.

    Sources are named as in the config, so that a page shows no paths of a machine.
    """
    model, dataset = study["model"], study["dataset"]
    data = settings.dataset_settings(config, dataset, sources)
    unused = (*NOT_SHOWN, "generation") if data["thoughts"] else NOT_SHOWN
    prompt = {"answer_prompt": settings.answer_prompt(config, model)}
    return {
        "model": settings.model_settings(config, model, sources)
        | {"source": config["models"][model]["source"]},
        "dataset": data
        | {"problems": None}
        | {
            key: config["datasets"][dataset][key]
            for key in ("source", "problems")
            if key in config["datasets"][dataset]
        },
        **{name: part for name, part in config.items() if name not in unused},
        "early_exit": config["early_exit"] | prompt,
    }
