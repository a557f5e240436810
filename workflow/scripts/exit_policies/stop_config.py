"""The config of a study on the thoughts of a user's file, for exit rules."""

import re
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.user_files.column_options import named_columns

RESULTS = "results/stop"
UNSAFE = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True)
class StopRequest:
    """Thoughts and a model. Empty texts and None count as not given."""

    thoughts: str
    """File or folder."""
    model: str
    """Folder, or id on the hub."""
    revision: str = ""
    """Commit on the hub."""
    problems: str = ""
    """File with questions and golds."""
    columns: dict[str, str | None] = field(default_factory=dict)
    """Columns by role."""
    limit: int | None = None
    """Number of rows that are read."""
    dtype: str = "float32"
    device: str = "auto"
    results: str = RESULTS

    @classmethod
    def of(cls, given: Namespace) -> "StopRequest":
        """Read the command line.

        Raises:
            InputError: the limit is no number above 0, or the columns are no list.
        """
        limit = given.limit.strip()
        if limit and (not limit.isdecimal() or int(limit) == 0):
            raise InputError(f"LIMIT: {limit!r} is not a number of rows above 0")
        return cls(
            given.thoughts,
            given.model,
            given.revision,
            given.problems,
            named_columns(given.columns),
            int(limit) if limit else None,
            given.dtype or "float32",
            given.device or "auto",
            given.results or RESULTS,
        )

    @property
    def model_name(self) -> str:
        """Name of the model's folder of results."""
        return result_name(Path(self.model).name, "model")

    @property
    def dataset_name(self) -> str:
        """Name of the thoughts' folder of results."""
        name = Path(self.thoughts).name
        return result_name(name.partition(".")[0] or name, "thoughts")

    @property
    def folder(self) -> Path:
        """Folder of the study's results."""
        return Path(self.results).expanduser() / self.model_name / self.dataset_name


def result_name(text: str, otherwise: str) -> str:
    """A text as the name of a model or dataset in a config."""
    name = UNSAFE.sub("-", text.lower()).strip("-._")
    return name[:100].rstrip("-._") or otherwise


def stop_config(request: StopRequest) -> dict[str, Any]:
    """The keys that differ from the default config."""
    model: dict[str, Any] = {"source": request.model}
    model |= {"revision": request.revision} if request.revision else {}
    model |= {"dtype": request.dtype, "device": request.device}
    dataset: dict[str, Any] = {"source": request.thoughts, "thoughts": True}
    optional = {
        "problems": request.problems,
        "columns": request.columns,
        "limit": request.limit,
    }
    dataset |= {key: value for key, value in optional.items() if value}
    names = {"model": request.model_name, "dataset": request.dataset_name}
    return {
        "results": request.results,
        "studies": [names],
        "models": {request.model_name: model},
        "datasets": {request.dataset_name: dataset},
    }
