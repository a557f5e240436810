"""What was this study made of, with what, and what did it leave?

Inputs
    outputs: every result of the study.
    inputs: the local files that it was made from.
    runs: `schemas.RUNS` of its stages.
    benchmarks: what Snakemake measured of each rule, where it is there.

Outputs
    manifest: JSON, see `doubletake.manifests`.
"""

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.digests import SCRIPTS
from doubletake.files import write_whole
from doubletake.logs import job
from doubletake.manifests import build, entries
from doubletake.page.report_files import StudyFiles
from doubletake.provenance import Provenance, benchmarks
from doubletake.schemas.runs import RUNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("write_manifest")


def inputs_of(
    files: StudyFiles, model_paths: list[Path], dataset_paths: list[Path]
) -> dict[str, Any]:
    """Digests of local inputs by their place in the source, revisions of others."""
    found: dict[str, Any] = {}
    for name, paths in (("model", model_paths), ("dataset", dataset_paths)):
        source = files.settings[name]
        if source["revision"] is not None:
            found[source["source"]] = {"revision": source["revision"]}
        for path in paths:
            place = source["source"] if name == "dataset" else path.name
            key = place if name == "dataset" else f"{source['source']}/{place}"
            found[key] = entries([path], path.parent)[path.name]
    return found


def main(
    *,
    files: StudyFiles,
    model_paths: list[Path],
    dataset_paths: list[Path],
    manifest_path: Path,
    provenance: Provenance,
) -> None:
    """Digest everything, write the manifest."""
    stages = [row for path in files.runs for row in RUNS.read(path).to_dicts()]
    content = build(
        study={"model": files.model, "dataset": files.dataset},
        config=files.settings,
        inputs=inputs_of(files, model_paths, dataset_paths),
        outputs=entries(files.outputs, manifest_path.parent),
        stages=stages,
        rules=[asdict(rule) for rule in benchmarks(Path(files.benchmarks))],
        provenance=provenance,
    )
    logger.info("%d results", len(content["outputs"]))
    text = json.dumps(content, indent=1, ensure_ascii=False)
    write_whole(manifest_path, f"{text}\n".encode())


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            files=StudyFiles(**snakemake.params.files),
            model_paths=[Path(path) for path in snakemake.input.model],
            dataset_paths=[Path(path) for path in snakemake.input.dataset],
            manifest_path=Path(snakemake.output.manifest),
            provenance=Provenance.here(SCRIPTS.parents[1]),
        )
