"""Tables of the directions: recipes by boundary, problems of both parts, units."""

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

FIT, TEST = "fit", "test"
PARTS = (FIT, TEST)
"""Parts of the problems: directions are fitted on the first, used on the second."""

VENHOFF, SEAL = "venhoff", "seal"
PROBE, ARRIVALS, WRAP_UP = "probe", "arrivals", "wrap_up"

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

DIRECTION_PAIRS = Table(
    "directions/pairs",
    (
        NAME,
        BOUNDARY,
        Column("part", TEXT, "part of the problems of both members", values=PARTS),
        Column("pair", COUNT, "number of the pair in `matches`", unit="index"),
        Column("problem", TEXT, "problem of the pair, for intervals"),
        Column(
            "ordered",
            REAL,
            "1: the turn lies further along the direction than its matched control; "
            "0: it does not; 1/2: a tie; of `probe` in the fit part: by a probe that "
            "has not seen the problem",
            unit="share",
        ),
        Column(
            "shuffled",
            REAL,
            "the same along directions with shuffled labels, mean over the draws; null "
            "in the fit part",
            nullable=True,
            unit="share",
        ),
    ),
    holds="whether each direction puts the turns of matched pairs above their controls",
)

DIRECTION_HELD_OUT = Table(
    "directions/held_out",
    (
        NAME,
        BOUNDARY,
        Column("pairs", COUNT, "matched pairs of test problems", unit="pairs"),
        Column("problems", COUNT, "problems of these pairs", unit="problems"),
        Column(
            "ordered",
            REAL,
            "pairs in which the turn lies further along the direction than its control "
            "(`wrap_up`: the wrap-up); ties count half",
            unit="share",
        ),
        Column("low", REAL, LOW, nullable=True, unit="share"),
        Column("high", REAL, HIGH, nullable=True, unit="share"),
        Column("shuffled", REAL, "the same with shuffled labels, mean", unit="share"),
        Column("beyond", REAL, "`ordered` - `shuffled`", unit="share"),
        Column("beyond_low", REAL, LOW, nullable=True, unit="share"),
        Column("beyond_high", REAL, HIGH, nullable=True, unit="share"),
        Column("fit_ordered", REAL, "the same in the fit problems", True, unit="share"),
        Column(
            "chosen",
            FLAG,
            "the boundary with the highest `fit_ordered`; the token's embedding does "
            "not count",
        ),
        Column(
            "p",
            REAL,
            "at the chosen boundary: p-value of the score test of a share of 1/2, "
            "corrected for the number of directions (Holm)",
            nullable=True,
            unit="probability",
        ),
    ),
    holds="share of matched pairs of test problems that each direction puts in order",
)

DIRECTION_COSINES = Table(
    "directions/cosines",
    (
        Column("first", TEXT, "a direction"),
        Column("second", TEXT, "a later direction"),
        BOUNDARY,
        Column("cosine", REAL, "cosine of the two directions", unit="cosine"),
        Column(
            "shuffled",
            REAL,
            "size of the cosine of both with shuffled labels, mean over pairs of draws",
            unit="cosine",
        ),
        Column("shuffled_highest", REAL, "the highest of these sizes", unit="cosine"),
    ),
    holds="how alike two directions are, and the same with shuffled labels",
)
