"""What was this study made of, with what, and what did it leave?

Inputs
    outputs: every result of the study.
    inputs: the local files that it was made from: model, dataset, stop words, and the
        published numbers that stand beside its own. (Labelled traces are none of them:
        they decide `results/detector/` and no result of a study.)
    runs: `schemas.RUNS` of its stages.
    benchmarks: what Snakemake measured of each rule, where it is there.

Outputs
    manifest: JSON, see `doubletake.running.manifests`.
"""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.running.digests import SCRIPTS
from doubletake.running.logs import job
from doubletake.running.manifests import build, entries, write
from doubletake.running.provenance import Provenance, benchmarks
from doubletake.study.outputs import StudyFiles
from doubletake.tables.runs import RUNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("write_manifest")


def inputs_of(settings: dict[str, Any], local: dict[str, Path]) -> dict[str, Any]:
    """Revisions of what came from the hub, digests of local files by their names."""
    sources = (settings[name] for name in ("model", "dataset"))
    revisions = {
        source["source"]: {"revision": source["revision"]}
        for source in sources
        if source["revision"] is not None
    }
    known = {
        name: entries([path], path.parent)[path.name] for name, path in local.items()
    }
    return revisions | known


def main(
    *,
    files: StudyFiles,
    model_paths: list[Path],
    dataset_paths: list[Path],
    named_paths: dict[str, Path],
    manifest_path: Path,
    provenance: Provenance,
) -> None:
    """Digest everything, write the manifest.

    Args:
        files: of the study.
        model_paths: files of a local model.
        dataset_paths: the file of a local dataset.
        named_paths: other files that the study was made from, by what the config or the
            declarations call them.
        manifest_path: where to.
        provenance: of this job.
    """
    settings = files.settings
    # By what the config calls them: a manifest tells no paths of a machine.
    local = {f"{settings['model']['source']}/{path.name}": path for path in model_paths}
    for path in dataset_paths:
        local[settings["dataset"]["source"]] = path
    local |= named_paths
    stages = [row for path in files.runs for row in RUNS.read(path).to_dicts()]
    content = build(
        study={"model": files.model, "dataset": files.dataset},
        config=settings,
        inputs=inputs_of(settings, local),
        outputs=entries(files.outputs, manifest_path.parent),
        stages=stages,
        rules=[asdict(rule) for rule in benchmarks(Path(files.benchmarks))],
        provenance=provenance,
    )
    logger.info("%d results", len(content["outputs"]))
    write(content, manifest_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            files=StudyFiles(**snakemake.params.files),
            model_paths=[Path(path) for path in snakemake.input.model],
            dataset_paths=[Path(path) for path in snakemake.input.dataset],
            named_paths={
                name: Path(path)
                for name, path in zip(
                    snakemake.params.names, snakemake.input.named, strict=True
                )
            },
            manifest_path=Path(snakemake.output.manifest),
            provenance=Provenance.here(SCRIPTS.parents[1]),
        )
