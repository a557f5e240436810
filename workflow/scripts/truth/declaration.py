"""Declares the tables, figures and files of this stage."""

from doubletake.study.declaration import Stage
from doubletake.tables.verification import VERIFICATION
from truth.tables import TRUTH

DECLARATION = Stage(
    name="truth",
    order=8,
    title="Truth",
    holds="boundaries of the thoughts with their planted causes, for a model whose "
    "card names its planted language",
    tables=(
        TRUTH,
        VERIFICATION,
    ),
)
