"""Writes the manifest of a study: digests of its inputs and results, settings, costs.

Inputs
    outputs: all results of the study.
    inputs: the local files that the study was made from: model and its card, dataset,
        stop words, and published numbers. Labelled traces are not listed, because no
        result of a study depends on them, only `results/detector/`.
    runs: the tables `RUNS` of its stages.
    benchmarks: Snakemake's measurements of each rule, if there are any.

Outputs
    manifest: JSON, see `doubletake.running.manifests`.
"""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.running.digests import SCRIPTS
from doubletake.running.logs import job
from doubletake.running.manifests import file_entries, manifest_content, write_manifest
from doubletake.running.provenance import Provenance, benchmarks
from doubletake.study.outputs import StudyFiles
from doubletake.tables.runs import RUNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("write_manifest")


def inputs_of(settings: dict[str, Any], local: dict[str, Path]) -> dict[str, Any]:
    """Revisions of hub models and datasets, and digests of local files, by name."""
    sources = (settings[name] for name in ("model", "dataset"))
    revisions = {
        source["source"]: {"revision": source["revision"]}
        for source in sources
        if source["revision"] is not None
    }
    digests = {
        name: file_entries([path], path.parent)[path.name]
        for name, path in local.items()
    }
    return revisions | digests


def main(
    *,
    files: StudyFiles,
    model_paths: list[Path],
    dataset_paths: dict[str, Path],
    named_paths: dict[str, Path],
    manifest_path: Path,
    provenance: Provenance,
) -> None:
    """Compute all digests and write the manifest.

    Args:
        files: result files of the study.
        model_paths: files of a local model, and its card.
        dataset_paths: local files of the dataset, by their names in the config.
        named_paths: other inputs, by their names in the config or the declarations.
        manifest_path: path of the new manifest.
        provenance: provenance of this job.
    """
    settings = files.settings
    # Names are those of the config: a manifest must not show paths of a machine.
    local = {f"{settings['model']['source']}/{path.name}": path for path in model_paths}
    local |= dataset_paths | named_paths
    stages = [row for path in files.runs for row in RUNS.read(path).to_dicts()]
    content = manifest_content(
        study={"model": files.model, "dataset": files.dataset},
        config=settings,
        inputs=inputs_of(settings, local),
        outputs=file_entries(files.outputs, manifest_path.parent),
        stages=stages,
        rules=[asdict(rule) for rule in benchmarks(Path(files.benchmarks))],
        provenance=provenance,
    )
    logger.info("%d results", len(content["outputs"]))
    write_manifest(content, manifest_path)


def _by_name(names: list[str], paths: list[str]) -> dict[str, Path]:
    return {name: Path(path) for name, path in zip(names, paths, strict=True)}


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            files=StudyFiles(**snakemake.params.files),
            model_paths=[
                Path(path) for path in (*snakemake.input.model, *snakemake.input.card)
            ],
            dataset_paths=_by_name(
                snakemake.params.dataset_names, snakemake.input.dataset
            ),
            named_paths=_by_name(snakemake.params.names, snakemake.input.named),
            manifest_path=Path(snakemake.output.manifest),
            provenance=Provenance.here(SCRIPTS.parents[1]),
        )
