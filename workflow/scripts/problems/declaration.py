"""What the stage `problems` leaves in a study's folder."""

from doubletake.study.declaration import Stage
from problems.tables import PROBLEMS

DECLARATION = Stage(
    name="problems",
    order=1,
    title="Problems",
    holds="questions with their gold numbers",
    tables=(PROBLEMS,),
)
