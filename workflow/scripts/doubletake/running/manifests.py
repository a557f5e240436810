"""The manifest of a study: what it was made of, with what, and what it left.

A JSON file beside the results: the config as run, digests of every input and output,
what each stage took and on which device; commit, package versions and machine are those
of the job that wrote it. It is sealed (`doubletake.running.seals`).
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
from doubletake.running.provenance import Provenance
from doubletake.running.seals import BLANK, MARK, read_sealed, sealed

FORMAT = 1
UNLISTED = ("logs", "benchmarks", "manifest.json")


@dataclass(frozen=True)
class Manifest:
    """As read from its file."""

    path: Path
    content: dict[str, Any]

    @classmethod
    def read(cls, path: str | Path) -> "Manifest":
        """Read and check seal and shape.

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
        return sum(known["bytes"] for known in self.outputs.values())

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """Digest and size by path, relative to the manifest's folder."""
        return self.content["outputs"]

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """Digest and size, or hub revision, by source as the config names it."""
        return self.content["inputs"]

    def complaints(self) -> Iterator[str]:
        """What is not as the manifest says, one sentence each."""
        folder = self.path.parent
        for name, known in self.outputs.items():
            path = folder / name
            if not path.is_file():
                yield f"missing: {path}"
            elif difference := _difference(path, known):
                yield f"changed: {path} ({difference})"

    def changed_inputs(self, workflow: Path) -> list[str]:
        """Local inputs that are not what the results were made from, a sentence each.

        Args:
            workflow: its folder, where a source is looked for that does not lie where
                Snakemake ran.
        """
        found = []
        for name, path in self._local_inputs(workflow).items():
            if path and (difference := _difference(path, self.inputs[name])):
                found.append(f"input changed since: {path} ({difference})")
        return found

    def absent_inputs(self, workflow: Path) -> list[str]:
        """Local inputs that are not here, so that nobody can tell if they changed."""
        places = self._local_inputs(workflow)
        return [name for name, path in places.items() if path is None]

    def _local_inputs(self, workflow: Path) -> dict[str, Path | None]:
        """Where the local inputs lie now, as a run would find them."""
        # Snakemake ran above results/{model}/{dataset}.
        top = Path(os.path.abspath(self.path.parent / "../../.."))
        return {
            name: next(filter(Path.is_file, (top / name, workflow / name)), None)
            for name, known in self.inputs.items()
            if "sha256" in known
        }

    def strangers(self) -> list[str]:
        """Files in the folder of which the manifest does not speak."""
        folder = self.path.parent
        found = (path for path in folder.rglob("*") if path.is_file())
        names = (str(path.relative_to(folder)) for path in found)
        return sorted(
            name
            for name in names
            if name not in self.outputs and Path(name).parts[0] not in UNLISTED
        )


def entries(paths: Iterable[str | Path], folder: str | Path) -> dict[str, Any]:
    """Digest and size of files, by their path relative to a folder."""
    return {
        os.path.relpath(path, folder): {
            "sha256": file_digest(path),
            "bytes": Path(path).stat().st_size,
        }
        for path in sorted(map(str, paths))
    }


def _difference(path: Path, known: dict[str, Any]) -> str:
    """What tells a file from the one that the manifest knows; nothing if it is that."""
    size = path.stat().st_size
    if size != known["bytes"]:
        return f"{size} bytes instead of {known['bytes']}"
    return "" if file_digest(path) == known["sha256"] else "another SHA-256"


def build(
    *,
    study: dict[str, str],
    config: dict[str, Any],
    inputs: dict[str, Any],
    outputs: dict[str, Any],
    stages: list[dict[str, Any]],
    rules: list[dict[str, Any]],
    provenance: Provenance,
) -> dict[str, Any]:
    """The manifest's content.

    Args:
        study: names of model and dataset.
        config: its sections as run.
        inputs: digest and size, or hub revision, by source as the config names it.
        outputs: as of `entries`.
        stages: rows of `schemas.RUNS`: traces, tokens and seconds on which device.
        rules: Snakemake's measurements by rule: jobs, seconds, memory.
        provenance: commit, packages, machine, time of the job that writes it.
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


def write(content: dict[str, Any], path: str | Path) -> None:
    """Seal and write a manifest's content.

    Raises:
        InputError: the disk takes no more.
    """
    # No blank after a colon: a seal's mark and digest stand that close.
    text = json.dumps(
        content | {MARK: BLANK}, indent=1, ensure_ascii=False, separators=(",", ":")
    )
    write_whole(path, sealed(f"{text}\n".encode()))
