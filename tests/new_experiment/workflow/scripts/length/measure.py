"""Are long thoughts right less often?

Inputs
    traces: `TRACES`.

Outputs
    table: `LENGTH`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.logs import job
from length.tables import LENGTH
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any


def by_length(traces: pl.DataFrame, parts: int) -> pl.DataFrame:
    """Rows of `LENGTH`: parts of equal counts, from short to long thoughts."""
    rows = traces.with_columns(tokens=pl.col("completion_ids").list.len())
    rows = rows.sort("tokens", "trace").with_row_index("rank")
    part = (pl.col("rank") * parts // max(rows.height, 1)).cast(pl.Int32)
    return (
        rows.group_by(part=part)
        .agg(
            thoughts=pl.len().cast(pl.Int32),
            tokens=pl.col("tokens").mean(),
            accuracy=pl.col("correct").mean(),
        )
        .sort("part")
    )


def main(*, traces_path: Path, table_path: Path, parts: int) -> None:
    """Read the traces, write the table."""
    LENGTH.write(by_length(TRACES.read(traces_path), parts), table_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            table_path=Path(snakemake.output.table),
            parts=snakemake.params.parts,
        )
