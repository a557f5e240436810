"""Table of probes of turning back against wrapping up, without matched pairs."""

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, REAL, Column, Table

UNMATCHED_PROBES = Table(
    "unmatched_probes",
    (
        Column(
            "boundary",
            COUNT,
            "boundary of the residual stream: the input of the layer of this number; "
            "0 is the token's embedding, the last boundary the input of the final norm",
            unit="index",
        ),
        Column("cases", COUNT, "backtracks and wrap-ups", unit="positions"),
        Column("backtracks", COUNT, "backtracks among them", unit="positions"),
        Column("problems", COUNT, "problems of these positions", unit="problems"),
        Column("strength", REAL, "C of the L2 penalty"),
        *with_ends(
            "auroc",
            "area under the ROC curve; only pairs of one fold are compared",
            "share",
        ),
    ),
    holds="AUROC of linear probes of all backtracks against all wrap-ups, as "
    "published: where they stand may tell them apart",
)
