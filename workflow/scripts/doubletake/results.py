"""The door for your own work: tables, thoughts and activations of a finished study.

    study = open_study("results/pocket/pocket-problems")
    study.table("early_exit")                           # a polars frame
    study.trace("00000/0").text                         # one thought, with its events
    study.activations(kind="backtrack", layer=12)       # vectors, and whose they are

Nothing is changed, and every file is checked against its digest when it is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.digests import file_digest
from doubletake.running.errors import InputError
from doubletake.running.manifests import Manifest
from doubletake.study.study_tables import StudyTables

if TYPE_CHECKING:
    import numpy as np

PARTS = ("resid", "attn_out", "mlp_out")
"""Parts of the model whose outputs are cached."""


@dataclass(frozen=True)
class Thought:
    """One thought of a study."""

    row: dict[str, Any]
    """Its row of `traces`."""
    problem: dict[str, Any]
    """Its problem's row of `problems`."""
    events: pl.DataFrame
    """Its rows of `events`."""

    @property
    def text(self) -> str:
        """Text of the thought, without the answer that follows."""
        whole = str(self.row["text"])
        return whole[self.row["thought_start"] : self.row["thought_stop"]]

    @property
    def tokens(self) -> Iterator[tuple[int, str]]:
        """Index in the trace and text of every token of the completion."""
        offsets = [*self.row["offsets"], len(self.row["text"])]
        first = len(self.row["prompt_ids"])
        for k in range(len(offsets) - 1):
            yield first + k, self.row["text"][offsets[k] : offsets[k + 1]]


@dataclass(frozen=True)
class Activations:
    """Activations of events, and which events they are."""

    rows: pl.DataFrame
    """Rows of `events`, one per vector, with the column `position`: the token in the
    trace whose activations these are."""
    values: "np.ndarray"
    """[event, width], float32; without a layer [event, layer, width]."""


class Study:
    """The results of one study; files are read when they are asked for."""

    def __init__(self, folder: str | Path) -> None:
        """Take the folder of a study's results (`results/MODEL/DATASET`).

        Raises:
            InputError: the folder holds no results of a study.
        """
        self.folder = Path(folder)
        if not (self.folder / "traces.parquet").is_file():
            raise InputError(
                f"{folder} holds no results of a study: traces.parquet is missing"
            )
        self._tables = StudyTables(self.folder)

    @cached_property
    def tables(self) -> list[str]:
        """Names of the tables that have been made, in alphabetical order."""
        names = (n for n in self._tables if (self.folder / f"{n}.parquet").is_file())
        return sorted(names)

    @property
    def manifest(self) -> Manifest:
        """What made the study: config, digests, versions, machine, costs."""
        return Manifest.read(self.folder / "manifest.json")

    def table(self, name: str) -> pl.DataFrame:
        """A table by its name, such as `early_exit` or `attribution/words`.

        docs/tables.md explains all columns with their units.

        Raises:
            InputError: there is no such table, or it has not been made or is damaged.
        """
        if name not in self._tables:
            raise InputError(f"there is no table {name}; {self.folder} has: {self}")
        return self._tables[name]

    def trace(self, name: str) -> Thought:
        """A thought by its id, such as `00000/0`.

        Raises:
            InputError: the study has no thought of this id.
        """
        rows = self.table("traces").filter(pl.col("trace") == name)
        if rows.is_empty():
            raise InputError(f"{self.folder} has no thought {name}")
        row = rows.row(0, named=True)
        problems = self.table("problems").filter(pl.col("problem") == row["problem"])
        events = self.table("events").filter(pl.col("trace") == name)
        return Thought(row, problems.row(0, named=True), events)

    def activations(
        self, *, kind: str, layer: int | None = None, part: str = "resid"
    ) -> Activations:
        """Cached activations at all events of a kind.

        Args:
            kind: `arrival`, `backtrack`, `wrap_up` or `control`. The activations of an
                arrival are those of its last token; of a sentence, those of the token
                before it, which predicts it.
            layer: 0, 1, ...; of `resid` the boundary: l is the input of layer l, the
                last one that of the final norm. None: all of them.
            part: of `PARTS`.

        Raises:
            InputError: an unknown kind, part or layer; the cache is missing, damaged,
                or was made from other events.
        """
        events = self.table("events")
        kinds = events["kind"].unique().sort().to_list()
        if kind not in kinds:
            raise InputError(f"no event is a {kind}; kinds: {', '.join(kinds)}")
        if part not in PARTS:
            raise InputError(f"part is {part}, not one of {', '.join(PARTS)}")
        cache = self._cache
        count = cache.n_layers + (part == "resid")
        if layer is not None and not 0 <= layer < count:
            raise InputError(f"layer is {layer}, not one of 0 to {count - 1} ({part})")
        index = cache.index.select("trace", "event", position="token")
        rows = events.filter(pl.col("kind") == kind).join(
            index, on=["trace", "event"], how="inner", maintain_order="left"
        )
        values = cache.read(part, rows, layer).float().numpy()
        return Activations(rows, values)

    @cached_property
    def _cache(self) -> Any:
        """The activation cache, if it was made from the events of this folder."""
        reading = import_module("activations.reading")
        folder = self.folder / "activations"
        shards = sorted(folder.glob("*.safetensors"))
        if not shards:
            raise InputError(
                f"{folder} holds no activations. Run: snakemake activations"
            )
        files = import_module("doubletake.tensors.row_files")
        made = files.RowReader(shards[0], {}).metadata
        events = file_digest(self.folder / "events.parquet")
        origin = reading.Origin(made["source"], made["revision"], made["dtype"], events)
        return reading.ActivationCache(folder / "index.parquet", shards, origin)

    def __str__(self) -> str:
        """Names of the tables."""
        return ", ".join(self.tables)

    def __repr__(self) -> str:
        """Folder and number of tables."""
        return f"Study({str(self.folder)!r}, {len(self.tables)} tables)"


def open_study(folder: str | Path) -> Study:
    """Open the results of a study.

    Args:
        folder: `results/MODEL/DATASET`.

    Raises:
        InputError: the folder holds no results of a study.
    """
    return Study(folder)
