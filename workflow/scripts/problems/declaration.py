"""Declares the tables, figures and files of this stage."""

from doubletake.study.declaration import Stage
from problems.tables import PROBLEMS

DECLARATION = Stage(
    name="problems",
    order=1,
    title="Problems",
    holds="questions with their gold numbers",
    tables=(PROBLEMS,),
)
