"""Declares the tables, figures and files of this stage."""

from doubletake.study.declaration import Stage
from events.tables import EVENT_COUNTS, EVENTS

DECLARATION = Stage(
    name="events",
    order=3,
    title="Events",
    holds="where a thought arrives at an answer, turns back and wraps up",
    tables=(EVENTS, EVENT_COUNTS),
)
