"""The manifest of a study: digests of inputs and results, config, versions, costs.

It is a JSON file beside the results. It holds the config of the study, the digests of
all inputs and results, and the time and device of each stage. Commit, package versions
and machine are those of the job that wrote the manifest. It is sealed
(`doubletake.running.seals`).
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from doubletake.running.digests import file_digest
from doubletake.running.errors import InputError
from doubletake.running.files import write_whole
from doubletake.running.home_paths import home_path
from doubletake.running.provenance import Provenance
from doubletake.running.seals import BLANK, MARK, read_sealed, sealed

FORMAT = 1
IGNORED = ("logs", "benchmarks", "manifest.json")
"""Files and folders beside the results that a manifest does not list."""
RAN_IN = "ran_in"
"""Key of the folder where Snakemake ran, from the manifest's folder."""
ABOVE = "../../.."
"""This folder above results/{model}/{dataset}. Also for a folder that does not hold the
results, because a manifest shows no paths of a machine."""


@dataclass(frozen=True)
class Manifest:
    """A manifest as read from its file."""

    path: Path
    content: dict[str, Any]

    @classmethod
    def read(cls, path: str | Path) -> "Manifest":
        """Read a manifest, and check its seal and its format.

        Raises:
            InputError: the file is missing, damaged or of another format.
        """
        data = read_sealed(path)
        try:
            content = json.loads(data)
        except ValueError as error:
            raise InputError(f"cannot read {path}: {error}") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise InputError(f"{path}: not a manifest of format {FORMAT}")
        return cls(Path(path), content)

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest itself."""
        return file_digest(self.path)

    @property
    def size(self) -> int:
        """Bytes of all results."""
        return sum(entry["bytes"] for entry in self.outputs.values())

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """Digest and size of each result, by path from the manifest's folder."""
        return self.content["outputs"]

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """Digest and size, or hub revision, of inputs, by their names in the config."""
        return self.content["inputs"]

    def wrong_outputs(self) -> Iterator[str]:
        """A sentence for each result that is missing or has changed."""
        folder = self.path.parent
        for name, entry in self.outputs.items():
            path = folder / name
            if not path.is_file():
                yield f"missing: {path}"
            elif difference := _difference(path, entry):
                yield f"changed: {path} ({difference})"

    def changed_inputs(self, workflow: Path) -> list[str]:
        """A sentence for each local input that has changed since the results were made.

        Args:
            workflow: folder of the workflow. An input that is not where Snakemake ran
                is looked for there.
        """
        changes = []
        for name, path in self._local_inputs(workflow).items():
            if path and (difference := _difference(path, self.inputs[name])):
                changes.append(f"input changed since: {path} ({difference})")
        return changes

    def missing_inputs(self, workflow: Path) -> list[str]:
        """Local inputs that do not exist here, so that they cannot be compared."""
        paths = self._local_inputs(workflow)
        return [name for name, path in paths.items() if path is None]

    def _local_inputs(self, workflow: Path) -> dict[str, Path | None]:
        """Current paths of the local inputs, found as a run would find them."""
        ran_in = self.content.get(RAN_IN, ABOVE)
        top = Path(os.path.abspath(self.path.parent / ran_in))
        return {
            name: next(
                filter(Path.is_file, (top / home_path(name), workflow / name)), None
            )
            for name, entry in self.inputs.items()
            if "sha256" in entry
        }

    def unlisted_files(self) -> list[str]:
        """Files in the study's folder that the manifest does not list."""
        folder = self.path.parent
        files = (path for path in folder.rglob("*") if path.is_file())
        names = (str(path.relative_to(folder)) for path in files)
        return sorted(
            name
            for name in names
            if name not in self.outputs and Path(name).parts[0] not in IGNORED
        )


def file_entries(paths: Iterable[str | Path], folder: str | Path) -> dict[str, Any]:
    """Digest and size of files, by their path relative to a folder."""
    return {
        os.path.relpath(path, folder): {
            "sha256": file_digest(path),
            "bytes": Path(path).stat().st_size,
        }
        for path in sorted(map(str, paths))
    }


def _difference(path: Path, entry: dict[str, Any]) -> str:
    """How a file differs from its entry in the manifest; empty if it is the same."""
    size = path.stat().st_size
    if size != entry["bytes"]:
        return f"{size} bytes instead of {entry['bytes']}"
    return "" if file_digest(path) == entry["sha256"] else "another SHA-256"


def manifest_content(
    *,
    study: dict[str, str],
    config: dict[str, Any],
    inputs: dict[str, Any],
    outputs: dict[str, Any],
    stages: list[dict[str, Any]],
    rules: list[dict[str, Any]],
    provenance: Provenance,
) -> dict[str, Any]:
    """The content of a manifest.

    Args:
        study: names of model and dataset.
        config: sections of the config, with defaults filled in.
        inputs: digest and size, or hub revision, of each input, by its name in the
            config.
        outputs: entries from `file_entries`.
        stages: rows of the table `RUNS` of all stages.
        rules: Snakemake's measurements of each rule: jobs, seconds, memory.
        provenance: commit, packages, machine and time of the job that writes it.
    """
    return {
        "format": FORMAT,
        "study": study,
        **asdict(provenance),
        "config": config,
        "inputs": inputs,
        "outputs": outputs,
        "stages": stages,
        "rules": rules,
    }


def write_manifest(content: dict[str, Any], path: str | Path) -> None:
    """Seal the content of a manifest and write it.

    Raises:
        InputError: the disk is full.
    """
    folder = Path(path).parent
    inside = not folder.is_absolute() and ".." not in folder.parts
    ran_in = os.path.relpath(".", folder) if inside else ABOVE
    # No blank after a colon: a seal's digest must follow its mark directly.
    text = json.dumps(
        content | {RAN_IN: ran_in, MARK: BLANK},
        indent=1,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    write_whole(path, sealed(f"{text}\n".encode()))
