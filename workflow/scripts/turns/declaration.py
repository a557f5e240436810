"""Declares the tables, figures and files of this stage."""

from doubletake.study.declaration import Stage
from doubletake.tables.verification import VERIFICATION
from turns.tables import TURN_WORDS, TURNS

DECLARATION = Stage(
    name="turns",
    order=7,
    title="Turns",
    holds="positions at which the model turns back, wraps up or goes on",
    tables=(
        TURNS,
        TURN_WORDS,
        VERIFICATION,
    ),
)
