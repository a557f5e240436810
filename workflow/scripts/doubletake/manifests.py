"""The manifest of a study: what it was made of, with what, and what it left.

A JSON file beside the results: the config as run, digests of every input and output,
package versions, hardware, commit, and what each stage took.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from doubletake.digests import file_digest
from doubletake.errors import InputError
from doubletake.provenance import Provenance

FORMAT = 1
UNLISTED = ("logs", "benchmarks", "manifest.json")


@dataclass(frozen=True)
class Manifest:
    """As read from its file."""

    path: Path
    content: dict[str, Any]

    @classmethod
    def read(cls, path: str | Path) -> "Manifest":
        """Read and check the shape.

        Raises:
            InputError: the file is missing, damaged or of another format.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
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

    def complaints(self) -> Iterator[str]:
        """What is not as the manifest says, one sentence each."""
        folder = self.path.parent
        for name, known in self.outputs.items():
            path = folder / name
            if not path.is_file():
                yield f"missing: {path}"
            elif path.stat().st_size != known["bytes"]:
                size = path.stat().st_size
                yield f"changed: {path} ({size} bytes instead of {known['bytes']})"
            elif file_digest(path) != known["sha256"]:
                yield f"changed: {path} (another SHA-256)"

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
        inputs: digest and size, or hub revision, by source.
        outputs: as of `entries`.
        stages: rows of `schemas.RUNS`: traces, tokens and seconds on which device.
        rules: Snakemake's measurements by rule: jobs, seconds, memory.
        provenance: commit, packages, machine, time.
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
