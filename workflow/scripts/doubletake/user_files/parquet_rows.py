"""Rows of Parquet files."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.user_rows import short
from doubletake.user_files.opening import MOST_BYTES, opened

MOST_ROWS = 10_000_000
ROWS_AT_ONCE = 16


def parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Location and content of each row.

    A few rows are decompressed at a time, because a file may hide its size.

    Raises:
        InputError: the file cannot be read, or is too large.
    """
    import pyarrow  # slow to import, and only Parquet needs it
    from pyarrow import parquet

    try:
        # Parquet is read from its end; a gzipped file is first written out for this.
        with opened(path) as stream, tempfile.TemporaryFile() as whole:
            seekable = stream.seekable()
            if not seekable:
                shutil.copyfileobj(stream, whole)
            with parquet.ParquetFile(stream if seekable else whole) as file:
                _check_size(path, file.metadata)
                number = 0
                for batch in file.iter_batches(ROWS_AT_ONCE):
                    batch.validate(full=True)
                    for row in batch.to_pylist():
                        number += 1
                        yield f"{path}, row {number}", row
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise InputError(f"cannot read {path}: {short(str(error))}") from error


def _check_size(path: Path, metadata: Any) -> None:
    """Refuse a file by the size that its metadata name, before it is decompressed."""
    groups = range(metadata.num_row_groups)
    size = sum(metadata.row_group(group).total_byte_size for group in groups)
    if metadata.num_rows > MOST_ROWS or size > MOST_BYTES:
        raise InputError(
            f"{path}: {metadata.num_rows:,} rows of {size / 2**30:,.1f} GiB "
            f"decompressed; the limits are {MOST_ROWS:,} rows and "
            f"{MOST_BYTES / 2**30:.0f} GiB"
        )
