"""The tables of this experiment while it runs, and how they are written."""

from pathlib import Path
from typing import Any

import polars as pl

from doubletake.stats.verification import Largest
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import (
    VERIFICATION,
    VerificationRow,
    verification_of,
)
from value_vectors.alignment import alignment_table
from value_vectors.causal_check import CheckResults
from value_vectors.tables import (
    VALUE_VECTOR_ALIGNMENT,
    VALUE_VECTOR_INTERVENTIONS,
    VALUE_VECTOR_SETS,
    VALUE_VECTOR_UNITS,
    VALUE_VECTORS,
)

STAGE = "value_vectors"
# ASSUME: so close a direction has about the same largest cosines; chosen by hand.
NULL_BOUND = 0.1  # 1 - cosine


class Results:
    """Tables of the layers measured so far, and the error of the null directions."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self.vectors: list[dict[str, Any]] = []
        self.alignment: list[dict[str, Any]] = []
        self.units = [VALUE_VECTOR_UNITS.schema.to_frame()]
        self.null_error = Largest()
        self.check = CheckResults()

    def verification(self, dtype: str) -> pl.DataFrame:
        """The table `verification`."""
        null = VerificationRow(
            check="directions of shuffled labels in one step against complete fits",
            statistic="largest 1 - cosine",
            value=self.null_error.value,
            unit="1 - cosine",
            n=self.null_error.n,
            bound=NULL_BOUND,
            merge="max",
        )
        return verification_of(STAGE, [*self.check.verification(dtype), null])

    def write(self, paths: dict[str, Path], dtype: str, run: pl.DataFrame) -> None:
        """Write all tables, by their names in `paths`."""
        VALUE_VECTOR_ALIGNMENT.write(
            alignment_table(self.alignment), paths["alignment"]
        )
        VALUE_VECTOR_UNITS.write(pl.concat(self.units), paths["units"])
        VALUE_VECTOR_SETS.write(self.check.sets, paths["sets"])
        VALUE_VECTOR_INTERVENTIONS.write(self.check.table, paths["interventions"])
        VERIFICATION.write(self.verification(dtype), paths["verification"])
        RUNS.write(run, paths["runs"])
        VALUE_VECTORS.write(VALUE_VECTORS.frame(self.vectors), paths["vectors"])
