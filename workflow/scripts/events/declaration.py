"""What this stage leaves."""

from doubletake.study.declaration import Stage
from events.tables import EVENTS

DECLARATION = Stage(
    name="events",
    order=3,
    title="Events",
    holds="where a thought arrives at an answer, turns back, wraps up",
    tables=(EVENTS,),
)
