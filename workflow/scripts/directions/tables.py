"""Tables of the directions: recipes by boundary, problems of both parts, units."""

from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

FIT, TEST = "fit", "test"
PARTS = (FIT, TEST)
"""Parts of the problems: directions are fitted on the first, used on the second."""

NAME = Column(
    "direction",
    TEXT,
    "`ward`, `ward_A_B` (a window from A to B tokens before the sentence), `venhoff`, "
    "`seal`, `probe`, `arrivals` or `wrap_up`",
)
BOUNDARY = Column(
    "boundary",
    COUNT,
    "boundary of the residual stream: the input of the layer of this number; 0 is the "
    "token's embedding, the last boundary the input of the final norm",
    unit="index",
)

DIRECTIONS = Table(
    "directions",
    (
        NAME,
        BOUNDARY,
        Column(
            "cases",
            COUNT,
            "sentences, arrivals or pairs of the fit problems behind the direction",
            unit="cases",
        ),
        Column("problems", COUNT, "fit problems with a case", unit="problems"),
        Column(
            "positions",
            COUNT,
            "token positions of the first class; of `probe`, of both classes",
            unit="positions",
        ),
        Column(
            "norm",
            REAL,
            "length of the difference of the classes' means; of `probe`, their "
            "distance along the probe",
            nullable=True,
            unit="residual stream",
        ),
        Column(
            "residual_norm",
            REAL,
            "mean norm of the residual stream over the thought tokens that were read",
            nullable=True,
            unit="residual stream",
        ),
        Column(
            "mean_norm",
            REAL,
            "norm of the mean of the residual stream over these tokens",
            nullable=True,
            unit="residual stream",
        ),
        Column(
            "separation",
            REAL,
            "norm / residual_norm",
            nullable=True,
            unit="residual norms",
        ),
        Column(
            "shuffled_separation",
            REAL,
            "the same with shuffled labels, mean over the draws",
            nullable=True,
            unit="residual norms",
        ),
        Column(
            "shuffled_highest",
            REAL,
            "the same with shuffled labels, highest of the draws",
            nullable=True,
            unit="residual norms",
        ),
        Column(
            "why_not",
            TEXT,
            "why there is no such direction; null: there is one",
            nullable=True,
        ),
    ),
    holds="each direction at each boundary: its cases, its length, and the same with "
    "shuffled labels",
)

DIRECTION_PROBLEMS = Table(
    "directions/problems",
    (
        Column("problem", TEXT, "id of the problem"),
        Column(
            "part",
            TEXT,
            "`fit`: directions come from its thoughts; `test`: experiments use it",
            values=PARTS,
        ),
    ),
    holds="the problems that give the directions, and the problems that use them",
)

DIRECTION_UNITS = Table(
    "directions/units",
    (
        Column(
            "side",
            TEXT,
            "`for`: the value vector points as the probe; `against`: the other way",
            values=("for", "against"),
        ),
        Column("rank", COUNT, "1, 2, ... by the size of the cosine", unit="rank"),
        Column("layer", COUNT, "layer of the MLP", unit="index"),
        Column("unit", COUNT, "number of the hidden unit", unit="index"),
        Column(
            "cosine",
            REAL,
            "cosine of the value vector with the probe at the boundary after the layer",
        ),
        Column("norm", REAL, "norm of the value vector", unit="residual stream"),
    ),
    holds="hidden units whose value vectors lie nearest to the refit probe",
)
