"""Traces of earlier runs that are still valid: only new traces are generated.

Traces are kept in two places. One is the folder `.earlier` beside the traces of a
shard: it holds a hard link to their file, which Snakemake does not know and therefore
never removes, and an origin file with a key and the digest of the traces. The key
stands for everything that decides what is generated. The other place is the shared
store.

A later run with the same key keeps the rows whose prompt has the same tokens.
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
KEPT_FOLDER = ".earlier"
"""Folder beside a shard's traces, for the shard's next run."""


def rows_in_store(store: Store, key: str) -> dict[str, dict[str, Any]]:
    """Rows that runs with this key have put into the store, by trace id."""
    rows: dict[str, dict[str, Any]] = {}
    for path in store.entries(f"traces/{key}", TRACES_FILE):
        try:
            traces = TRACES.read(path)
        except InputError:
            if path.exists():
                raise
            continue  # another process removed it in the meantime
        rows |= {row["trace"]: row for row in traces.iter_rows(named=True)}
    return rows


def add_to_store(store: Store, key: str, traces_path: Path, new: pl.DataFrame) -> None:
    """Put a shard's traces into the store, if some of them are new."""
    if new.height:
        entry = file_digest(traces_path)
        store.keep(f"traces/{key}", entry, {TRACES_FILE: traces_path})


def keep_for_next_run(key: str, traces_path: Path) -> None:
    """Keep a shard's traces, because Snakemake removes outputs before a rule runs.

    Args:
        key: of this run.
        traces_path: the complete traces; the kept file is a hard link to them, or a
            copy where the file system has no links.
    """
    kept, origin = _kept_files(traces_path)
    kept.parent.mkdir(exist_ok=True)
    with replacing(kept) as partial:
        link_or_copy(traces_path, partial)
    content = {"key": key, "traces": file_digest(kept)}
    write_whole(origin, json.dumps(content).encode())


def rows_of_last_run(key: str, traces_path: Path) -> dict[str, dict[str, Any]]:
    """Rows that the shard's last run kept, by trace id.

    There are no rows if the last run had another key, or if its files are missing or
    damaged: then all traces are generated again.

    Args:
        key: of this run.
        traces_path: where this run writes its traces.
    """
    kept, origin = _kept_files(traces_path)
    try:
        content = json.loads(origin.read_text(encoding="utf-8"))
        if content != {"key": key, "traces": file_digest(kept)}:
            return {}
        traces = TRACES.read(kept)
    except (OSError, ValueError, InputError):
        return {}
    return {row["trace"]: row for row in traces.iter_rows(named=True)}


def checkpoint_path(traces_path: Path) -> Path:
    """Where the checkpoint of a shard lies while its traces are generated."""
    name = f"{traces_path.stem}.checkpoint.safetensors"
    return traces_path.parent / KEPT_FOLDER / name


def _kept_files(traces_path: Path) -> tuple[Path, Path]:
    """The kept traces of a shard, and their origin file."""
    folder = traces_path.parent / KEPT_FOLDER
    return folder / traces_path.name, folder / f"{traces_path.stem}.origin.json"


def join_rows(
    order: list[str], kept: dict[str, dict[str, Any]], new: pl.DataFrame
) -> pl.DataFrame:
    """Kept and new rows in one table.

    Args:
        order: ids of all wanted traces; traces that have no row are left out.
        kept: rows by trace id.
        new: rows of `TRACES`.
    """
    rows = kept | {row["trace"]: row for row in new.iter_rows(named=True)}
    return TRACES.frame([rows[trace] for trace in order if trace in rows])
