"""Thoughts of an earlier run that are still valid: only what is new is generated.

In a folder beside the traces of a shard stands another name of their file, which no
rule knows of and Snakemake therefore never removes, and their origin: a key of
everything that decides what is generated, and the digest of the file. A later run with
the same key keeps the rows whose prompt is the same token for token, and those of the
shared store.
"""

import json
from pathlib import Path
from typing import Any

import polars as pl

from doubletake.running.digests import file_digest
from doubletake.running.errors import InputError
from doubletake.running.files import link_or_copy, replacing, write_whole
from doubletake.running.store import Store
from traces.tables import TRACES

TRACES_FILE = "traces.parquet"
EARLIER = ".earlier"
"""Folder of what a shard's next run may keep."""


def stored_traces(store: Store, key: str) -> dict[str, dict[str, Any]]:
    """Rows that any run with this key has put into the store, by trace id."""
    rows: dict[str, dict[str, Any]] = {}
    for path in store.entries(f"traces/{key}", TRACES_FILE):
        try:
            traces = TRACES.read(path)
        except InputError:
            if path.exists():
                raise
            continue  # it has gone in the meantime
        rows |= {row["trace"]: row for row in traces.iter_rows(named=True)}
    return rows


def store_traces(store: Store, key: str, traces_path: Path, new: pl.DataFrame) -> None:
    """Put a shard's traces into the store, if some of them are new."""
    if new.height:
        entry = file_digest(traces_path)
        store.keep(f"traces/{key}", entry, {TRACES_FILE: traces_path})


def keep_traces(key: str, traces_path: Path) -> None:
    """Keep a shard's traces for later runs, which Snakemake makes without old outputs.

    Args:
        key: of this run.
        traces_path: the complete traces; the kept file is linked to it if it can be.
    """
    kept, origin = _kept_files(traces_path)
    kept.parent.mkdir(exist_ok=True)
    with replacing(kept) as partial:
        link_or_copy(traces_path, partial)
    told = {"key": key, "traces": file_digest(kept)}
    write_whole(origin, json.dumps(told).encode())


def earlier_traces(key: str, traces_path: Path) -> dict[str, dict[str, Any]]:
    """Rows that an earlier run with the same key kept, by trace id; none if it did not.

    Args:
        key: of this run.
        traces_path: where this run is to write its traces.
    """
    kept, origin = _kept_files(traces_path)
    try:
        told = json.loads(origin.read_text(encoding="utf-8"))
        if told != {"key": key, "traces": file_digest(kept)}:
            return {}
        traces = TRACES.read(kept)
    except (OSError, ValueError, InputError):
        return {}  # nothing usable: all is generated anew
    return {row["trace"]: row for row in traces.iter_rows(named=True)}


def _kept_files(traces_path: Path) -> tuple[Path, Path]:
    """Where a shard's traces are kept, and what they were made from."""
    folder = traces_path.parent / EARLIER
    return folder / traces_path.name, folder / f"{traces_path.stem}.origin.json"


def with_kept(
    order: list[str], kept: dict[str, dict[str, Any]], new: pl.DataFrame
) -> pl.DataFrame:
    """Kept and new rows in one table.

    Args:
        order: ids of all traces wanted, some of which may be in neither.
        kept: rows by id.
        new: `schemas.TRACES`.
    """
    rows = kept | {row["trace"]: row for row in new.iter_rows(named=True)}
    return TRACES.frame([rows[trace] for trace in order if trace in rows])
