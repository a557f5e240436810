"""Columns that several tables of the ablation have."""

from ablation.targets import MODES, TARGETS
from doubletake.tables.table import COUNT, FLAG, TEXT, Column

PROBABILITY = "probability"
ABLATION_NAME = Column(
    "ablation",
    TEXT,
    "name of the ablation: target, size or boundary, mode; `none`: nothing is taken "
    "away",
)
TARGET = (
    Column("target", TEXT, "what is taken away", values=TARGETS),
    Column(
        "mode",
        TEXT,
        "`project`: the direction is projected out; `zero`: units or heads are set to "
        "0; `mean`: all of these are set to their mean over thoughts of fit problems",
        values=MODES,
    ),
    Column(
        "size",
        COUNT,
        "units, heads or boundaries that are changed",
        unit="units, heads or boundaries",
    ),
    Column(
        "claimed",
        FLAG,
        "the page may claim an effect; Holm's correction counts these ablations only",
    ),
)
TURN = (
    "mass of the backtrack words at the boundary, as a share of the mass of all tokens "
    "that are not white space"
)
