"""Thoughts of an earlier run that are still valid: only what is new is generated.

Beside the traces of a shard stands their origin: a key of everything that decides what
is generated, and the digest of the traces file. A later run with the same key keeps the
rows whose prompt is the same token for token, and those of the shared store.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from doubletake.digests import file_digest
from doubletake.errors import InputError
from doubletake.files import write_whole
from doubletake.schemas.traces import TRACES
from doubletake.store import Store

TRACES_FILE = "traces.parquet"


def origin_key(settings: dict[str, Any], model_paths: Iterable[str | Path]) -> str:
    """SHA-256 of what decides the thoughts.

    Args:
        settings: whatever counts, as JSON can hold it.
        model_paths: files of a local model; a hub model is known by its revision.
    """
    files = [(Path(path).name, file_digest(path)) for path in sorted(model_paths)]
    text = json.dumps([settings, files], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


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


def write_origin(path: str | Path, key: str, traces_path: str | Path) -> None:
    """Say what the traces were made from; after they are complete."""
    origin = {"key": key, "traces": file_digest(traces_path)}
    write_whole(path, json.dumps(origin).encode())


def kept_traces(
    path: str | Path, key: str, traces_path: str | Path
) -> dict[str, dict[str, Any]]:
    """Rows of an earlier run with the same key, by trace id; none if there is none.

    Args:
        path: the origin beside the traces.
        key: of this run.
        traces_path: traces of the earlier run.
    """
    try:
        origin = json.loads(Path(path).read_text(encoding="utf-8"))
        if origin != {"key": key, "traces": file_digest(traces_path)}:
            return {}
        traces = TRACES.read(traces_path)
    except (OSError, ValueError, InputError):
        return {}  # nothing usable: all is generated anew
    return {row["trace"]: row for row in traces.iter_rows(named=True)}


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
