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

REFERENCE = "resources/reference"
"""Where the published numbers lie in the workflow."""


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
    stop_words_path: Path,
    published_paths: list[Path],
    manifest_path: Path,
    provenance: Provenance,
) -> None:
    """Digest everything, write the manifest."""
    settings = files.settings
    # By what the config calls them: a manifest tells no paths of a machine.
    local = {f"{settings['model']['source']}/{path.name}": path for path in model_paths}
    for path in dataset_paths:
        local[settings["dataset"]["source"]] = path
    local[settings["attribution"]["stop_words"]] = stop_words_path
    local |= {f"{REFERENCE}/{path.name}": path for path in published_paths}
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
            stop_words_path=Path(snakemake.input.stop_words),
            published_paths=[Path(path) for path in snakemake.input.published],
            manifest_path=Path(snakemake.output.manifest),
            provenance=Provenance.here(SCRIPTS.parents[1]),
        )
